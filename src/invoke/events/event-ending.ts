/** What follows from the end of an event: records for destinations, the dead letter, events for functions of this host. Pure. */
import { functionArn } from '../../lambda/arn.ts'
import { destinationFunction, parseDestination } from '../../lambda/events/destination.ts'
import { deadLetterAttributes, type EndedEvent, invocationRecord } from '../../lambda/events/event-record.ts'
import { messageTrace, withRound } from '../../lambda/events/lineage.ts'
import type { NewDelivery } from '../../store/delivery-store.ts'
import type { ClaimedEvent, EventEnding, NewEvent } from '../../store/event-queue-store.ts'
import type { InvokeTarget } from '../../store/invoke-targets.ts'

export interface EndingInput {
  readonly event: ClaimedEvent
  readonly ended: EndedEvent
  readonly target: InvokeTarget
  /** DeadLetterConfig of the version that ran or would have run. */
  readonly deadLetterTarget: string | undefined
  /** Unix milliseconds. */
  readonly now: number
  readonly newRequestId: () => string
}

export function endingOf(input: EndingInput): EventEnding {
  const { event, ended, target, deadLetterTarget, now } = input
  const succeeded = ended.condition === 'Success'
  const deliveries: NewDelivery[] = []
  const events: NewEvent[] = []
  // One chain: a loop through destinations and dead letters counts rounds like any other.
  const traceHeader = ended.response === undefined ? event.traceHeader : withRound(event.traceHeader, event.function)
  const trace = messageTrace(traceHeader)
  const about = {
    requestId: event.requestId,
    functionArn: functionArn(event.function, event.qualifier ?? '$LATEST'),
    ...(trace === undefined ? {} : { traceHeader: trace }),
  }
  const destination = parseDestination(
    (succeeded ? target.eventInvoke?.onSuccess : target.eventInvoke?.onFailure) ?? '',
  )
  if (destination !== undefined) {
    const body = invocationRecord(ended, now, destination.kind)
    if (destination.kind === 'lambda') {
      const { key, qualifier } = destinationFunction(destination)
      events.push({
        function: key,
        qualifier,
        requestId: input.newRequestId(),
        traceHeader,
        payload: body,
        enqueuedAt: now,
      })
    } else {
      const kind = succeeded ? ('success' as const) : ('failure' as const)
      const detail = { ...about, kind }
      deliveries.push({ function: event.function, target: destination.arn, detail, body, createdAt: now })
    }
  }
  if (!succeeded && deadLetterTarget !== undefined) {
    const detail = { ...about, kind: 'dead-letter' as const, attributes: { ...deadLetterAttributes(ended) } }
    deliveries.push({ function: event.function, target: deadLetterTarget, detail, body: event.payload, createdAt: now })
  }
  return { as: succeeded ? 'done' : 'dead', deliveries, events }
}
