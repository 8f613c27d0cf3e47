/**
 * Runs the events of the durable queue. Each is claimed under a lease and an epoch, as many as can run now and no more; attempted; and
 * settled together with what follows from it. What is decided stands in `lambda/event-invoke.ts`.
 */
import { randomUUID } from 'node:crypto'
import { decide, type EventCondition, type EventDecision, type RetryTiming } from '../lambda/event-invoke.ts'
import type { ClaimedEvent, EventEnding, EventQueueStore } from '../store/store.ts'
import { type Attempt, type AttemptNeeds, attempt, isThrottle } from './event-attempt.ts'
import { endingOf } from './event-ending.ts'
import type { EventRoom } from './event-room.ts'

/** Milliseconds of a lease; renewed while the event runs. */
const LEASE_MS = 60_000
const RENEW_MS = 20_000
/** Events of one claim: its transaction must stay short. */
const CLAIM_SIZE = 64
/** Safety net: the signal is a hint, this poll is the truth. */
const POLL_MS = 5_000

export interface EventWorkerOptions extends AttemptNeeds {
  readonly queue: EventQueueStore
  readonly room: EventRoom
  readonly timing: RetryTiming
  /** Tells who sends deliveries that there are some. */
  readonly wakeDeliveries: () => void
  readonly log: (message: string, fields?: Record<string, unknown>) => void
}

export class EventWorker {
  readonly #options: EventWorkerOptions
  readonly #inFlight = new Map<number, ClaimedEvent>()
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
    const { queue, clock, room, resolver } = this.#options
    for (;;) {
      if (this.#stopped || room.free <= 0) return
      const now = clock()
      const size = Math.min(room.free, CLAIM_SIZE)
      const events = await queue.claim(now, now + LEASE_MS, size, (key) => room.of(key, now))
      const unknown = room.takeUnknown()
      for (const key of unknown) await resolver.loadLimits(key)
      if (events.length === 0 && unknown.length === 0) return
      for (const event of events) {
        this.#inFlight.set(event.id, event)
        room.claimed(event.function)
        void this.#execute(event)
      }
    }
  }

  async #execute(event: ClaimedEvent): Promise<void> {
    const { queue, room, clock, log } = this.#options
    let admitted = false
    const about = { function: event.function.name, requestId: event.requestId }
    try {
      const result = await attempt(event, this.#options, () => {
        admitted = true
        room.admitted(event.function)
      })
      if (isThrottle(result.error)) room.block(event.function, clock() + this.#options.timing.backoffBaseMs)
      await this.#settle(event, result, about)
    } catch (error) {
      log('what became of an event could not be stored; it runs again when its lease is over', {
        ...about,
        error: String(error),
      })
      await queue.release(event.id, event.epoch, clock() + this.#options.timing.backoffBaseMs).catch(() => false)
    } finally {
      room.ended(event.function, admitted)
      this.#inFlight.delete(event.id)
      if (this.#inFlight.size === 0) this.#drained?.()
      this.wake()
    }
  }

  async #settle(event: ClaimedEvent, result: Attempt, about: Record<string, unknown>): Promise<void> {
    const { queue, timing, clock, log } = this.#options
    const { outcome } = result
    if (outcome === 'no-function') {
      log('an event was discarded: its function does not exist any more', about)
      await queue.settle(event.id, event.epoch, { as: 'discarded', deliveries: [], events: [] })
      return
    }
    const now = clock()
    const decision: EventDecision =
      outcome === 'too-old'
        ? { kind: 'end', condition: 'EventAgeExceeded' }
        : decide(event, outcome, result.target?.eventInvoke ?? {}, timing, now)
    if (decision.kind === 'again') {
      if (outcome === 'postponed' && !isThrottle(result.error)) {
        log('an event could not be executed; it is tried again', {
          ...about,
          delayMs: decision.at - now,
          error: String(result.error),
        })
      }
      await queue.release(event.id, event.epoch, decision.at, decision.spends ? 'retry' : 'postponement')
      return
    }
    const ending = this.#ending(event, result, decision.condition, now)
    await queue.settle(event.id, event.epoch, ending)
    if (ending.deliveries.length > 0) this.#options.wakeDeliveries()
  }

  #ending(event: ClaimedEvent, result: Attempt, condition: EventCondition, now: number): EventEnding {
    const { target, version, response, refusal } = result
    const ran = response !== undefined
    return endingOf({
      event,
      ended: {
        function: event.function,
        qualifier: event.qualifier,
        requestId: event.requestId,
        payload: event.payload,
        condition,
        // Claims that a crash cut short count: the function may have run.
        invokeCount: Math.max(0, event.attempts - event.postponements + (ran ? 1 : 0)),
        ...(response === undefined ? {} : { response }),
        ...(refusal === undefined ? {} : { refusal }),
      },
      target: target ?? { versions: [] },
      deadLetterTarget: version?.deadLetterTarget,
      now,
      newRequestId: randomUUID,
    })
  }

  async #renew(): Promise<void> {
    const leaseUntil = this.#options.clock() + LEASE_MS
    for (const { id, epoch } of this.#inFlight.values()) {
      await this.#options.queue.extend(id, epoch, leaseUntil).catch(() => false)
    }
  }

  /** Until something becomes due that was not offered to the last claim; what has no room waits for a wake or a probe. */
  async #sleep(): Promise<void> {
    if (this.#stopped) return
    const now = this.#options.clock()
    const due = await this.#options.queue.nextDue(now).catch(() => undefined)
    const next = Math.min(
      now + POLL_MS,
      due ?? Number.POSITIVE_INFINITY,
      this.#options.room.nextProbe(now) ?? Number.POSITIVE_INFINITY,
    )
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), Math.max(next - now, 10))
    this.#timer.unref()
  }
}
