import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GroupCommit } from '../../../src/store/group-commit.ts'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite.ts'
import { until } from '../../support/until.ts'

describe('group commit', () => {
  let folder: string
  let database: OpenDatabase
  let commits: GroupCommit

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-commit-'))
    database = await openSqlite(join(folder, 'hearth.db'))
    commits = new GroupCommit(database, 'promise')
  })
  afterEach(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })

  it('shares one transaction among the writes of one turn, and opens another one for the next', async () => {
    const seen: unknown[] = []
    const write = () => commits.run(async (db) => void seen.push(db))
    await Promise.all([write(), write(), write()])
    await write()
    expect(seen[1]).toBe(seen[0])
    expect(seen[2]).toBe(seen[0])
    expect(seen[3]).not.toBe(seen[0])
  })

  it('refuses the whole group when one write fails, keeps none of it, and goes on with the next', async () => {
    const good = commits.run(async (_db, counts) => {
      counts.add('f', { enqueued: 1 })
    })
    const bad = commits.run(() => Promise.reject(new Error('disk full')))
    expect(await Promise.allSettled([good, bad])).toEqual([
      { status: 'rejected', reason: new Error('disk full') },
      { status: 'rejected', reason: new Error('disk full') },
    ])
    await commits.run(async (_db, counts) => {
      counts.add('f', { enqueued: 5 })
    })
    const counts = await database.db.selectFrom('event_counts').select('enqueued').executeTakeFirstOrThrow()
    expect(counts.enqueued).toBe(5)
  })

  it('keeps the order of the writes', async () => {
    const order: number[] = []
    await Promise.all(Array.from({ length: 10 }, (_, i) => commits.run(async () => void order.push(i))))
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('answers only when the flush has ended; what comes meanwhile is the next group', async () => {
    let endFlush = () => {}
    let flushes = 0
    const log = {
      unflushed: <T>(work: () => Promise<T>) => work(),
      flushSoon: () => {},
      flush: () => {
        flushes++
        return new Promise<void>((resolve) => {
          endFlush = resolve
        })
      },
    }
    const held = new GroupCommit({ db: database.db, log }, 'promise')
    const seen: unknown[] = []
    const answered: string[] = []
    const write = (name: string) => held.run((db) => void seen.push(db)).then(() => void answered.push(name))
    const first = write('first')
    await until(() => flushes === 1)
    const others = [write('second'), write('third')]
    await new Promise((resolve) => setImmediate(resolve))
    expect([seen.length, answered]).toEqual([1, []])
    endFlush()
    await first
    await until(() => flushes === 2)
    expect([seen[1] === seen[2], answered]).toEqual([true, ['first']])
    endFlush()
    await Promise.all(others)
    expect(flushes).toBe(2)
  })

  it('does not wait for a flush with what nobody was promised', async () => {
    let soon = 0
    const log = {
      unflushed: <T>(work: () => Promise<T>) => work(),
      flush: () => new Promise<void>(() => {}),
      flushSoon: () => void soon++,
    }
    await new GroupCommit({ db: database.db, log }, 'progress').run(() => 1)
    expect(soon).toBe(1)
  })

  it('refuses the group whose flush failed', async () => {
    const flush = () => Promise.reject(new Error('no disk'))
    const log = { unflushed: <T>(work: () => Promise<T>) => work(), flush, flushSoon: () => {} }
    const broken = new GroupCommit({ db: database.db, log }, 'promise')
    const answers = await Promise.allSettled([broken.run(() => 1), broken.run(() => 2)])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('writes with the settings that make a commit durable', async () => {
    const pragma = async (name: string) => {
      const { rows } = await sql<Record<string, unknown>>`select * from ${sql.raw(`pragma_${name}`)}`.execute(
        database.db,
      )
      return Object.values(rows[0] ?? {})[0]
    }
    // 2: FULL
    expect([await pragma('synchronous'), await pragma('journal_mode'), await pragma('foreign_keys')]).toEqual([
      2,
      'wal',
      1,
    ])
  })
})
