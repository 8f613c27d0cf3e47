/**
 * Runs the events of the durable queue. Each is claimed for this host under an epoch, as many as can run now and no more; attempted; and
 * settled together with what follows from it. What is decided stands in `lambda/events/event-invoke.ts`.
 */
import { randomUUID } from 'node:crypto'
import { decide, type EventCondition, type EventDecision, type RetryTiming } from '../../lambda/events/event-invoke.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import type { ClaimedEvent, EventEnding, EventQueueStore } from '../../store/event-queue-store.ts'
import { storeOutcome, UNSTORED } from './durable-outcome.ts'
import { type Attempt, type AttemptNeeds, attempt, isThrottle } from './event-attempt.ts'
import { endingOf } from './event-ending.ts'
import type { EventRoom } from './event-room.ts'
import { WorkLoop } from './work-loop.ts'

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
  /** Aborted when the time for what runs is over: the host ends it. */
  #stop = new AbortController()

  constructor(options: EventWorkerOptions) {
    this.#options = options
    this.#loop = new WorkLoop({
      claim: () => this.#claim(),
      nextDue: (now) => this.#nextDue(now),
      failed: (error) =>
        options.log('the event queue could not be read; the host tries again', { error: String(error) }),
      clock: options.clock,
    })
  }

  /** What an earlier run of this host had claimed runs again. */
  async start(): Promise<void> {
    this.#stop = new AbortController()
    const recovered = await this.#options.queue.recover(this.#options.clock())
    if (recovered > 0) this.#options.log('the host runs events again whose run was interrupted', { events: recovered })
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
    this.#stop.abort()
  }

  async #claim(): Promise<boolean> {
    const { queue, clock, room, resolver } = this.#options
    if (room.free <= 0) return false
    const now = clock()
    const size = Math.min(room.free, CLAIM_SIZE)
    const { events, unnamed } = await queue.claim(now, size, room.limits(now))
    if (this.#loop.stopped) {
      // The stop came meanwhile: the next start begins them.
      await Promise.all(events.map(({ id, epoch }) => queue.release(id, epoch, now, 'postponement')))
      return false
    }
    for (const event of events) {
      room.claimed(event.function, now)
      this.#loop.follow(this.#execute(event))
    }
    for (const key of unnamed) await resolver.loadLimits(key)
    return events.length === size || unnamed.length > 0
  }

  /** What has no room waits for a wake or a probe. */
  async #nextDue(now: number): Promise<number | undefined> {
    const due = await this.#options.queue.nextDue(now)
    const probe = this.#options.room.nextProbe(now)
    return due === undefined || probe === undefined ? (due ?? probe) : Math.min(due, probe)
  }

  async #execute(event: ClaimedEvent): Promise<void> {
    const { queue, room, clock, log, timing } = this.#options
    const { id, epoch } = event
    let admitted = false
    const about = { function: event.function.name, requestId: event.requestId }
    const giveBack = () => queue.release(id, epoch, clock())
    const store = async () => {
      const result = await attempt(event, this.#options, () => {
        admitted = true
        room.admitted(event.function)
      })
      if (isThrottle(result.error)) room.block(event.function, clock() + timing.backoffBaseMs)
      // What the host cut off is no failure of the function.
      const cutOff = this.#stop.signal.aborted && result.outcome !== 'success'
      return cutOff ? giveBack : this.#outcome(event, result, about)
    }
    await storeOutcome({
      store: await store().catch((error: unknown) => {
        log('an event could not run; the host tries again', { ...about, error: String(error) })
        return () => queue.release(id, epoch, clock() + timing.backoffBaseMs, 'postponement')
      }),
      giveBack,
      failed: (error) => log(`the result of an event ${UNSTORED}`, { ...about, error: String(error) }),
      backoffBaseMs: timing.backoffBaseMs,
      stop: this.#stop.signal,
    })
    room.ended(event.function, admitted)
  }

  /** Decides what became of an event. Returns what stores it. */
  #outcome(event: ClaimedEvent, result: Attempt, about: Record<string, unknown>): () => Promise<unknown> {
    const { queue, timing, clock, log } = this.#options
    const { outcome } = result
    const { id, epoch } = event
    if (outcome === 'no-function') {
      log('an event was discarded: its function no longer exists', about)
      return () => queue.settle(id, epoch, { as: 'discarded', deliveries: [], events: [] })
    }
    const now = clock()
    const decision: EventDecision =
      outcome === 'too-old'
        ? { kind: 'end', condition: 'EventAgeExceeded' }
        : decide(event, outcome, result.target?.eventInvoke ?? {}, timing, now)
    if (decision.kind === 'again') {
      if (outcome === 'postponed' && !isThrottle(result.error)) {
        log('an event could not run; the host tries again', {
          ...about,
          delayMs: decision.at - now,
          error: String(result.error),
        })
      }
      return () => queue.release(id, epoch, decision.at, decision.spends ? 'retry' : 'postponement')
    }
    const ending = this.#ending(event, result, decision.condition, now)
    return async () => {
      await queue.settle(id, epoch, ending)
      if (ending.deliveries.length > 0) this.#options.wakeDeliveries()
    }
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
}
