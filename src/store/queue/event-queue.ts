/** The durable queue of asynchronous events. Each claim has an owner and an epoch; whoever lost it can change nothing any more. */
import { CompiledQuery, type Kysely, type Transaction } from 'kysely'
import { type FunctionKey, functionId } from '../../lambda/function.ts'
import type {
  Claim,
  ClaimLimits,
  EventEnding,
  EventQueueStore,
  FunctionQueue,
  NewEvent,
  QueueSpace,
} from '../event-queue-store.ts'
import type { OpenDatabase } from '../sqlite/sqlite.ts'
import type { Tables } from '../tables.ts'
import { DeliveryStatements } from './delivery-statements.ts'
import { findDue } from './event-claims.ts'
import { CountChanges, totalCounts } from './event-counts.ts'
import { EventStatements, keyOf } from './event-statements.ts'
import type { GroupCommit } from './group-commit.ts'
import { NEVER_DUE } from './leases.ts'
import { QueueRoom, type QueueRoomOptions } from './queue-room.ts'

const COUNTS = ['enqueued', 'waiting', 'claimed', 'done', 'dead', 'discarded'] as const

/** Events of one claim, whatever the caller asks for. */
const CLAIM_MAX = 1000

const CLAIMED = { waiting: -1, claimed: 1 }

const DONE: EventEnding = { as: 'done', deliveries: [], events: [] }

export class SqlEventQueue implements EventQueueStore {
  readonly #db: Kysely<Tables>
  readonly #promises: GroupCommit
  readonly #progress: GroupCommit
  readonly #statements: EventStatements
  readonly #deliveries: DeliveryStatements
  readonly #room: QueueRoom
  readonly #owner: string

  constructor(
    database: Pick<OpenDatabase, 'db' | 'connection' | 'instance'>,
    commits: { readonly promises: GroupCommit; readonly progress: GroupCommit },
    room: QueueRoomOptions = { maxBytes: Number.POSITIVE_INFINITY, full: () => {} },
  ) {
    this.#db = database.db
    this.#owner = database.instance
    this.#promises = commits.promises
    this.#progress = commits.progress
    this.#statements = new EventStatements(database.connection)
    this.#deliveries = new DeliveryStatements(database.connection)
    this.#room = new QueueRoom(database.db, room)
  }

  put(event: NewEvent): Promise<void> {
    const room = this.#room.check()
    return room === undefined ? this.#insert(event) : room.then(() => this.#insert(event))
  }

  #insert(event: NewEvent): Promise<void> {
    return this.#promises.run((group) => group.insert(event))
  }

  claim(now: number, limit: number, limits?: ClaimLimits): Promise<Claim> {
    const size = Math.min(limit, CLAIM_MAX)
    if (size <= 0) return Promise.resolve({ events: [], unnamed: [] })
    return this.#progress.run(({ counts }) => {
      const { found, unnamed } = findDue(this.#statements, now, size, limits)
      const events = found.map(({ id, function_key }) => {
        counts.add(function_key, CLAIMED)
        return this.#statements.claim(id, this.#owner)
      })
      return { events, unnamed }
    })
  }

  settle(id: number, epoch: number, ending: EventEnding = DONE): Promise<boolean> {
    return this.#progress.run((group) => {
      const functionKey = this.#statements.remove(id, epoch)
      if (functionKey === undefined) return false
      group.counts.add(functionKey, { claimed: -1, [ending.as]: 1 })
      for (const delivery of ending.deliveries) this.#deliveries.insert(delivery)
      for (const event of ending.events) group.insert(event)
      return true
    })
  }

  release(id: number, epoch: number, availableAt: number, because?: 'retry' | 'postponement'): Promise<boolean> {
    return this.#progress.run(({ counts }) => {
      const functionKey = this.#statements.release(id, epoch, availableAt, because)
      if (functionKey === undefined) return false
      counts.add(functionKey, { claimed: -1, waiting: 1 })
      return true
    })
  }

  recover(now: number): Promise<number> {
    return this.#progress.run(({ counts }) => {
      let voided = 0
      for (const { function_key, claimed } of this.#statements.recover(now, this.#owner)) {
        counts.add(function_key, { claimed: -claimed, waiting: claimed })
        voided += claimed
      }
      return voided
    })
  }

  discard(key: FunctionKey): Promise<number> {
    return discardInSteps(this.#db, key)
  }

  async nextDue(after?: number): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('events')
      .select('due_at')
      .where('due_at', '<', NEVER_DUE)
      .$if(after !== undefined, (query) => query.where('due_at', '>', after ?? 0))
      .orderBy('due_at')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }

  space(): Promise<QueueSpace> {
    return this.#room.space()
  }

  counts(): ReturnType<EventQueueStore['counts']> {
    return totalCounts(this.#db)
  }

  async oldestAt(): Promise<number | undefined> {
    const row = await this.#db.selectFrom('events').select('enqueued_at').orderBy('id').limit(1).executeTakeFirst()
    return row?.enqueued_at
  }

  async functions(limit: number): Promise<FunctionQueue[]> {
    const rows = await this.#db
      .selectFrom('event_function_counts as counts')
      .select([...COUNTS, 'function_key'])
      // The queue's own order, so that it is found by the index: a retry may be due later than a younger event.
      .select((eb) =>
        eb
          .selectFrom('events')
          .select('enqueued_at')
          .whereRef('events.function_key', '=', 'counts.function_key')
          .orderBy('events.due_at')
          .limit(1)
          .as('oldest'),
      )
      .orderBy('waiting', 'desc')
      .orderBy('function_key')
      .limit(limit)
      .execute()
    return rows.map(({ function_key, oldest, ...counts }) => ({
      function: keyOf(function_key),
      ...counts,
      oldestAt: oldest ?? undefined,
    }))
  }
}

/** Events removed by one transaction: about 30 ms, in which nothing else of the host runs. */
const DISCARD_STEP = 5000

/** Discards a function's events step by step, because a backlog of a million takes seconds and the host must go on meanwhile. */
export async function discardInSteps(db: Kysely<Tables>, key: FunctionKey): Promise<number> {
  for (let discarded = 0; ; ) {
    const step = await db.transaction().execute((trx) => discardEvents(trx, key))
    discarded += step
    if (step < DISCARD_STEP) return discarded
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Removes up to DISCARD_STEP events of a function and counts them. Returns their number. */
export async function discardEvents(db: Transaction<Tables>, key: FunctionKey): Promise<number> {
  const gone = await db
    .selectFrom('events')
    .select(['id', 'claimed'])
    .where('function_key', '=', functionId(key))
    .limit(DISCARD_STEP)
    .execute()
  if (gone.length === 0) return 0
  const ids = gone.map(({ id }) => id)
  await db.deleteFrom('events').where('id', 'in', ids).execute()
  const claimed = gone.filter((event) => event.claimed === 1).length
  const counts = new CountChanges()
  counts.add(functionId(key), { waiting: claimed - gone.length, claimed: -claimed, discarded: gone.length })
  for (const [text, parameters] of counts.statements()) {
    await db.executeQuery(CompiledQuery.raw(text, [...parameters]))
  }
  return gone.length
}
