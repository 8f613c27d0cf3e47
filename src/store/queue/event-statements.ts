/**
 * The statements that every event costs, in SQL and prepared once: Kysely takes several times longer to build one and to hand it over than
 * SQLite to execute it. They run within a transaction of the group commit only, which has the connection to itself.
 */
import type { FunctionKey } from '../../lambda/function.ts'
import type { ClaimedEvent } from '../event-queue-store.ts'
import type { SqliteConnection } from '../sqlite/sqlite-engine.ts'
import { NEVER_DUE } from './leases.ts'

export interface DueEvent {
  readonly id: number
  readonly function_key: string
}

interface ClaimedRow {
  readonly id: number
  readonly function_key: string
  readonly qualifier: string | null
  readonly request_id: string
  readonly enqueued_at: number
  readonly attempts: number
  readonly retries: number
  readonly postponements: number
  readonly epoch: number
}

export const DUE = 'select id, function_key from events where due_at <= ? order by due_at, id limit ?'

export const DUE_OF = `
  select id, function_key from events where function_key = ? and due_at <= ? order by due_at, id limit ?`

/** One jump along the index for each function. */
export const FUNCTIONS_DUE = `
  with recursive queued(function_key) as (
    select min(function_key) from events
    union all
    select (select min(e.function_key) from events e where e.function_key > queued.function_key)
    from queued where queued.function_key is not null
  ), due(function_key, due_at) as (
    select function_key, (select min(e.due_at) from events e where e.function_key = queued.function_key)
    from queued where function_key is not null
  )
  select function_key from due where due_at <= ? order by due_at`

const CLAIM = `
  update events set claimed = 1, owner = ?, due_at = ${NEVER_DUE}, attempts = attempts + 1, epoch = epoch + 1 where id = ?
  returning id, function_key, qualifier, request_id, enqueued_at, attempts, retries, postponements, epoch`

const PAYLOAD = 'select trace_header, payload from event_payloads where event_id = ?'

/** Two additions: of a retry, of a postponement. */
const RELEASE = `
  update events set claimed = 0, owner = null, due_at = ?, retries = retries + ?, postponements = postponements + ?
  where id = ? and epoch = ? and claimed = 1 returning function_key`

const OF_DEAD = `due_at = ${NEVER_DUE} and claimed = 1 and owner is distinct from ?`

const HELD_BY_DEAD = `select function_key, count(*) as claimed from events where ${OF_DEAD} group by function_key`

const VOID = `update events set claimed = 0, owner = null, due_at = ?, epoch = epoch + 1 where ${OF_DEAD}`

/** Accepted under a clock that was ahead of this one: what was never tried waits for nothing. */
const FROM_THE_FUTURE = `update events set due_at = ? where due_at > ? and due_at < ${NEVER_DUE} and attempts = 0`

const REMOVE = 'delete from events where id = ? and epoch = ? and claimed = 1 returning function_key'

export class EventStatements {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  /** The oldest due ones. */
  due(now: number, limit: number): DueEvent[] {
    return this.#all(DUE, [now, limit])
  }

  dueOf(functionKey: string, now: number, limit: number): DueEvent[] {
    return this.#all(DUE_OF, [functionKey, now, limit])
  }

  /** Functions with due events, that with the oldest one first. */
  functionsDue(now: number): string[] {
    return this.#all<{ function_key: string }>(FUNCTIONS_DUE, [now]).map((row) => row.function_key)
  }

  /** @throws Error when the event is not there */
  claim(id: number, owner: string): ClaimedEvent {
    const [row] = this.#all<ClaimedRow>(CLAIM, [owner, id])
    const [content] = this.#all<{ trace_header: string; payload: Uint8Array }>(PAYLOAD, [id])
    if (row === undefined || content === undefined) throw new Error(`event ${id} is not whole`)
    return {
      id,
      function: keyOf(row.function_key),
      qualifier: row.qualifier ?? undefined,
      requestId: row.request_id,
      traceHeader: content.trace_header,
      payload: bytesOf(content.payload),
      enqueuedAt: row.enqueued_at,
      attempts: row.attempts - 1,
      retries: row.retries,
      postponements: row.postponements,
      epoch: row.epoch,
    }
  }

  /** Returns the function's key; `undefined`: the claim was no longer this one. */
  release(id: number, epoch: number, availableAt: number, because?: 'retry' | 'postponement'): string | undefined {
    const additions = [because === 'retry' ? 1 : 0, because === 'postponement' ? 1 : 0]
    return this.#all<{ function_key: string }>(RELEASE, [availableAt, ...additions, id, epoch])[0]?.function_key
  }

  /** Makes the claims of all owners but this one void. Returns how many each function had. */
  recover(now: number, alive: string): { readonly function_key: string; readonly claimed: number }[] {
    const held = this.#all<{ function_key: string; claimed: number }>(HELD_BY_DEAD, [alive])
    if (held.length > 0) this.#run(VOID, [now, alive])
    this.#run(FROM_THE_FUTURE, [now, now])
    return held
  }

  /** Returns the function's key; `undefined`: the claim was no longer this one. */
  remove(id: number, epoch: number): string | undefined {
    return this.#all<{ function_key: string }>(REMOVE, [id, epoch])[0]?.function_key
  }

  // The connection remembers statements by their text.

  #all<Row>(text: string, parameters: readonly unknown[]): Row[] {
    return this.#connection.prepare(text).all(parameters) as Row[]
  }

  #run(text: string, parameters: readonly unknown[]) {
    return this.#connection.prepare(text).run(parameters)
  }
}

/** A plain view: better-sqlite3 answers with Buffers, whose methods differ from those of Uint8Array. */
export function bytesOf(blob: Uint8Array): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}

export function keyOf(text: string): FunctionKey {
  const [account = '', region = '', name = ''] = text.split('/')
  return { account, region, name }
}
