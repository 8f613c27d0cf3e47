/** Opens the database of a data folder: exclusive, durable, migrated; every failure says what to do about it. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { Kysely, Migrator, SqliteAdapter, SqliteDialect } from 'kysely'
import { OperatorError } from '../lambda/operator-error.ts'
import { migrations } from './migrations/index.ts'
import { loadSqliteEngine, type SqliteConnection, type SqliteEngine } from './sqlite-engine.ts'
import type { Tables } from './tables.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

export interface SqliteOptions {
  /** Which library; by default the first that loads. */
  readonly engine?: SqliteEngine['name']
  /** Milliseconds to wait for the lock of a host that is just stopping. */
  readonly lockWaitMs?: number
}

export interface OpenDatabase {
  readonly db: Kysely<Tables>
  /** The one that `db` uses, for statements on the hot path. Only while `db` has given it to nobody else. */
  readonly connection: SqliteConnection
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

/** SQLite runs DDL in transactions, though Kysely's adapter does not say so: a crash within a migration leaves nothing behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}

/** @param path of the database file; its folder is made when missing. */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<OpenDatabase> {
  const engine = await loadSqliteEngine(options.engine)
  const owner = `${path}.owner`
  const connection = connect(engine, path, owner, options.lockWaitMs ?? 3000)
  const log = new WriteAheadLog(path, connection)
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: connection }) })
  try {
    writeFileSync(owner, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() }))
    await migrate(db, path)
  } catch (error) {
    await db.destroy()
    throw explain(error, path, owner)
  }
  return {
    db,
    connection,
    log,
    engine: engine.name,
    async close() {
      await db.destroy()
      await log.close()
      rmSync(owner, { force: true })
    },
  }
}

function connect(engine: SqliteEngine, path: string, owner: string, lockWaitMs: number): SqliteConnection {
  let connection: SqliteConnection | undefined
  try {
    mkdirSync(dirname(path), { recursive: true })
    connection = engine.open(path, lockWaitMs)
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
    throw explain(error, path, owner)
  }
}

function check(connection: SqliteConnection): void {
  const [row] = connection.prepare('PRAGMA quick_check(1)').all([]) as { quick_check: string }[]
  if (row && row.quick_check !== 'ok') throw new DatabaseDamaged(row.quick_check)
}

class DatabaseDamaged extends Error {}

async function migrate(db: Kysely<Tables>, path: string): Promise<void> {
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest()
  if (error === undefined) return
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    throw new OperatorError(
      `The database ${path} was made by a newer version of Hearth.`,
      'Start that version, or use another data folder.',
      { cause: error },
    )
  }
  throw error
}

/** Result codes of SQLite by the number that node:sqlite gives and the name that better-sqlite3 gives. */
const CODES: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
}

function explain(error: unknown, path: string, owner: string): unknown {
  if (!(error instanceof Error)) return error
  const { code, errcode } = error as { code?: string; errcode?: number }
  const name = errcode === undefined ? code : CODES[errcode & 0xff]
  const fail = (message: string, remedy: string) => new OperatorError(message, remedy, { cause: error })
  if (name?.startsWith('SQLITE_BUSY')) {
    return fail(
      `The data folder ${dirname(path)} is in use by another Hearth host${describeOwner(owner)}.`,
      'Stop it, or start this one with another data folder (--data, HEARTH_DATA).',
    )
  }
  if (error instanceof DatabaseDamaged || name === 'SQLITE_NOTADB' || name?.startsWith('SQLITE_CORRUPT')) {
    return fail(
      `The database ${path} is damaged (${error.message}).`,
      `Restore it from a backup, or move it and the files beside it (${path}-wal) away to start with an empty one.`,
    )
  }
  if (
    name?.startsWith('SQLITE_READONLY') ||
    name?.startsWith('SQLITE_CANTOPEN') ||
    ['EACCES', 'EROFS', 'EEXIST', 'ENOTDIR', 'EPERM'].includes(code ?? '')
  ) {
    return fail(
      `The database ${path} cannot be opened for writing.`,
      `Check the owner and the permissions of ${dirname(path)}.`,
    )
  }
  if (name?.startsWith('SQLITE_FULL') || code === 'ENOSPC') {
    return fail(`The disk that holds ${dirname(path)} is full.`, 'Free some space and start again.')
  }
  return error
}

function describeOwner(owner: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(owner, 'utf8')) as Record<string, unknown>
    return ` (process ${pid} on ${host}, since ${since})`
  } catch {
    return ''
  }
}
