import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totalCounts } from '../../../../src/store/queue/event-counts.ts'
import { GroupCommit } from '../../../../src/store/queue/group-commit.ts'
import { type OpenDatabase, openSqlite } from '../../../../src/store/sqlite/sqlite.ts'
import { WriteAheadLog } from '../../../../src/store/sqlite/write-ahead-log.ts'
import type { Tables } from '../../../../src/store/tables.ts'
import { until } from '../../../support/until.ts'

let folder: string
let database: OpenDatabase

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-log-'))
  database = await openSqlite(join(folder, 'hearth.db'))
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

/** 1: NORMAL, 2: FULL */
function synchronous(): number | undefined {
  const rows = database.connection.prepare('select * from pragma_synchronous').all([]) as { synchronous: number }[]
  return rows[0]?.synchronous
}
async function ofKysely(db: Kysely<Tables> = database.db): Promise<number | undefined> {
  const { rows } = await sql<{ synchronous: number }>`select * from pragma_synchronous`.execute(db)
  return rows[0]?.synchronous
}
const change = () => database.connection.prepare('update event_counts set enqueued = enqueued + 1').run([])

describe('the write-ahead log', () => {
  it('is flushed by SQLite with every commit of Kysely, but for groups, which are flushed apart', async () => {
    expect(await ofKysely()).toBe(2)
    expect(database.log.unflushed(synchronous)).toBe(1)
    expect(await ofKysely()).toBe(2)
    expect(database.log.unflushed(synchronous)).toBe(1)
    expect(await database.db.transaction().execute(ofKysely)).toBe(2)
  })

  it('is flushed by SQLite again after a failure', async () => {
    const failing = () => {
      throw new Error('disk full')
    }
    expect(() => database.log.unflushed(failing)).toThrow('disk full')
    expect(await ofKysely()).toBe(2)
  })

  it('is left alone when nothing was written', async () => {
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection)
    log.unflushed(synchronous)
    await log.flush()
    log.unflushed(change)
    await expect(log.flush()).rejects.toThrow('could not write the database')
  })

  it('is flushed on the event loop once it is open, if the disk may be quick', async () => {
    const flushed = () => {
      database.log.unflushed(change)
      return database.log.flush('quickest')
    }
    // `true`: the event loop went on.
    expect([await flushed(), await flushed()]).toEqual([true, false])
    database.log.unflushed(change)
    expect(await database.log.flush()).toBe(true)
    await database.log.flush('quickest')
  })

  it('is flushed soon after progress, and a failure of that is not lost', async () => {
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection)
    const progress = new GroupCommit({ ...database, log }, 'progress')
    const write = () => progress.run(({ counts }) => counts.add('f', { done: 1 }))
    await write()
    await until(() => log.failure !== undefined)
    expect(() => log.unflushed(change)).toThrow('Check the disk')
    await expect(write()).rejects.toThrow('Check the disk')
  })

  it('takes nothing more once a flush has failed, because nobody knows what the disk has', async () => {
    const told: Error[] = []
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection, (failure) => told.push(failure))
    const commits = new GroupCommit({ ...database, log }, 'promise')
    const write = () => commits.run(({ counts }) => counts.add('f', { enqueued: 1 }))
    await expect(write()).rejects.toThrow('Check the disk')
    await expect(write()).rejects.toThrow('Check the disk')
    await expect(log.flush()).rejects.toThrow('Check the disk')
    expect(told).toEqual([log.failure])
    expect((await totalCounts(database.db)).enqueued).toBe(1)
  })
})
