/** New events of a transaction, several rows by one statement: the calls cost as much as what SQLite does for them. */

import type { NewEvent } from '../event-queue-store.ts'
import type { SqliteConnection } from '../sqlite/sqlite-engine.ts'

/** Rows of one statement; as many as there are go into the largest that they fill. */
const ROWS = [32, 16, 8, 4, 2, 1] as const

const repeated = (values: string, rows: number) => Array.from({ length: rows }, () => values).join(', ')

const STATEMENTS = ROWS.map((rows) => ({
  rows,
  events: `
    insert into events (function_key, qualifier, request_id, enqueued_at, due_at, claimed, attempts, epoch)
    values ${repeated('(?, ?, ?, ?, ?, 0, 0, 0)', rows)}`,
  payloads: `insert into event_payloads (event_id, trace_header, payload) values ${repeated('(?, ?, ?)', rows)}`,
}))

export class EventInserts {
  readonly #events: { readonly functionKey: string; readonly event: NewEvent }[] = []

  add(functionKey: string, event: NewEvent): void {
    this.#events.push({ functionKey, event })
  }

  execute(connection: SqliteConnection): void {
    for (let done = 0; done < this.#events.length; ) {
      const left = this.#events.length - done
      const statement = STATEMENTS.find(({ rows }) => rows <= left)!
      this.#insert(connection, statement, done)
      done += statement.rows
    }
  }

  #insert(connection: SqliteConnection, { rows, events, payloads }: (typeof STATEMENTS)[number], first: number): void {
    const ofEvents: unknown[] = []
    for (let i = first; i < first + rows; i++) {
      const { functionKey, event } = this.#events[i]!
      ofEvents.push(functionKey, event.qualifier ?? null, event.requestId, event.enqueuedAt, event.enqueuedAt)
    }
    const { lastInsertRowid } = connection.prepare(events).run(ofEvents)
    // Ids count up by one within a statement (AUTOINCREMENT, and nobody else writes).
    let id = Number(lastInsertRowid) - rows
    const ofPayloads: unknown[] = []
    for (let i = first; i < first + rows; i++) {
      const { event } = this.#events[i]!
      ofPayloads.push(++id, event.traceHeader, event.payload)
    }
    connection.prepare(payloads).run(ofPayloads)
  }
}
