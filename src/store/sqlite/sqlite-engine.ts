/**
 * The SQLite library: better-sqlite3 where it is installed, Node's own `node:sqlite` where not. Both become the one small interface
 * that Kysely's SQLite driver wants, with statements compiled once.
 */
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import { OperatorError } from '../../telemetry/operator-error.ts'
import { DatabaseTrouble, explainSqlite } from './sqlite-failure.ts'

export interface SqliteEngine {
  readonly name: 'better-sqlite3' | 'node:sqlite'
  open(path: string, busyTimeoutMs: number): SqliteConnection
}

export interface SqliteConnection extends SqliteDatabase {
  readonly trouble: DatabaseTrouble
  exec(sql: string): void
}

/** A host runs about forty different statements; the bound only guards against statements made of values. */
const STATEMENTS_MAX = 200

/** Node's SQLite from this version on needs no flag. */
const NODE_SQLITE_SINCE = 'Node.js 22.13'

/** @throws OperatorError when there is neither library. */
export async function loadSqliteEngine(prefer?: SqliteEngine['name']): Promise<SqliteEngine> {
  const failures: string[] = []
  for (const load of prefer === 'node:sqlite' ? [nodeSqlite] : prefer ? [betterSqlite] : [betterSqlite, nodeSqlite]) {
    try {
      return await load()
    } catch (error) {
      failures.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
    }
  }
  throw new OperatorError(
    `No SQLite library could be loaded: ${failures.join('; ')}`,
    `Run \`npm install better-sqlite3\` (it needs a prebuilt binary or a C++ compiler), or use ${NODE_SQLITE_SINCE} or newer, which has SQLite built in.`,
  )
}

async function betterSqlite(): Promise<SqliteEngine> {
  const { default: Database } = await import('better-sqlite3')
  // The binding is loaded by the first database, not by the import.
  new Database(':memory:').close()
  return {
    name: 'better-sqlite3',
    open(path, busyTimeoutMs) {
      const db = new Database(path, { timeout: busyTimeoutMs })
      const trouble = new DatabaseTrouble()
      const prepare = remember((sql) => explained(db.prepare(sql) as unknown as SqliteStatement, path, trouble))
      return {
        prepare,
        trouble,
        exec: (sql) => void db.exec(sql),
        close: () => void db.close(),
      }
    },
  }
}

/** The part of `node:sqlite` that is used here; the types of Node 20 do not have the module. */
interface NodeStatement {
  all(...parameters: readonly unknown[]): unknown[]
  run(...parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>
  columns?(): readonly unknown[]
}

interface NodeSqlite {
  readonly DatabaseSync: new (
    path: string,
  ) => { prepare(sql: string): NodeStatement; exec(sql: string): void; close(): void }
}

async function nodeSqlite(): Promise<SqliteEngine> {
  const module: string = 'node:sqlite'
  const { DatabaseSync } = (await import(module)) as NodeSqlite
  return {
    name: 'node:sqlite',
    open(path, busyTimeoutMs) {
      const db = new DatabaseSync(path)
      db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
      const trouble = new DatabaseTrouble()
      const prepare = remember((sql) => explained(adapt(db.prepare(sql), sql), path, trouble))
      return {
        prepare,
        trouble,
        exec: (sql) => db.exec(sql),
        close: () => db.close(),
      }
    },
  }
}

function adapt(statement: NodeStatement, sql: string): SqliteStatement {
  const returnsRows = statement.columns
    ? statement.columns().length > 0
    : /^\s*(select|with|pragma|values)\b|\breturning\b/i.test(sql)
  return {
    reader: returnsRows,
    all: (parameters) => statement.all(...parameters),
    run: (parameters) => statement.run(...parameters),
    iterate: (parameters) => statement.iterate(...parameters),
  }
}

/** The statement, whose failures say what the operator can do. */
function explained(statement: SqliteStatement, path: string, trouble: DatabaseTrouble): SqliteStatement {
  const failure = (error: unknown) => {
    const explanation = explainSqlite(error, path)
    trouble.met(explanation)
    return explanation
  }
  return {
    reader: statement.reader,
    iterate: (parameters) => statement.iterate(parameters),
    // Written out, not handed to one helper: a function made for each call is a twentieth of what an event costs.
    all(parameters) {
      try {
        return statement.all(parameters)
      } catch (error) {
        throw failure(error)
      }
    },
    run(parameters) {
      try {
        return statement.run(parameters)
      } catch (error) {
        throw failure(error)
      }
    },
  }
}

function remember(prepare: (sql: string) => SqliteStatement): (sql: string) => SqliteStatement {
  const statements = new Map<string, SqliteStatement>()
  return (sql) => {
    const known = statements.get(sql)
    if (known) return known
    const statement = prepare(sql)
    if (statements.size >= STATEMENTS_MAX) statements.clear()
    statements.set(sql, statement)
    return statement
  }
}
