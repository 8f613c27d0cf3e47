/**
 * Sends what the outbox holds, at least once: a delivery leaves the store only after the other side has taken it. Each target has a few
 * sendings at a time and a pause after a failure, so that one that is down costs the others nothing.
 */
import { backoffMs } from '../lambda/event-invoke.ts'
import type { ClaimedDelivery, DeliveryStore } from '../store/store.ts'
import type { DestinationTarget } from './destinations/target.ts'

/** Sendings at one time to one target. */
const PER_TARGET = 8
/** Sendings at one time. */
const IN_FLIGHT_MAX = 64
/** Milliseconds that one sending may take; shorter than its lease. */
const SEND_MS = 30_000
const LEASE_MS = 60_000
const POLL_MS = 5_000
/** Milliseconds after which a target that never took it loses it; said in the log. */
export const ABANDON_AFTER_MS = 24 * 3_600_000

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
  /** Failures in a row. */
  failures: number
  /** Unix milliseconds. */
  pausedUntil: number
}

export class DeliveryWorker {
  readonly #options: DeliveryWorkerOptions
  readonly #targets = new Map<string, TargetState>()
  readonly #running = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #pumping = false
  #again = false
  #stopped = true

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    await this.#options.store.voidLeases(this.#options.clock())
    this.#stopped = false
    this.wake()
  }

  wake(): void {
    if (this.#stopped) return
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    setImmediate(() => void this.#pump())
  }

  /** What is being sent may finish for `drainMs`; the rest is sent after the next start. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    const timer = setTimeout(() => this.#stop.abort(new Error('the host stops')), drainMs)
    await Promise.allSettled(this.#running)
    clearTimeout(timer)
  }

  async #pump(): Promise<void> {
    try {
      do {
        this.#again = false
        while (!this.#stopped && (await this.#claim()) > 0);
      } while (this.#again && !this.#stopped)
    } catch (error) {
      this.#options.log('deliveries could not be read; they are tried again', { error: String(error) })
    } finally {
      this.#pumping = false
      await this.#sleep()
    }
  }

  async #claim(): Promise<number> {
    const { store, clock } = this.#options
    const now = clock()
    let free = IN_FLIGHT_MAX - this.#running.size
    if (free <= 0) return 0
    const claimed = await store.claim(now, now + LEASE_MS, (target) => {
      const room = Math.min(this.#room(target, now), free)
      free -= room
      return room
    })
    for (const delivery of claimed) {
      this.#state(delivery.target).sending++
      const running = this.#send(delivery).finally(() => {
        this.#running.delete(running)
        this.wake()
      })
      this.#running.add(running)
    }
    return claimed.length
  }

  /** A target that failed is tried with a single delivery first. */
  #room(target: string, now: number): number {
    const state = this.#targets.get(target)
    if (state === undefined) return PER_TARGET
    if (now < state.pausedUntil) return 0
    return (state.failures > 0 ? 1 : PER_TARGET) - state.sending
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
    const { store, destinations, clock, log, backoffBaseMs } = this.#options
    const { id, epoch, target } = delivery
    const about = { target, function: delivery.function.name, requestId: delivery.detail.requestId }
    const state = this.#state(target)
    try {
      await destinations.send(delivery, AbortSignal.any([AbortSignal.timeout(SEND_MS), this.#stop.signal]))
      state.failures = 0
      state.pausedUntil = 0
      await store.settle(id, epoch, 'delivered')
    } catch (error) {
      const now = clock()
      const delay = backoffMs(state.failures, { backoffBaseMs })
      state.failures++
      state.pausedUntil = now + delay
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      const abandoned = now - delivery.createdAt > ABANDON_AFTER_MS
      if (abandoned) log('a delivery is given up: its target did not take it for a day', { ...about, error: reason })
      else log('a delivery failed; it is tried again', { ...about, delayMs: delay, error: reason })
      // Its own back-off, so that one that is refused for itself lets the others pass.
      const due = now + backoffMs(delivery.attempts, { backoffBaseMs })
      await (abandoned ? store.settle(id, epoch, 'abandoned') : store.release(id, epoch, due)).catch(() => false)
    } finally {
      state.sending--
      if (state.sending === 0 && state.failures === 0) this.#targets.delete(target)
    }
  }

  async #sleep(): Promise<void> {
    if (this.#stopped) return
    const now = this.#options.clock()
    const due = await this.#options.store.nextDue(now).catch(() => undefined)
    const pauses = [...this.#targets.values()].flatMap(({ pausedUntil }) => (pausedUntil > now ? [pausedUntil] : []))
    const next = Math.min(now + POLL_MS, due ?? Number.POSITIVE_INFINITY, ...pauses)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), Math.max(next - now, 10))
    this.#timer.unref()
  }
}
