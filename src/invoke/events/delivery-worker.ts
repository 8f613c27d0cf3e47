/**
 * Sends what the outbox holds, at least once: a delivery leaves the store only after the other side has taken it. Each target has a few
 * sendings at a time and a pause after a failure, so that one that is down costs the others nothing.
 */
import { backoffMs } from '../../lambda/events/event-invoke.ts'
import type { ClaimedDelivery, DeliveryStore } from '../../store/delivery-store.ts'
import { type DestinationTarget, failureText } from '../destinations/target.ts'
import { storeOutcome, UNSTORED } from './durable-outcome.ts'
import { WorkLoop } from './work-loop.ts'

/** Sendings at one time to one target. */
const PER_TARGET = 8
/** Sendings at one time. */
const IN_FLIGHT_MAX = 64
/** Milliseconds that one sending may take. */
const SEND_MS = 30_000
/** Milliseconds after which a target that never took it loses it; said in the log. */
export const ABANDON_AFTER_MS = 24 * 3_600_000
/** Milliseconds after the end of its pause in which nothing was sent to a target that failed: nothing waits for it any more. */
const FORGET_MS = 10 * 60_000

export interface DeliveryWorkerOptions {
  readonly store: DeliveryStore
  readonly destinations: DestinationTarget
  /** Milliseconds of the first pause after a failure; doubled each time, at most 5 minutes. */
  readonly backoffBaseMs: number
  readonly clock: () => number
  readonly log: (message: string, fields?: Record<string, unknown>) => void
}

interface TargetState {
  sending: number
  /** Failures in a row; those of sendings that were under way together count once. */
  failures: number
  /** Unix milliseconds. */
  pausedUntil: number
}

export class DeliveryWorker {
  readonly #options: DeliveryWorkerOptions
  readonly #targets = new Map<string, TargetState>()
  readonly #loop: WorkLoop
  readonly #stop = new AbortController()

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options
    this.#loop = new WorkLoop({
      claim: () => this.#claim(),
      nextDue: (now) => this.#nextDue(now),
      failed: (error) => options.log('deliveries could not be read; the host tries again', { error: String(error) }),
      clock: options.clock,
    })
  }

  async start(): Promise<void> {
    await this.#options.store.recover(this.#options.clock())
    this.#loop.start()
  }

  wake(): void {
    this.#loop.wake()
  }

  /** What is being sent may finish for `drainMs`; the rest is sent after the next start. */
  async stop(drainMs: number): Promise<void> {
    await this.#loop.stop(drainMs)
    this.#stop.abort(new Error('the host stops'))
    await this.#loop.ended()
  }

  async #claim(): Promise<boolean> {
    const { store, clock } = this.#options
    const now = clock()
    this.#forget(now)
    const free = IN_FLIGHT_MAX - this.#loop.running
    if (free <= 0) return false
    const targets = new Map(Array.from(this.#targets, ([target, state]) => [target, roomOf(state, now)]))
    const claimed = await store.claim(now, free, { each: PER_TARGET, targets })
    for (const delivery of claimed) {
      this.#state(delivery.target).sending++
      this.#loop.follow(this.#send(delivery))
    }
    return claimed.length > 0
  }

  /** What waits for a target that is paused becomes due with the end of its pause. */
  async #nextDue(now: number): Promise<number | undefined> {
    const due = (await this.#options.store.nextDue(now)) ?? Number.POSITIVE_INFINITY
    const pauses = [...this.#targets.values()].flatMap(({ pausedUntil }) => (pausedUntil > now ? [pausedUntil] : []))
    return Math.min(due, ...pauses)
  }

  /** Targets that are being sent to or failed lately. */
  get targets(): number {
    return this.#targets.size
  }

  /** Functions are deleted and deliveries given up: a target that failed then never succeeds. Longer than the longest pause of a delivery. */
  #forget(now: number): void {
    for (const [target, { sending, pausedUntil }] of this.#targets) {
      if (sending === 0 && now > pausedUntil + FORGET_MS) this.#targets.delete(target)
    }
  }

  #state(target: string): TargetState {
    let state = this.#targets.get(target)
    if (state === undefined) {
      state = { sending: 0, failures: 0, pausedUntil: 0 }
      this.#targets.set(target, state)
    }
    return state
  }

  async #send(delivery: ClaimedDelivery): Promise<void> {
    const { store, log, clock, backoffBaseMs } = this.#options
    const { id, epoch, target } = delivery
    const state = this.#state(target)
    try {
      await storeOutcome({
        store: await this.#outcome(delivery, state),
        giveBack: () => store.release(id, epoch, clock()),
        failed: (error) => log(`the result of a delivery ${UNSTORED}`, { ...aboutOf(delivery), error: String(error) }),
        backoffBaseMs,
        stop: this.#stop.signal,
      })
    } finally {
      state.sending--
      if (state.sending === 0 && state.failures === 0) this.#targets.delete(target)
    }
  }

  /** Sends a delivery. Returns what stores that the other side took it, or that it waits again or is given up. */
  async #outcome(delivery: ClaimedDelivery, state: TargetState): Promise<() => Promise<boolean>> {
    const { store, destinations, clock, log, backoffBaseMs } = this.#options
    const { id, epoch } = delivery
    const failuresBefore = state.failures
    try {
      await destinations.send(delivery, AbortSignal.any([AbortSignal.timeout(SEND_MS), this.#stop.signal]))
      state.failures = 0
      state.pausedUntil = 0
      return () => store.settle(id, epoch, 'delivered')
    } catch (error) {
      const now = clock()
      // Sendings that went out together and fail together are one failure of the target.
      if (state.failures === failuresBefore) {
        state.pausedUntil = now + backoffMs(state.failures, { backoffBaseMs })
        state.failures++
      }
      const about = { ...aboutOf(delivery), error: failureText(error) }
      const abandoned = now - delivery.createdAt > ABANDON_AFTER_MS
      // Its own back-off, so that one that is refused for itself lets the others pass.
      const due = now + backoffMs(delivery.attempts, { backoffBaseMs })
      if (abandoned) log('a delivery was given up: its target did not accept it for a day', about)
      else log('a delivery failed; the host tries again', { ...about, delayMs: Math.max(due, state.pausedUntil) - now })
      return () => (abandoned ? store.settle(id, epoch, 'abandoned') : store.release(id, epoch, due))
    }
  }
}

/** A target that failed is tried with a single delivery first. */
function roomOf({ sending, failures, pausedUntil }: TargetState, now: number): number {
  if (now < pausedUntil) return 0
  return (failures > 0 ? 1 : PER_TARGET) - sending
}

function aboutOf({ target, function: { name }, detail }: ClaimedDelivery): Record<string, unknown> {
  return { target, function: name, requestId: detail.requestId }
}
