/**
 * Permits: how many invocations of a function, and of an account in a region, run at once. O(1) counters; the check and the count are one
 * synchronous step, so that the limit holds exactly.
 *
 * Arithmetic (reference: execution-model.md 9): a function with ReservedConcurrency R may run R; all others share what is left of the
 * account's limit when every reservation is taken away, used or not.
 */

import { LambdaException } from '../lambda/errors.ts'
import type { FunctionKey } from '../lambda/function.ts'

export type ThrottleReason = 'ConcurrentInvocationLimitExceeded' | 'ReservedFunctionConcurrentInvocationLimitExceeded'

interface Account {
  /** Reservations by function name, as last read from the store. */
  reserved: ReadonlyMap<string, number>
  reservedTotal: number
  /** Running invocations by function name. */
  readonly running: Map<string, number>
  /** Running invocations of functions without a reservation. */
  unreservedRunning: number
}

export class Concurrency {
  readonly #accountLimit: number
  readonly #accounts = new Map<string, Account>()

  constructor(accountLimit: number) {
    this.#accountLimit = accountLimit
  }

  /** Takes over the reservations of an account and region; running invocations keep their permits. */
  setReservations(account: string, region: string, reserved: ReadonlyMap<string, number>): void {
    const state = this.#account(account, region)
    state.reserved = reserved
    state.reservedTotal = sum(reserved.values())
    state.unreservedRunning = 0
    for (const [name, count] of state.running) if (!reserved.has(name)) state.unreservedRunning += count
  }

  /** @throws LambdaException TooManyRequestsException with the Reason. Whoever got a permit calls `release` once. */
  acquire(key: FunctionKey): void {
    const state = this.#account(key.account, key.region)
    const running = state.running.get(key.name) ?? 0
    const reserved = state.reserved.get(key.name)
    if (reserved !== undefined) {
      if (running >= reserved) throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded')
    } else {
      if (state.unreservedRunning >= this.#accountLimit - state.reservedTotal) {
        throw throttled('ConcurrentInvocationLimitExceeded')
      }
      state.unreservedRunning++
    }
    state.running.set(key.name, running + 1)
  }

  release(key: FunctionKey): void {
    const state = this.#account(key.account, key.region)
    const running = state.running.get(key.name)
    if (running === undefined) throw new Error(`a permit of ${key.name} was released twice`)
    if (running === 1) state.running.delete(key.name)
    else state.running.set(key.name, running - 1)
    if (!state.reserved.has(key.name)) state.unreservedRunning--
  }

  /** Invocations of a function that could start now; what others take in the meantime is theirs. */
  available(key: FunctionKey): number {
    const state = this.#account(key.account, key.region)
    const reserved = state.reserved.get(key.name)
    return reserved === undefined
      ? this.#accountLimit - state.reservedTotal - state.unreservedRunning
      : reserved - (state.running.get(key.name) ?? 0)
  }

  /** Whether a reservation of zero switches the function off. */
  isDisabled(key: FunctionKey): boolean {
    return this.#account(key.account, key.region).reserved.get(key.name) === 0
  }

  /** Running invocations of one function. */
  running(key: FunctionKey): number {
    return this.#account(key.account, key.region).running.get(key.name) ?? 0
  }

  /** Running invocations of all accounts. */
  total(): number {
    let total = 0
    for (const account of this.#accounts.values()) total += sum(account.running.values())
    return total
  }

  #account(account: string, region: string): Account {
    const id = `${account}/${region}`
    const known = this.#accounts.get(id)
    if (known !== undefined) return known
    const fresh: Account = { reserved: new Map(), reservedTotal: 0, running: new Map(), unreservedRunning: 0 }
    this.#accounts.set(id, fresh)
    return fresh
  }
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function throttled(reason: ThrottleReason): LambdaException {
  return new LambdaException('TooManyRequestsException', 'Rate Exceeded.', {
    members: { Reason: reason },
    headers: { 'Retry-After': '1' },
  })
}
