/**
 * Runs the events of the durable queue. Each is claimed under a lease and an epoch, as many as can run now and no more; attempted; and
 * settled together with what follows from it. What is decided stands in `lambda/event-invoke.ts`.
 */
import { randomUUID } from 'node:crypto'
import { decide, type EventCondition, type EventDecision, type RetryTiming } from '../lambda/event-invoke.ts'
import type { FunctionKey } from '../lambda/function.ts'
import type { ClaimedEvent, EventEnding, EventQueueStore } from '../store/event-queue-store.ts'
import { type Attempt, type AttemptNeeds, attempt, isThrottle } from './event-attempt.ts'
import { endingOf } from './event-ending.ts'
import type { EventRoom } from './event-room.ts'
import { WorkLoop } from './work-loop.ts'

/** Milliseconds of a lease; renewed while the event runs. */
const LEASE_MS = 60_000
const RENEW_MS = 20_000
/** Events of one claim: its transaction must stay short. */
const CLAIM_SIZE = 64

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
  readonly #loop: WorkLoop
  /** Epochs by id. Not the events: tables that a map has outgrown may keep what they held for a while. */
  readonly #inFlight = new Map<number, number>()
  #renewal: NodeJS.Timeout | undefined
  /** The time for what runs is over: the host ends it. */
  #stopped = false

  constructor(options: EventWorkerOptions) {
    this.#options = options
    this.#loop = new WorkLoop({
      claim: () => this.#claim(),
      nextDue: (now) => this.#nextDue(now),
      failed: (error) => options.log('the event queue could not be read; it is tried again', { error: String(error) }),
      clock: options.clock,
    })
  }

  /** Leases of an earlier run of this host are void: their events run again. */
  async start(): Promise<void> {
    this.#stopped = false
    const voided = await this.#options.queue.voidLeases(this.#options.clock())
    if (voided > 0) this.#options.log('events of an interrupted run are executed again', { events: voided })
    this.#renewal = setInterval(() => void this.#renew(), RENEW_MS)
    this.#renewal.unref()
    this.#loop.start()
  }

  /**
   * There may be something to do. Cheap; callable at any time.
   * @param key of the only function for which there is: when nothing of it can run now, the end of what runs wakes the worker.
   */
  wake(key?: FunctionKey): void {
    if (key === undefined || !this.#options.room.isFull(key)) this.#loop.wake()
  }

  /** Claims no more; resolves when what runs has ended, or after `drainMs`: what is left then is executed again by the next start. */
  async stop(drainMs: number): Promise<void> {
    await this.#loop.stop(drainMs)
    this.#stopped = true
    clearInterval(this.#renewal)
  }

  async #claim(): Promise<boolean> {
    const { queue, clock, room, resolver } = this.#options
    if (room.free <= 0) return false
    const now = clock()
    const size = Math.min(room.free, CLAIM_SIZE)
    const events = await queue.claim(now, now + LEASE_MS, size, (key) => room.of(key, now))
    for (const event of events) {
      this.#inFlight.set(event.id, event.epoch)
      room.claimed(event.function)
      this.#loop.follow(this.#execute(event))
    }
    const unknown = room.takeUnknown()
    for (const key of unknown) await resolver.loadLimits(key)
    return events.length === size || unknown.length > 0
  }

  /** What has no room waits for a wake or a probe. */
  async #nextDue(now: number): Promise<number | undefined> {
    const due = await this.#options.queue.nextDue(now)
    const probe = this.#options.room.nextProbe(now)
    return due === undefined || probe === undefined ? (due ?? probe) : Math.min(due, probe)
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
      // Cut off by the host, which is no failure of the function.
      if (this.#stopped && result.outcome !== 'success') return
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
    const renewals = [...this.#inFlight].map(([id, epoch]) => this.#options.queue.extend(id, epoch, leaseUntil))
    await Promise.allSettled(renewals)
  }
}
