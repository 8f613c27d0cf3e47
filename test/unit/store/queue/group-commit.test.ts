import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totalCounts } from '../../../../src/store/queue/event-counts.ts'
import { GroupCommit } from '../../../../src/store/queue/group-commit.ts'
import type { GroupWrites } from '../../../../src/store/queue/group-writes.ts'
import { type OpenDatabase, openSqlite } from '../../../../src/store/sqlite/sqlite.ts'
import { until } from '../../../support/until.ts'

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

  const change = (text: string) => void database.connection.prepare(text).run([])

  it('shares one transaction among the writes of one turn, and opens another one for the next', async () => {
    const seen: unknown[] = []
    const write = () => commits.run((group) => void seen.push(group))
    await Promise.all([write(), write(), write()])
    await write()
    expect(seen[1]).toBe(seen[0])
    expect(seen[2]).toBe(seen[0])
    expect(seen[3]).not.toBe(seen[0])
  })

  const enqueued =
    (n: number) =>
    ({ counts }: GroupWrites) =>
      counts.add('f', { enqueued: n })
  const stored = async () => (await totalCounts(database.db)).enqueued

  it('refuses a write that fails alone, keeps nothing of it, and does the others again', async () => {
    const fails = ({ counts }: GroupWrites) => {
      counts.add('f', { enqueued: 100 })
      change('update event_counts set enqueued = enqueued + 100')
      throw new Error('damaged')
    }
    const answers = await Promise.allSettled([
      commits.run(enqueued(1)),
      commits.run(fails),
      commits.run(enqueued(2)),
      commits.run(fails),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(await stored()).toBe(3)
    await commits.run(enqueued(5))
    expect(await stored()).toBe(8)
  })

  it('refuses the whole group when its commit fails, keeps none of it, and goes on with the next', async () => {
    change('pragma foreign_keys = on')
    // Checked by the commit only.
    change('create table parents (id integer primary key)')
    change('create table children (parent integer references parents (id) deferrable initially deferred)')
    const orphan = () => change('insert into children values (1)')
    const answers = await Promise.allSettled([commits.run(enqueued(1)), commits.run(orphan)])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(String((answers[0] as PromiseRejectedResult).reason)).toContain('FOREIGN KEY constraint failed')
    await commits.run(enqueued(5))
    expect(await stored()).toBe(5)
  })

  it('refuses the whole group at once when the disk is full', async () => {
    change('create table large (content blob)')
    const [{ n }] = database.connection.prepare('select page_count as n from pragma_page_count').all([]) as [
      { n: number },
    ]
    database.connection.prepare(`pragma max_page_count = ${n + 20}`).all([])
    let tries = 0
    const write = () => {
      tries++
      change('insert into large values (zeroblob(10000))')
    }
    const answers = await Promise.allSettled(Array.from({ length: 50 }, () => commits.run(write)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['rejected']))
    for (const answer of answers) expect(String((answer as PromiseRejectedResult).reason)).toContain('is full')
    expect(tries).toBeLessThan(50)
    await commits.run(enqueued(5))
    expect(await stored()).toBe(5)
  })

  it('waits for its turn while a transaction is open on the same connection', async () => {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const order: string[] = []
    const open = database.db.transaction().execute(async (trx) => {
      await trx.updateTable('event_counts').set({ done: 1 }).execute()
      await ended
      order.push('transaction')
    })
    const write = commits.run(() => void order.push('group'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(order).toEqual([])
    end()
    await Promise.all([open, write])
    expect(order).toEqual(['transaction', 'group'])
  })

  it('keeps the order of the writes', async () => {
    const order: number[] = []
    await Promise.all(Array.from({ length: 10 }, (_, i) => commits.run(() => void order.push(i))))
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('answers only when the flush has ended; what comes meanwhile is the next group', async () => {
    let endFlush = () => {}
    let flushes = 0
    const log = {
      unflushed: <T>(work: () => T) => work(),
      flushSoon: () => {},
      flush: () => {
        flushes++
        return new Promise<boolean>((resolve) => {
          endFlush = () => resolve(true)
        })
      },
    }
    const held = new GroupCommit({ ...database, log }, 'promise')
    const seen: unknown[] = []
    const answered: string[] = []
    const write = (name: string) => held.run((group) => void seen.push(group)).then(() => void answered.push(name))
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

  it('lets the log choose where a flush runs, but looks at times who else comes meanwhile', async () => {
    const asked: (string | undefined)[] = []
    const flush = (where?: string) => {
      asked.push(where)
      return Promise.resolve(where === 'beside')
    }
    const log = { unflushed: <T>(work: () => T) => work(), flush, flushSoon: () => {} }
    const promises = new GroupCommit({ ...database, log }, 'promise')
    for (let i = 0; i < 70; i++) await promises.run(() => i)
    const turns = asked.flatMap((where, i) => (where === 'beside' ? [i] : []))
    expect(turns).toEqual([0, 33, 66])
    expect(asked.filter((where) => where === 'quickest')).toHaveLength(67)
  })

  it('does not wait for a flush with what nobody was promised', async () => {
    let soon = 0
    const log = {
      unflushed: <T>(work: () => T) => work(),
      flush: () => new Promise<boolean>(() => {}),
      flushSoon: () => void soon++,
    }
    await new GroupCommit({ ...database, log }, 'progress').run(() => 1)
    expect(soon).toBe(1)
  })

  it('refuses the group whose flush failed', async () => {
    const flush = () => Promise.reject(new Error('no disk'))
    const log = { unflushed: <T>(work: () => T) => work(), flush, flushSoon: () => {} }
    const broken = new GroupCommit({ ...database, log }, 'promise')
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
