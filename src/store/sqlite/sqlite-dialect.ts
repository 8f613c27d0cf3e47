/** Kysely's SQLite dialect, with what it leaves out about transactions. */
import {
  type DatabaseConnection,
  type Driver,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely'
import type { ConnectionLock } from './connection-lock.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'

/** SQLite runs DDL in transactions, though Kysely's adapter does not say so: a crash within a migration leaves nothing behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class TransactionalSqliteDriver extends SqliteDriver {
  readonly #lock: ConnectionLock
  readonly #log: Pick<WriteAheadLog, 'flushByCommit'>

  constructor(config: SqliteDialectConfig, lock: ConnectionLock, log: Pick<WriteAheadLog, 'flushByCommit'>) {
    super(config)
    this.#lock = lock
    this.#log = log
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#lock.acquire()
    try {
      this.#log.flushByCommit()
      return await super.acquireConnection()
    } catch (error) {
      this.#lock.release()
      throw error
    }
  }

  override async releaseConnection(): Promise<void> {
    await super.releaseConnection()
    this.#lock.release()
  }

  /** When the disk fails (full, broken), SQLite ends the transaction itself; that there is none any more must not hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection)
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw error
    }
  }
}

export class TransactionalSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig
  readonly #lock: ConnectionLock
  readonly #log: Pick<WriteAheadLog, 'flushByCommit'>

  /**
   * @param lock shared with those who use the connection without Kysely
   * @param log which may have taken the flush out of COMMIT; Kysely's transactions have it within
   */
  constructor(config: SqliteDialectConfig, lock: ConnectionLock, log: Pick<WriteAheadLog, 'flushByCommit'>) {
    super(config)
    this.#config = config
    this.#lock = lock
    this.#log = log
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }

  override createDriver(): Driver {
    return new TransactionalSqliteDriver(this.#config, this.#lock, this.#log)
  }
}
