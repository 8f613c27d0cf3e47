/**
 * How many events of a function the worker may claim now. Two bounds: what the function's concurrency leaves free, and a share of the
 * worker's own capacity: at most half of what the others do not use, so that a backlog of one function always leaves room for the next.
 */
import { type FunctionKey, functionId } from '../../lambda/function.ts'
import type { ClaimLimits } from '../../store/event-queue-store.ts'
import type { Concurrency } from '../concurrency.ts'

export interface EventRoomOptions {
  readonly concurrency: Concurrency
  /** Events that run at once over all functions. */
  readonly capacity: number
  /** Milliseconds after which one event of a function without room is claimed all the same. */
  readonly probeEveryMs: number
}

interface Running {
  readonly key: FunctionKey
  /** Claimed events. */
  held: number
  /** Those among them that have no permit yet. */
  waiting: number
}

interface Probe {
  readonly key: FunctionKey
  /** Until then nothing of the function is claimed while it has no room; Unix milliseconds. */
  readonly at: number
}

const IDLE = { held: 0, waiting: 0 }

export class EventRoom {
  readonly #options: EventRoomOptions
  readonly #running = new Map<string, Running>()
  readonly #probes = new Map<string, Probe>()
  #held = 0

  constructor(options: EventRoomOptions) {
    this.#options = options
  }

  /** Claimed events that have not ended. */
  get held(): number {
    return this.#held
  }

  get free(): number {
    return this.#options.capacity - this.#held
  }

  /** Nothing of the function can be claimed until an event that is running ends. */
  isFull(key: FunctionKey): boolean {
    if (this.free <= 0) return true
    const running = this.#running.get(functionId(key))
    return running !== undefined && this.#room(key, running) <= 0
  }

  /**
   * What a claim may take now. Functions without a limit of their own and without events that run are alike, so that they need not be named.
   * @param now Unix milliseconds
   */
  limits(now: number): ClaimLimits {
    const accounts = new Map<string, number>()
    const functions = new Map<string, number>()
    for (const { account, region, free, limited } of this.#options.concurrency.free()) {
      accounts.set(`${account}/${region}`, Math.max(1, Math.min(free, this.#share(0))))
      for (const name of limited) this.#limit({ account, region, name }, now, functions)
    }
    for (const { key } of this.#running.values()) this.#limit(key, now, functions)
    for (const { key } of this.#probes.values()) this.#limit(key, now, functions)
    return { accounts, functions }
  }

  #limit(key: FunctionKey, now: number, functions: Map<string, number>): void {
    const id = functionId(key)
    const running = this.#running.get(id) ?? IDLE
    const room = this.#room(key, running)
    // Others use the concurrency up. Its oldest event is looked at from time to time: it may have become too old.
    const probe = room <= 0 && running.held === 0 && now >= (this.#probes.get(id)?.at ?? 0)
    functions.set(id, probe ? 1 : Math.max(0, room))
  }

  #room(key: FunctionKey, { held, waiting }: Pick<Running, 'held' | 'waiting'>): number {
    const { concurrency } = this.#options
    const share = this.#share(held)
    // Nothing of it will run: its events end at once.
    if (concurrency.isDisabled(key)) return share
    return Math.min(concurrency.available(key) - waiting, share)
  }

  /** @param held by the function itself */
  #share(held: number): number {
    return Math.max(1, Math.ceil((this.#options.capacity - (this.#held - held)) / 2)) - held
  }

  /** A throttled function is left alone for a while. */
  block(key: FunctionKey, until: number): void {
    this.#probes.set(functionId(key), { key, at: until })
  }

  /** Unix milliseconds of the next probe, for the worker's timer. */
  nextProbe(now: number): number | undefined {
    let next: number | undefined
    for (const [id, { at }] of this.#probes) {
      if (at <= now) this.#probes.delete(id)
      else if (next === undefined || at < next) next = at
    }
    return next
  }

  /** @param now Unix milliseconds */
  claimed(key: FunctionKey, now: number): void {
    const id = functionId(key)
    const running = this.#running.get(id) ?? { key, ...IDLE }
    // It was a probe: the next one is due after a while.
    if (running.held === 0 && this.#room(key, running) <= 0) this.block(key, now + this.#options.probeEveryMs)
    running.held++
    running.waiting++
    this.#held++
    this.#running.set(id, running)
  }

  /** It takes its permit in this turn. */
  admitted(key: FunctionKey): void {
    const running = this.#running.get(functionId(key))
    if (running !== undefined) running.waiting--
  }

  /** @param wasAdmitted whether `admitted` was called for it */
  ended(key: FunctionKey, wasAdmitted: boolean): void {
    const id = functionId(key)
    const running = this.#running.get(id)
    if (running === undefined) return
    running.held--
    this.#held--
    if (!wasAdmitted) running.waiting--
    if (running.held === 0) this.#running.delete(id)
  }
}
