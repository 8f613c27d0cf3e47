/**
 * A store every transaction of which is done twice, the first time for nothing: as by a database with concurrent writers, which rolls back
 * what it cannot serialize and has it repeated. What a transaction does outside of the database shows as a wrong count or a change too many.
 */
import type { Kysely, Transaction, TransactionBuilder } from 'kysely'
import { composeStore } from '../../../src/store/open.ts'
import { GroupCommit, type QueueWrite } from '../../../src/store/queue/group-commit.ts'
import { GroupWrites } from '../../../src/store/queue/group-writes.ts'
import { type OpenDatabase, openSqlite, type SqliteOptions } from '../../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../../src/store/store.ts'
import type { Tables } from '../../../src/store/tables.ts'

/** How many transactions were done for nothing. */
export interface Repeats {
  transactions: number
  queueWrites: number
}

export async function openRepeatedStore(path: string, options: SqliteOptions, repeats: Repeats): Promise<Store> {
  const database = await openSqlite(path, options)
  const repeated = { ...database, db: repeating(database.db, repeats) }
  const commits = {
    promises: new RepeatingCommit(database, 'promise', repeats),
    progress: new RepeatingCommit(database, 'progress', repeats),
  }
  return composeStore(repeated, commits, {})
}

class UndoneError extends Error {}

type Body<T> = (db: Transaction<Tables>) => Promise<T>

function repeating(db: Kysely<Tables>, repeats: Repeats): Kysely<Tables> {
  const execute = async <T>(body: Body<T>): Promise<T> => {
    await db
      .transaction()
      .execute(async (trx) => {
        await body(trx)
        repeats.transactions++
        throw new UndoneError()
      })
      .catch(() => {
        // Undone, or refused: then the second time decides.
      })
    return db.transaction().execute(body)
  }
  return new Proxy(db, {
    get(target, name) {
      if (name === 'transaction') return () => ({ execute }) as TransactionBuilder<Tables>
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

class RepeatingCommit extends GroupCommit {
  readonly #connection: OpenDatabase['connection']
  readonly #repeats: Repeats

  constructor(database: OpenDatabase, kind: 'promise' | 'progress', repeats: Repeats) {
    super(database, kind)
    this.#connection = database.connection
    this.#repeats = repeats
  }

  override run<T>(write: QueueWrite<T>): Promise<T> {
    const execute = (text: string) => this.#connection.prepare(text).run([])
    return super.run((group) => {
      execute('savepoint first_time')
      const undone = new GroupWrites(this.#connection, true)
      write(undone)
      undone.execute()
      execute('rollback to first_time')
      execute('release first_time')
      this.#repeats.queueWrites++
      return write(group)
    })
  }
}
