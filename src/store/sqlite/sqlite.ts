/** Opens the database of a data folder: exclusive, durable, migrated; every failure says what to do about it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { Kysely, Migrator } from 'kysely'
import { makeFolder } from '../../disk/make-folder.ts'
import { OperatorError } from '../../telemetry/operator-error.ts'
import { migrations } from '../migrations/index.ts'
import type { Tables } from '../tables.ts'
import { ConnectionLock } from './connection-lock.ts'
import { TransactionalSqliteDialect } from './sqlite-dialect.ts'
import { loadSqliteEngine, type SqliteConnection, type SqliteEngine } from './sqlite-engine.ts'
import { DatabaseDamaged, explainSqlite, ownerFile } from './sqlite-failure.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

export interface SqliteOptions {
  /** Which library; by default the first that loads. */
  readonly engine?: SqliteEngine['name']
  /** Milliseconds to wait for the lock of a host that is just stopping. */
  readonly lockWaitMs?: number
  /** Told once that a flush has failed: nothing more is promised until the next start. */
  readonly failed?: (failure: Error) => void
}

export interface OpenDatabase {
  /** Names who has the database open, from this opening to the next: what others have claimed is of the dead. */
  readonly instance: string
  readonly db: Kysely<Tables>
  /** The one that `db` uses, for statements on the hot path; only within a transaction of `db`, or with `lock`. */
  readonly connection: SqliteConnection
  readonly lock: ConnectionLock
  readonly log: WriteAheadLog
  readonly engine: SqliteEngine['name']
  close(): Promise<void>
}

/** Below this size the whole file is checked at every start (about 0.2 s); a larger one is checked page by page as it is used. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024

/**
 * Pages of the write-ahead log, 4 KB each, after which it is copied into the database. That stops the event loop for some milliseconds, so
 * it must meet fewer than one of a hundred enqueues. A start after a crash reads this much, in less than 0.1 s.
 */
const CHECKPOINT_PAGES = 4000

/** @param path of the database file; its folder is made when missing. */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<OpenDatabase> {
  const engine = await loadSqliteEngine(options.engine)
  const owner = ownerFile(path)
  const instance = randomBytes(6).toString('base64url')
  const connection = connect(engine, path, options.lockWaitMs ?? 3000)
  const log = new WriteAheadLog(path, connection, options.failed)
  const lock = new ConnectionLock()
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: connection }, lock, log) })
  try {
    writeFileSync(
      owner,
      JSON.stringify({ instance, pid: process.pid, host: hostname(), since: new Date().toISOString() }),
      { mode: 0o600 },
    )
    await migrate(db, path)
  } catch (error) {
    await db.destroy()
    throw explainSqlite(error, path)
  }
  return {
    instance,
    db,
    connection,
    lock,
    log,
    engine: engine.name,
    async close() {
      await db.destroy()
      await log.close()
      rmSync(owner, { force: true })
    },
  }
}

function connect(engine: SqliteEngine, path: string, lockWaitMs: number): SqliteConnection {
  let connection: SqliteConnection | undefined
  try {
    // What lies in it is nobody else's.
    makeFolder(dirname(path), 0o700)
    connection = engine.open(path, lockWaitMs)
    // Before the log is made, which takes its mode from the database.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    // The operating system holds this lock for the process and takes it back when the process dies, however it dies.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE')
    connection.exec('PRAGMA journal_mode = WAL')
    connection.exec('PRAGMA synchronous = FULL')
    connection.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    connection.exec('PRAGMA foreign_keys = ON')
    connection.exec('BEGIN IMMEDIATE; COMMIT')
    if (statSync(path).size <= CHECKED_BYTES_MAX) check(connection)
    return connection
  } catch (error) {
    connection?.close()
    throw explainSqlite(error, path)
  }
}

function check(connection: SqliteConnection): void {
  const [row] = connection.prepare('PRAGMA quick_check(1)').all([]) as { quick_check: string }[]
  if (row && row.quick_check !== 'ok') throw new DatabaseDamaged(row.quick_check)
}

async function migrate(db: Kysely<Tables>, path: string): Promise<void> {
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest()
  if (error === undefined) return
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    throw new OperatorError(
      `The database ${path} was written by a newer version of Hearth.`,
      'Start that version, or choose another data folder.',
      { cause: error },
    )
  }
  throw error
}
