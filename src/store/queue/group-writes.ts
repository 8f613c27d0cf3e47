/** What the writes of one transaction leave to its end, because it costs less when it is done together. */

import { functionId } from '../../lambda/function.ts'
import type { NewEvent } from '../event-queue-store.ts'
import type { SqliteConnection } from '../sqlite/sqlite-engine.ts'
import { CountChanges } from './event-counts.ts'
import { EventInserts } from './event-inserts.ts'

const ENQUEUED = { enqueued: 1, waiting: 1 }

export class GroupWrites {
  readonly counts = new CountChanges()
  readonly #connection: SqliteConnection
  readonly #together: boolean
  #inserts = new EventInserts()

  /** @param together `false`: each event is inserted at once, to find the one that cannot be */
  constructor(connection: SqliteConnection, together: boolean) {
    this.#connection = connection
    this.#together = together
  }

  insert(event: NewEvent): void {
    const functionKey = functionId(event.function)
    this.counts.add(functionKey, ENQUEUED)
    this.#inserts.add(functionKey, event)
    if (!this.#together) this.#insert()
  }

  /** To be called once, before the commit. */
  execute(): void {
    this.#insert()
    for (const [text, parameters] of this.counts.statements()) this.#connection.prepare(text).run(parameters)
  }

  #insert(): void {
    const inserts = this.#inserts
    this.#inserts = new EventInserts()
    inserts.execute(this.#connection)
  }
}
