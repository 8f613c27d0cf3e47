/** The queue as operators see it: in the admin API, in `hearth queue`, in the metrics. */

import { type EventCounts, QUEUE_FULL_REMEDY } from '../../store/event-queue-store.ts'
import type { Store } from '../../store/store.ts'

/** Functions that are shown; those with the most events waiting first. */
const FUNCTIONS_MAX = 100

/** Why no event is accepted now, and what to do about it; `undefined` while events are accepted. */
export async function queueProblem({ queue }: Store): Promise<string | undefined> {
  const { usedBytes, maxBytes } = await queue.space()
  if (usedBytes < maxBytes) return undefined
  return `The queue of asynchronous events is full: Event invokes are refused. ${QUEUE_FULL_REMEDY}`
}

export interface QueueView extends EventCounts {
  /** enqueued − waiting − claimed − done − dead − discarded: anything but 0 is a defect of the host. */
  readonly drift: number
  /** Bytes that the database uses, and from which on events are refused (HEARTH_QUEUE_MAX_BYTES). */
  readonly usedBytes: number
  readonly maxBytes: number
  /** Seconds since the oldest event that is still there was accepted; `null`: there is none. */
  readonly oldestSeconds: number | null
  readonly functions: readonly FunctionQueueView[]
  readonly deliveries: {
    readonly decided: number
    readonly delivered: number
    readonly abandoned: number
    readonly waiting: number
    readonly targets: readonly { readonly target: string; readonly waiting: number; readonly oldestSeconds: number }[]
  }
}

export interface FunctionQueueView extends EventCounts {
  readonly account: string
  readonly region: string
  readonly function: string
  readonly drift: number
  readonly oldestSeconds: number | null
}

/** @param now Unix milliseconds */
export async function describeQueue({ queue, deliveries }: Store, now: number): Promise<QueueView> {
  const seconds = (at: number) => Math.max(0, (now - at) / 1000)
  const age = (at: number | undefined) => (at === undefined ? null : seconds(at))
  const [counts, oldestAt, functions, sent, space] = await Promise.all([
    queue.counts(),
    queue.oldestAt(),
    queue.functions(FUNCTIONS_MAX),
    deliveries.counts(),
    queue.space(),
  ])
  return {
    ...counts,
    ...space,
    drift: drift(counts),
    oldestSeconds: age(oldestAt),
    functions: functions.map(({ function: { account, region, name }, oldestAt: at, ...own }) => ({
      account,
      region,
      function: name,
      ...own,
      drift: drift(own),
      oldestSeconds: age(at),
    })),
    deliveries: {
      decided: sent.decided,
      delivered: sent.delivered,
      abandoned: sent.abandoned,
      waiting: sent.targets.reduce((sum, { waiting }) => sum + waiting, 0),
      targets: sent.targets.map(({ target, waiting, oldestAt: at }) => ({
        target,
        waiting,
        oldestSeconds: seconds(at),
      })),
    },
  }
}

function drift({ enqueued, waiting, claimed, done, dead, discarded }: EventCounts): number {
  return enqueued - waiting - claimed - done - dead - discarded
}
