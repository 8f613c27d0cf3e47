import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GroupCommit } from '../../../src/store/group-commit.ts'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite.ts'
import { WriteAheadLog } from '../../../src/store/write-ahead-log.ts'
import { until } from '../../support/until.ts'

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
async function synchronous(): Promise<number | undefined> {
  const { rows } = await sql<{ synchronous: number }>`select * from pragma_synchronous`.execute(database.db)
  return rows[0]?.synchronous
}
const change = () => sql`update event_counts set enqueued = enqueued + 1`.execute(database.db)

describe('the write-ahead log', () => {
  it('is flushed by SQLite with every commit, but for those that are flushed apart', async () => {
    expect(await synchronous()).toBe(2)
    expect(await database.log.unflushed(synchronous)).toBe(1)
    expect(await synchronous()).toBe(2)
  })

  it('is flushed by SQLite again after a failure', async () => {
    const failing = database.log.unflushed(() => Promise.reject(new Error('disk full')))
    await expect(failing).rejects.toThrow('disk full')
    expect(await synchronous()).toBe(2)
  })

  it('is left alone when nothing was written', async () => {
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection)
    await log.unflushed(synchronous)
    await log.flush()
    await log.unflushed(change)
    await expect(log.flush()).rejects.toThrow('flushed')
  })

  it('is flushed soon after progress, and a failure of that is not lost', async () => {
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection)
    const progress = new GroupCommit({ db: database.db, log }, 'progress')
    const write = () => progress.run((_db, counts) => counts.add('f', { done: 1 }))
    await write()
    const refusal = await until(() => log.unflushed(change).then(() => undefined, String))
    expect(refusal).toContain('Check the disk')
    await expect(write()).rejects.toThrow('Check the disk')
  })

  it('takes nothing more once a flush has failed, because nobody knows what the disk has', async () => {
    const told: Error[] = []
    const log = new WriteAheadLog(join(folder, 'missing.db'), database.connection, (failure) => told.push(failure))
    const commits = new GroupCommit({ db: database.db, log }, 'promise')
    const write = () => commits.run(async (_db, counts) => counts.add('f', { enqueued: 1 }))
    await expect(write()).rejects.toThrow('Check the disk')
    await expect(write()).rejects.toThrow('Check the disk')
    await expect(log.flush()).rejects.toThrow('Check the disk')
    expect(told).toEqual([log.failure])
    const { enqueued } = await database.db.selectFrom('event_counts').select('enqueued').executeTakeFirstOrThrow()
    expect(enqueued).toBe(1)
  })
})
