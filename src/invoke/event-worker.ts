/**
 * Runs the events of the durable queue. Each is claimed under a lease and an epoch, resolved to the code in force now, run under a
 * permit like any other invocation, and settled; a throttle or a failure of the platform gives it back with a growing delay.
 */
import { LambdaException } from '../lambda/errors.ts'
import type { FunctionKey } from '../lambda/function.ts'
import type { ClaimedEvent, EventQueueStore } from '../store/store.ts'
import type { Invoker } from './invoke.ts'
import { drawVersion, type Resolver } from './resolve.ts'

/** Milliseconds of a lease; renewed while the event runs. */
const LEASE_MS = 60_000
const RENEW_MS = 20_000
/** Events that run at once over all functions; the permits limit each function. */
const IN_FLIGHT_MAX = 256
/** Safety net: the signal is a hint, this poll is the truth. */
const POLL_MS = 5_000
/** Delay after a throttle or a failure of the platform: 1 s, doubled each time, at most 5 min (developer guide). */
const BACKOFF_MIN_MS = 1_000
const BACKOFF_MAX_MS = 300_000

export interface EventWorkerOptions {
  readonly queue: EventQueueStore
  readonly resolver: Resolver
  readonly invoker: Invoker
  readonly clock: () => number
  readonly log: (message: string, fields?: Record<string, unknown>) => void
}

export class EventWorker {
  readonly #options: EventWorkerOptions
  readonly #inFlight = new Map<number, ClaimedEvent>()
  /** Functions that were throttled, with the time until which their events are left alone. */
  readonly #blocked = new Map<string, { readonly key: FunctionKey; readonly until: number }>()
  #timer: NodeJS.Timeout | undefined
  #renewal: NodeJS.Timeout | undefined
  #pumping = false
  #again = false
  #stopped = true
  #drained: (() => void) | undefined

  constructor(options: EventWorkerOptions) {
    this.#options = options
  }

  /** Leases of an earlier run of this host are void: their events run again. */
  async start(): Promise<void> {
    const voided = await this.#options.queue.voidLeases(this.#options.clock())
    if (voided > 0) this.#options.log('events of an interrupted run are executed again', { events: voided })
    this.#stopped = false
    this.#renewal = setInterval(() => void this.#renew(), RENEW_MS)
    this.#renewal.unref()
    this.wake()
  }

  /** There may be something to do. Cheap; callable at any time. */
  wake(): void {
    if (this.#stopped) return
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    setImmediate(() => void this.#pump())
  }

  /** Claims no more; resolves when what runs has ended, or after `drainMs`: what is left then is executed again by the next start. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (this.#inFlight.size > 0) {
      const timer = setTimeout(() => this.#drained?.(), drainMs)
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      clearTimeout(timer)
    }
    clearInterval(this.#renewal)
  }

  async #pump(): Promise<void> {
    try {
      do {
        this.#again = false
        await this.#claim()
      } while (this.#again && !this.#stopped)
    } catch (error) {
      this.#options.log('the event queue could not be read; it is tried again', { error: String(error) })
    } finally {
      this.#pumping = false
      await this.#sleep()
    }
  }

  async #claim(): Promise<void> {
    const { queue, clock } = this.#options
    for (;;) {
      const room = IN_FLIGHT_MAX - this.#inFlight.size
      if (room <= 0 || this.#stopped) return
      const now = clock()
      for (const [id, { until }] of this.#blocked) if (until <= now) this.#blocked.delete(id)
      const blocked = [...this.#blocked.values()].map(({ key }) => key)
      const events = await queue.claim(now, now + LEASE_MS, Math.min(room, 32), blocked)
      if (events.length === 0) return
      for (const event of events) {
        this.#inFlight.set(event.id, event)
        void this.#execute(event).finally(() => {
          this.#inFlight.delete(event.id)
          if (this.#inFlight.size === 0) this.#drained?.()
          this.wake()
        })
      }
    }
  }

  async #execute(event: ClaimedEvent): Promise<void> {
    const { queue, resolver, invoker, clock, log } = this.#options
    const about = { function: event.function.name, requestId: event.requestId }
    try {
      const target = await resolver.resolve(event.function, event.qualifier ?? '$LATEST')
      if (target === undefined) {
        log('an event was dropped: its function, version or alias does not exist any more', about)
        await queue.settle(event.id, event.epoch)
        return
      }
      await invoker.run(drawVersion(target), {
        key: event.function,
        qualifier: event.qualifier,
        requestId: event.requestId,
        traceHeader: event.traceHeader,
        payload: event.payload,
        clientContext: undefined,
        tail: false,
      })
      await queue.settle(event.id, event.epoch)
    } catch (error) {
      const delay = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(event.attempts, 16))
      const until = clock() + delay
      if (error instanceof LambdaException && error.name === 'TooManyRequestsException') {
        const { account, region, name } = event.function
        this.#blocked.set(`${account}/${region}/${name}`, { key: event.function, until: clock() + BACKOFF_MIN_MS })
      } else {
        log('an event could not be executed; it is tried again', { ...about, delayMs: delay, error: String(error) })
      }
      await queue.release(event.id, event.epoch, until).catch((failure: unknown) => {
        log('an event could not be given back; its lease runs out', { ...about, error: String(failure) })
      })
    }
  }

  async #renew(): Promise<void> {
    const leaseUntil = this.#options.clock() + LEASE_MS
    for (const { id, epoch } of this.#inFlight.values()) {
      await this.#options.queue.extend(id, epoch, leaseUntil).catch(() => false)
    }
  }

  async #sleep(): Promise<void> {
    if (this.#stopped) return
    const due = await this.#options.queue.nextDue().catch(() => undefined)
    const blockedUntil = Math.min(...[...this.#blocked.values()].map(({ until }) => until))
    const now = this.#options.clock()
    const wait = Math.min(POLL_MS, Math.max(0, (due ?? now + POLL_MS) - now), Math.max(0, blockedUntil - now))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), Math.max(wait, 10))
    this.#timer.unref()
  }
}
