/** The durable queue of asynchronous events. Each claim has a lease and an epoch; whoever lost either can change nothing any more. */
import { type CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import type { FunctionKey } from '../lambda/function.ts'
import { addCounts, GroupCommit } from './group-commit.ts'
import { QueueRoom } from './queue-room.ts'
import type { ClaimedEvent, EventQueueStore, NewEvent } from './store.ts'
import type { Tables } from './tables.ts'

/** Events of one claim, whatever the caller asks for. */
const CLAIM_MAX = 1000

/** Due events that a claim looks through before it jumps from function to function. */
const CLAIM_WINDOW = 200

export class SqlEventQueue implements EventQueueStore {
  readonly #db: Kysely<Tables>
  readonly #commits: GroupCommit
  readonly #insertEvent: CompiledQuery<{ id: number }>
  readonly #insertPayload: CompiledQuery
  readonly #room: QueueRoom

  /** @param maxBytes of the database, from which on no further event is accepted */
  constructor(db: Kysely<Tables>, maxBytes = Number.POSITIVE_INFINITY) {
    this.#db = db
    this.#commits = new GroupCommit(db)
    this.#room = new QueueRoom(db, maxBytes)
    // Compiled once: building the statement costs more than running it.
    this.#insertEvent = db
      .insertInto('events')
      .values({
        function_key: '',
        qualifier: '',
        request_id: '',
        enqueued_at: 0,
        due_at: 0,
        claimed: 0,
        attempts: 0,
        epoch: 0,
      })
      .returning('id')
      .compile()
    this.#insertPayload = db
      .insertInto('event_payloads')
      .values({ event_id: 0, trace_header: '', payload: new Uint8Array() })
      .compile()
  }

  put(event: NewEvent): Promise<void> {
    const room = this.#room.check()
    return room === undefined ? this.#insert(event) : room.then(() => this.#insert(event))
  }

  #insert(event: NewEvent): Promise<void> {
    const { qualifier, requestId, enqueuedAt, traceHeader, payload } = event
    const row = [keyText(event.function), qualifier ?? null, requestId, enqueuedAt, enqueuedAt, 0, 0, 0]
    return this.#commits.run(async (db, counts) => {
      const { rows } = await db.executeQuery<{ id: number }>({ ...this.#insertEvent, parameters: row })
      await db.executeQuery({ ...this.#insertPayload, parameters: [rows[0]?.id, traceHeader, payload] })
      counts.enqueued += 1
      counts.waiting += 1
    })
  }

  claim(now: number, leaseUntil: number, limit: number, except: readonly FunctionKey[] = []): Promise<ClaimedEvent[]> {
    const size = Math.min(limit, CLAIM_MAX)
    if (size <= 0) return Promise.resolve([])
    return this.#commits.run(async (db, counts) => {
      const due = await findDue(db, now, size, new Set(except.map(keyText)))
      if (due.length === 0) return []
      const ids = due.map(({ id }) => id)
      await db
        .updateTable('events')
        .set((eb) => ({ claimed: 1, due_at: leaseUntil, attempts: eb('attempts', '+', 1), epoch: eb('epoch', '+', 1) }))
        .where('id', 'in', ids)
        .execute()
      const fresh = due.filter(({ claimed }) => claimed === 0).length
      counts.waiting -= fresh
      counts.claimed += fresh
      return readClaimed(db, ids)
    })
  }

  extend(id: number, epoch: number, leaseUntil: number): Promise<boolean> {
    return this.#commits.run(async (db) => {
      const { numUpdatedRows } = await db
        .updateTable('events')
        .set({ due_at: leaseUntil })
        .where('id', '=', id)
        .where('epoch', '=', epoch)
        .where('claimed', '=', 1)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  settle(id: number, epoch: number): Promise<boolean> {
    return this.#commits.run(async (db, counts) => {
      const { numDeletedRows } = await db
        .deleteFrom('events')
        .where('id', '=', id)
        .where('epoch', '=', epoch)
        .where('claimed', '=', 1)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) return false
      counts.claimed -= 1
      counts.done += 1
      return true
    })
  }

  release(id: number, epoch: number, availableAt: number): Promise<boolean> {
    return this.#commits.run(async (db, counts) => {
      const { numUpdatedRows } = await db
        .updateTable('events')
        .set({ claimed: 0, due_at: availableAt })
        .where('id', '=', id)
        .where('epoch', '=', epoch)
        .where('claimed', '=', 1)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) return false
      counts.claimed -= 1
      counts.waiting += 1
      return true
    })
  }

  voidLeases(now: number): Promise<number> {
    return this.#commits.run(async (db, counts) => {
      const { claimed } = await db.selectFrom('event_counts').select('claimed').executeTakeFirstOrThrow()
      if (claimed === 0) return 0
      const { numUpdatedRows } = await db
        .updateTable('events')
        .set((eb) => ({ claimed: 0, due_at: now, epoch: eb('epoch', '+', 1) }))
        .where('claimed', '=', 1)
        .executeTakeFirst()
      const voided = Number(numUpdatedRows)
      counts.claimed -= voided
      counts.waiting += voided
      return voided
    })
  }

  discard(key: FunctionKey): Promise<number> {
    return discardInSteps(this.#db, key)
  }

  async nextDue(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('events')
      .select('due_at')
      .orderBy('due_at')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return row?.due_at
  }

  counts(): ReturnType<EventQueueStore['counts']> {
    return this.#db
      .selectFrom('event_counts')
      .select(['enqueued', 'waiting', 'claimed', 'done', 'discarded'])
      .executeTakeFirstOrThrow()
  }

  /** Waits until everything asked for is on disk. */
  idle(): Promise<void> {
    return this.#commits.idle()
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
    .where('function_key', '=', keyText(key))
    .limit(DISCARD_STEP)
    .execute()
  if (gone.length === 0) return 0
  const ids = gone.map(({ id }) => id)
  await db.deleteFrom('events').where('id', 'in', ids).execute()
  const claimed = gone.filter((event) => event.claimed === 1).length
  await addCounts(db, { waiting: claimed - gone.length, claimed: -claimed, discarded: gone.length })
  return gone.length
}

interface DueEvent {
  readonly id: number
  readonly claimed: number
}

/**
 * The oldest due events of the functions that are not in `except`. One throttled function may own a million of the oldest events, so
 * after a short look along the queue the search goes function by function, each by its own index.
 */
async function findDue(
  db: Transaction<Tables>,
  now: number,
  limit: number,
  except: ReadonlySet<string>,
): Promise<DueEvent[]> {
  const window = limit + (except.size > 0 ? CLAIM_WINDOW : 0)
  const oldest = await db
    .selectFrom('events')
    .select(['id', 'claimed', 'function_key'])
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('id')
    .limit(window)
    .execute()
  const allowed = oldest.filter((event) => !except.has(event.function_key)).slice(0, limit)
  if (allowed.length === limit || oldest.length < window) return allowed
  return findDueByFunction(db, now, limit, except)
}

async function findDueByFunction(
  db: Transaction<Tables>,
  now: number,
  limit: number,
  except: ReadonlySet<string>,
): Promise<DueEvent[]> {
  const { rows } = await sql<DueEvent>`
    with recursive queued(function_key) as (
      select min(function_key) from events
      union all
      select (select min(e.function_key) from events e where e.function_key > queued.function_key)
      from queued where queued.function_key is not null
    )
    select e.id, e.claimed
    from queued join events e on e.id in (
      select head.id from events head
      where head.function_key = queued.function_key and head.due_at <= ${now}
      order by head.due_at, head.id limit ${limit}
    )
    where queued.function_key is not null and queued.function_key not in (${sql.join([...except])})
    order by e.due_at, e.id limit ${limit}`.execute(db)
  return rows
}

async function readClaimed(db: Transaction<Tables>, ids: readonly number[]): Promise<ClaimedEvent[]> {
  const rows = await db
    .selectFrom('events')
    .innerJoin('event_payloads', 'event_payloads.event_id', 'events.id')
    .selectAll()
    .where('events.id', 'in', ids)
    .execute()
  const events = new Map(
    rows.map((row) => [
      row.event_id,
      {
        id: row.event_id,
        function: keyOf(row.function_key),
        qualifier: row.qualifier ?? undefined,
        requestId: row.request_id,
        traceHeader: row.trace_header,
        payload: bytesOf(row.payload),
        enqueuedAt: row.enqueued_at,
        attempts: row.attempts - 1,
        epoch: row.epoch,
      } satisfies ClaimedEvent,
    ]),
  )
  return ids.flatMap((id) => events.get(id) ?? [])
}

/** A plain view: better-sqlite3 answers with Buffers, whose methods differ from those of Uint8Array. */
function bytesOf(blob: Uint8Array): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}

function keyText(key: FunctionKey): string {
  return `${key.account}/${key.region}/${key.name}`
}

function keyOf(text: string): FunctionKey {
  const [account = '', region = '', name = ''] = text.split('/')
  return { account, region, name }
}
