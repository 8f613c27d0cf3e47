/**
 * Permits: how many invocations of a function, and of an account in a region, run at once, and how many synchronous ones begin in a
 * second. THE owner of these counters. The check and the count are one synchronous step, so that limits hold exactly; all of it is O(1)
 * and allocates nothing for a function that has been invoked before.
 *
 * Arithmetic (reference: execution-model.md 9). An invocation of a version with provisioned concurrency uses that first. What is beyond
 * runs on demand: in a function with ReservedConcurrency R, within R less all of its provisioned concurrency; in all others, within what
 * is left of the account's limit without every reservation and every provisioned concurrency, used or not.
 *
 * A permit is not marked as the one or the other kind: of the running invocations of a version, as many as it has provisioned are
 * provisioned and the rest is on demand. So a changed configuration re-sorts what runs, and no permit can leak by its mark.
 */

import type { FunctionKey } from '../lambda/function.ts'
import { TokenBucket } from '../lambda/token-bucket.ts'
import { type ThrottleReason, throttled } from './throttles.ts'

/** Limits of the functions of an account and region, as the store has them. */
export interface Limits {
  /** ReservedConcurrentExecutions by function name. */
  readonly reserved: ReadonlyMap<string, number>
  /** Provisioned concurrency by function name and version. */
  readonly provisioned: ReadonlyMap<string, ReadonlyMap<string, number>>
}

export interface ConcurrencyOptions {
  /** How many executions an account may run at the same time in one region. */
  readonly accountLimit: number
  /** Synchronous requests per second for each unit of concurrency; 0 for no such limit. */
  readonly requestRateFactor?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

interface VersionState {
  running: number
  /** Provisioned concurrency. */
  provisioned: number
  /** Its rate; beyond it requests count as on demand. */
  rate: TokenBucket | undefined
}

interface FunctionState {
  running: number
  /** Of those, the ones beyond the provisioned concurrency of their versions. */
  onDemand: number
  reserved: number | undefined
  /** Sum over its versions. */
  provisioned: number
  rate: TokenBucket | undefined
  readonly versions: Map<string, VersionState>
}

/** What events may use of an account and region. */
export interface FreeConcurrency {
  readonly account: string
  readonly region: string
  /** Invocations that a function without limits of its own could start now. */
  readonly free: number
  /** Names of the functions that have a reservation or provisioned concurrency. */
  readonly limited: Iterable<string>
}

interface Account {
  readonly functions: Map<string, FunctionState>
  /** `undefined`: the limits of its functions are not known yet. */
  limited: ReadonlySet<string> | undefined
  running: number
  /** On-demand invocations of functions without a reservation, and how many of them there may be. */
  unreservedRunning: number
  unreservedLimit: number
  readonly unreservedRate: TokenBucket | undefined
}

export class Concurrency {
  readonly #accountLimit: number
  readonly #factor: number
  readonly #now: () => number
  /** By account, then by region. */
  readonly #accounts = new Map<string, Map<string, Account>>()

  constructor({ accountLimit, requestRateFactor = 0, now = () => performance.now() }: ConcurrencyOptions) {
    this.#accountLimit = accountLimit
    this.#factor = requestRateFactor
    this.#now = now
  }

  /** Takes over the limits of an account and region; running invocations keep their permits. */
  setLimits(account: string, region: string, { reserved, provisioned }: Limits): void {
    const state = this.#account(account, region)
    state.limited = new Set([...reserved.keys(), ...provisioned.keys()])
    for (const name of state.limited) functionState(state, name)
    let taken = 0
    state.unreservedRunning = 0
    for (const [name, one] of state.functions) {
      this.#limitFunction(one, reserved.get(name), provisioned.get(name))
      taken += one.reserved ?? one.provisioned
      if (one.reserved === undefined) state.unreservedRunning += one.onDemand
      // Deleted functions must not pile up.
      if (one.running === 0 && one.reserved === undefined && one.provisioned === 0) state.functions.delete(name)
    }
    state.unreservedLimit = this.#accountLimit - taken
    this.#rate(state.unreservedRate, state.unreservedLimit)
  }

  /**
   * A permit for one invocation; whoever got it calls `release` once, with the same key and version.
   * @param synchronous the request counts against the rate limits.
   * @throws LambdaException TooManyRequestsException with the Reason; then nothing was counted.
   */
  acquire(key: FunctionKey, version: string, synchronous: boolean): void {
    const account = this.#account(key.account, key.region)
    const one = functionState(account, key.name)
    const state = versionState(one, version)
    const refusal = this.#refusal(account, one, state, synchronous)
    if (refusal !== undefined) throw throttled(refusal)
    if (state.running >= state.provisioned) {
      one.onDemand++
      if (one.reserved === undefined) account.unreservedRunning++
    }
    state.running++
    one.running++
    account.running++
  }

  release(key: FunctionKey, version: string): void {
    const account = this.#account(key.account, key.region)
    const one = account.functions.get(key.name)
    const state = one?.versions.get(version)
    if (one === undefined || state === undefined || state.running === 0) {
      throw new Error(`a permit of ${key.name} was released twice`)
    }
    if (state.running > state.provisioned) {
      one.onDemand--
      if (one.reserved === undefined) account.unreservedRunning--
    }
    state.running--
    one.running--
    account.running--
  }

  /** Whether a version has provisioned concurrency, used or not. */
  provisioned(key: FunctionKey, version: string): boolean {
    const one = this.#accounts.get(key.account)?.get(key.region)?.functions.get(key.name)
    return one !== undefined && one.provisioned > 0 && (one.versions.get(version)?.provisioned ?? 0) > 0
  }

  /** Invocations of a function that could start now; what others take in the meantime is theirs. */
  available(key: FunctionKey): number {
    const account = this.#account(key.account, key.region)
    const one = account.functions.get(key.name)
    const room = this.#accountLimit - account.running
    if (one === undefined) return Math.min(room, account.unreservedLimit - account.unreservedRunning)
    const ahead = one.provisioned - (one.running - one.onDemand)
    const onDemand =
      one.reserved === undefined
        ? account.unreservedLimit - account.unreservedRunning
        : one.reserved - one.provisioned - one.onDemand
    return Math.min(room, ahead + Math.max(0, onDemand))
  }

  /** Of each account and region whose limits are known. */
  *free(): Iterable<FreeConcurrency> {
    for (const [account, regions] of this.#accounts) {
      for (const [region, state] of regions) {
        const { limited, running, unreservedLimit, unreservedRunning } = state
        if (limited === undefined) continue
        const free = Math.min(this.#accountLimit - running, unreservedLimit - unreservedRunning)
        yield { account, region, free, limited }
      }
    }
  }

  /** Whether a reservation of zero switches the function off. */
  isDisabled(key: FunctionKey): boolean {
    return this.#account(key.account, key.region).functions.get(key.name)?.reserved === 0
  }

  /** Running invocations of one function. */
  running(key: FunctionKey): number {
    return this.#accounts.get(key.account)?.get(key.region)?.functions.get(key.name)?.running ?? 0
  }

  /** Running invocations of all accounts. */
  total(): number {
    let total = 0
    for (const regions of this.#accounts.values()) for (const { running } of regions.values()) total += running
    return total
  }

  /** Decides and, last, takes the token of the rate: a request that is refused for another reason costs none. */
  #refusal(
    account: Account,
    one: FunctionState,
    state: VersionState,
    synchronous: boolean,
  ): ThrottleReason | undefined {
    const onDemand = state.running >= state.provisioned
    if (one.reserved !== undefined) {
      // The second condition binds only while invocations run that began under other limits; so does the account's below.
      if ((onDemand && one.onDemand + one.provisioned >= one.reserved) || one.running >= one.reserved) {
        return 'ReservedFunctionConcurrentInvocationLimitExceeded'
      }
    } else if (onDemand && account.unreservedRunning >= account.unreservedLimit) {
      return 'ConcurrentInvocationLimitExceeded'
    }
    if (account.running >= this.#accountLimit) return 'ConcurrentInvocationLimitExceeded'
    if (!synchronous) return undefined
    const now = this.#now()
    if (!onDemand && (state.rate === undefined || state.rate.take(now))) return undefined
    const rate = one.reserved === undefined ? account.unreservedRate : one.rate
    if (rate === undefined || rate.take(now)) return undefined
    return one.reserved === undefined
      ? 'FunctionInvocationRateLimitExceeded'
      : 'ReservedFunctionInvocationRateLimitExceeded'
  }

  #limitFunction(
    one: FunctionState,
    reserved: number | undefined,
    provisioned: ReadonlyMap<string, number> | undefined,
  ): void {
    for (const version of provisioned?.keys() ?? []) versionState(one, version)
    one.reserved = reserved
    one.provisioned = 0
    one.onDemand = 0
    for (const [version, state] of one.versions) {
      state.provisioned = provisioned?.get(version) ?? 0
      one.provisioned += state.provisioned
      one.onDemand += Math.max(0, state.running - state.provisioned)
      if (state.provisioned === 0) state.rate = undefined
      else state.rate = this.#rate(state.rate, state.provisioned)
      if (state.provisioned === 0 && state.running === 0) one.versions.delete(version)
    }
    one.rate = reserved === undefined ? undefined : this.#rate(one.rate, Math.max(0, reserved - one.provisioned))
  }

  /** The bucket for so much concurrency: one second's requests may come at once. */
  #rate(bucket: TokenBucket | undefined, concurrency: number): TokenBucket | undefined {
    if (this.#factor === 0) return undefined
    const perSecond = Math.max(0, concurrency * this.#factor)
    if (bucket === undefined) return new TokenBucket(perSecond, perSecond, this.#now())
    bucket.resize(perSecond, perSecond, this.#now())
    return bucket
  }

  #account(account: string, region: string): Account {
    let regions = this.#accounts.get(account)
    if (regions === undefined) {
      regions = new Map()
      this.#accounts.set(account, regions)
    }
    let state = regions.get(region)
    if (state === undefined) {
      state = {
        functions: new Map(),
        limited: undefined,
        running: 0,
        unreservedRunning: 0,
        unreservedLimit: this.#accountLimit,
        unreservedRate: this.#rate(undefined, this.#accountLimit),
      }
      regions.set(region, state)
    }
    return state
  }
}

function functionState(account: Account, name: string): FunctionState {
  let one = account.functions.get(name)
  if (one === undefined) {
    one = { running: 0, onDemand: 0, reserved: undefined, provisioned: 0, rate: undefined, versions: new Map() }
    account.functions.set(name, one)
  }
  return one
}

function versionState(one: FunctionState, version: string): VersionState {
  let state = one.versions.get(version)
  if (state === undefined) {
    state = { running: 0, provisioned: 0, rate: undefined }
    one.versions.set(version, state)
  }
  return state
}
