/**
 * How many events of a function the worker may claim now. Two bounds: what the function's concurrency leaves free, and a share of the
 * worker's own capacity: at most half of what the others do not use, so that a backlog of one function always leaves room for the next.
 */
import { type FunctionKey, functionId } from '../lambda/function.ts'
import type { Concurrency } from './concurrency.ts'

export interface EventRoomOptions {
  readonly concurrency: Concurrency
  /** Whether the reservations of the function's account are known; if not, it has to wait until they are. */
  readonly limitsKnown: (key: FunctionKey) => boolean
  /** Events that run at once over all functions. */
  readonly capacity: number
  /** Milliseconds after which one event of a function without room is claimed all the same. */
  readonly probeEveryMs: number
}

interface Running {
  /** Claimed events. */
  held: number
  /** Those among them that have no permit yet. */
  waiting: number
}

const IDLE: Readonly<Running> = { held: 0, waiting: 0 }

export class EventRoom {
  readonly #options: EventRoomOptions
  readonly #running = new Map<string, Running>()
  readonly #probes = new Map<string, number>()
  readonly #unknown = new Map<string, FunctionKey>()
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

  /** @param now Unix milliseconds */
  of(key: FunctionKey, now: number): number {
    const { limitsKnown, probeEveryMs } = this.#options
    const id = functionId(key)
    if (!limitsKnown(key)) {
      this.#unknown.set(`${key.account}/${key.region}`, key)
      return 0
    }
    const running = this.#running.get(id) ?? IDLE
    const room = this.#room(key, running)
    if (room > 0 || this.#options.concurrency.isDisabled(key)) return room
    // Others use the concurrency up. Its oldest event is looked at from time to time: it may have become too old.
    if (running.held > 0 || now < (this.#probes.get(id) ?? 0)) return 0
    this.#probes.set(id, now + probeEveryMs)
    return 1
  }

  #room(key: FunctionKey, { held, waiting }: Running): number {
    const { concurrency, capacity } = this.#options
    const share = Math.max(1, Math.ceil((capacity - (this.#held - held)) / 2)) - held
    // Nothing of it will run: its events end at once.
    if (concurrency.isDisabled(key)) return share
    return Math.min(concurrency.available(key) - waiting, share)
  }

  /** A throttled function is left alone for a while. */
  block(key: FunctionKey, until: number): void {
    this.#probes.set(functionId(key), until)
  }

  /** Unix milliseconds of the next probe, for the worker's timer. */
  nextProbe(now: number): number | undefined {
    let next: number | undefined
    for (const [id, at] of this.#probes) {
      if (at <= now) this.#probes.delete(id)
      else if (next === undefined || at < next) next = at
    }
    return next
  }

  /** Functions whose account's reservations the last claim missed. */
  takeUnknown(): FunctionKey[] {
    const keys = [...this.#unknown.values()]
    this.#unknown.clear()
    return keys
  }

  claimed(key: FunctionKey): void {
    const id = functionId(key)
    const running = this.#running.get(id) ?? { held: 0, waiting: 0 }
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
