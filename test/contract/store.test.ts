import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { loadSqliteEngine, type SqliteEngine } from '../../src/store/sqlite/sqlite-engine.ts'
import type { Store } from '../../src/store/store.ts'
import { openRepeatedStore } from './store/repeated.ts'
import { describeStore } from './store/suite.ts'
import { type StoreUnderTest, validEvent } from './store/under-test.ts'

/** SQLite libraries, and why one of them is missing on this machine: node:sqlite comes with Node.js 22.13. */
const engines: SqliteEngine['name'][] = []
const missing: { readonly engine: SqliteEngine['name']; readonly reason: string }[] = []
for (const engine of ['better-sqlite3', 'node:sqlite'] as const) {
  await loadSqliteEngine(engine).then(
    () => engines.push(engine),
    (error: unknown) => missing.push({ engine, reason: String(error) }),
  )
}

it('a machine that Hearth runs on has a SQLite library', () => {
  expect(engines).not.toHaveLength(0)
})

for (const { engine, reason } of missing) {
  it(`store on SQLite by ${engine}`, ({ skip }) => skip(reason))
}

for (const engine of engines) {
  describe(`store on SQLite by ${engine}`, () => {
    describeStore(() => inFolder((path) => openStore(path, { engine })))
  })
}

describe('store on SQLite, every transaction of which is repeated', () => {
  const repeats = { transactions: 0, queueWrites: 0 }
  describeStore(() => inFolder((path) => openRepeatedStore(path, {}, repeats)))

  it('repeats them', () => {
    expect(repeats.transactions).toBeGreaterThan(100)
    expect(repeats.queueWrites).toBeGreaterThan(100)
  })
})

async function inFolder(open: (path: string) => Promise<Store>): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-store-'))
  const path = join(folder, 'hearth.db')
  let store = await open(path)
  return {
    store,
    async reopen() {
      await store.close()
      store = await open(path)
      return store
    },
    async dispose() {
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

describe('the database file', () => {
  let folder: string
  let path: string
  const opened: Store[] = []
  const child = () =>
    spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('store-crash-child.ts', import.meta.url)), path],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-store-'))
    path = join(folder, 'hearth.db')
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    rmSync(folder, { recursive: true })
  })
  const open = async (file = path) => {
    const store = await openStore(file, { lockWaitMs: 0 })
    opened.push(store)
    return store
  }

  it('holds every event whose put resolved before the process was killed', { timeout: 60_000 }, async () => {
    const process = child()
    const promised: string[] = []
    for await (const line of createInterface({ input: process.stdout })) {
      if (line !== 'ready') promised.push(line)
      if (promised.length === 500) process.kill('SIGKILL')
    }
    const store = await open()
    const found = new Set<string>()
    for (;;) {
      const events = (await store.queue.claim(1000, 1000)).events
      if (events.length === 0) break
      for (const event of events) found.add(new TextDecoder().decode(event.payload))
    }
    expect(promised.filter((id) => !found.has(id))).toEqual([])
    const counts = await store.queue.counts()
    expect(counts.enqueued).toBe(found.size)
  })

  it('belongs to one host at a time and is free again when that host died', { timeout: 60_000 }, async () => {
    const process = child()
    await once(createInterface({ input: process.stdout }), 'line')
    await expect(open()).rejects.toMatchObject({
      message: expect.stringContaining(
        `The data folder ${folder} is in use by another Hearth host (process ${process.pid} on `,
      ),
      remedy: 'Stop that host, or start this one with another data folder (--data, HEARTH_DATA).',
    })
    const exited = once(process, 'exit')
    process.kill('SIGKILL')
    await exited
    await open()
  })

  it('is not opened twice within one process either', async () => {
    await open()
    await expect(open()).rejects.toThrow(/in use by another Hearth host/)
  })

  it('refuses events when it has grown to its limit, and takes them again when some have gone', async () => {
    const store = await openStore(path, { queueMaxBytes: 400_000 })
    const put = () => store.queue.put(validEvent({ payload: new Uint8Array(50_000) }))
    const fill = async () => {
      for (;;) await put()
    }
    await expect(fill()).rejects.toMatchObject({
      name: 'ServiceException',
      message: expect.stringContaining('is full'),
    })
    expect((await store.queue.counts()).waiting).toBeGreaterThan(0)
    for (const { id, epoch } of (await store.queue.claim(Date.now(), 1000)).events) {
      await store.queue.settle(id, epoch)
    }
    for (;;) {
      const outcome = await put().then(
        () => 'accepted',
        () => 'refused',
      )
      if (outcome === 'accepted') break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await store.close()
  })

  it('is reported with a remedy when it is damaged', async () => {
    writeFileSync(path, 'this is not a database, it is a text that somebody saved here by mistake'.repeat(100))
    await expect(open()).rejects.toMatchObject({
      message: expect.stringContaining('is damaged'),
      remedy: expect.stringContaining('Restore it from a backup. To start with an empty database, move it'),
    })
  })

  it('is reported with a remedy when pages in its middle are damaged', async () => {
    const store = await openStore(path)
    for (let i = 0; i < 200; i++) await store.queue.put(validEvent({ payload: new Uint8Array(3000) }))
    await store.close()
    const { open: openFile } = await import('node:fs/promises')
    const file = await openFile(path, 'r+')
    await file.write(Buffer.alloc(40_000, 0xff), 0, 40_000, 60_000)
    await file.close()
    await expect(open()).rejects.toThrow(/is damaged/)
  })

  it('is reported with a remedy when its folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(open(join(folder, 'file', 'hearth.db'))).rejects.toMatchObject({
      message: `${join(folder, 'file')} is not a folder, and Hearth cannot create one there (EEXIST).`,
      remedy: 'Choose another data folder (--data, HEARTH_DATA).',
    })
    await expect(open('/proc/hearth/data/hearth.db')).rejects.toMatchObject({
      message: '/proc/hearth/data is not a folder, and Hearth cannot create one there (ENOENT).',
    })
  })

  it.each(engines)('says that the disk is full, and works on when there is room again: %s', async (engine) => {
    const { db, connection, close } = await openSqlite(path, { engine })
    const write = () =>
      db.transaction().execute(async (trx) => {
        await sql`create table if not exists filler (content)`.execute(trx)
        await sql`insert into filler values (zeroblob(100000))`.execute(trx)
      })
    await write()
    // SQLite's own way to be full, and as on a full disk it ends the transaction by itself.
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    await sql`pragma max_page_count = ${sql.lit(pages.rows[0]!.page_count)}`.execute(db)
    await expect(write()).rejects.toMatchObject({
      message: `The disk that holds ${folder} is full.`,
      remedy: 'Free some space and try again.',
    })
    const insert = connection.prepare('insert into filler values (zeroblob(100000))')
    expect(() => insert.run([])).toThrow(`The disk that holds ${folder} is full.`)
    expect(connection.trouble.text).toBe(`The disk that holds ${folder} is full. Free some space and try again.`)
    await sql`pragma max_page_count = 1000000`.execute(db)
    await write()
    expect((await sql`select * from filler`.execute(db)).rows).toHaveLength(2)
    await close()
  })

  it('is refused when a newer version of Hearth made it', async () => {
    await (await openStore(path)).close()
    const engine = await loadSqliteEngine()
    const connection = engine.open(path, 0)
    connection.exec(`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`)
    connection.close()
    await expect(open()).rejects.toThrow(/was written by a newer version of Hearth/)
  })

  it('survives being closed while events are put', async () => {
    const store = await openStore(path)
    const puts = Array.from({ length: 50 }, (_, i) => store.queue.put(validEvent({ requestId: `r${i}` })))
    await store.close()
    await Promise.all(puts)
    expect(await (await open()).queue.counts()).toMatchObject({ enqueued: 50, waiting: 50 })
  })

  it('commits all events of one turn of the event loop together', async () => {
    const store = await open()
    const puts = Array.from({ length: 100 }, (_, i) => store.queue.put(validEvent({ requestId: `r${i}` })))
    await puts[0]
    // What the first one waited for held all of them.
    expect((await store.queue.claim(1000, 1000)).events).toHaveLength(100)
    await Promise.all(puts)
  })
})
