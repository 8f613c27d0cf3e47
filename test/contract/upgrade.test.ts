/** Databases that earlier releases made. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ACTIVE, configurationDigest } from '../../src/store/catalogue/rows.ts'
import { initial } from '../../src/store/migrations/0001-initial.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openStore } from '../../src/store/open.ts'
import { loadSqliteEngine } from '../../src/store/sqlite/sqlite-engine.ts'
import type { Tables } from '../../src/store/tables.ts'
import { validConfiguration } from '../support/configuration.ts'
import { key } from './store/under-test.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-upgrade-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('the events of a database that counted them by itself are counted on', async () => {
  const path = join(folder, 'hearth.db')
  const database = (await loadSqliteEngine()).open(path, 1000)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  const provider = { getMigrations: () => Promise.resolve({ '0001-initial': initial }) }
  expect((await new Migrator({ db, provider }).migrateToLatest()).error).toBeUndefined()
  for (const name of ['f', 'f', 'g']) {
    const event = { function_key: `111111111111/us-east-1/${name}`, request_id: 'r', enqueued_at: 1, due_at: 1 }
    await db
      .insertInto('events')
      .values({ ...event, qualifier: null, claimed: 0, attempts: 0, epoch: 0 })
      .execute()
  }
  await db.updateTable('event_counts').set({ enqueued: 10, waiting: 3, done: 6, discarded: 1 }).execute()
  await db.destroy()

  const store = await openStore(path)
  try {
    const counted = { enqueued: 10, waiting: 3, claimed: 0, done: 6, dead: 0, discarded: 1 }
    expect(await store.queue.counts()).toEqual(counted)
    await store.queue.discard(key('f'))
    expect(await store.queue.counts()).toEqual({ ...counted, waiting: 1, discarded: 3 })
  } finally {
    await store.close()
  }
})

it('what a host of the release before had claimed, under a lease that has a time, is given back by the first start', async () => {
  const path = join(folder, 'hearth.db')
  const database = (await loadSqliteEngine()).open(path, 1000)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  const all = Object.entries(await migrations.getMigrations())
  const before = Object.fromEntries(all.filter(([name]) => name < '0012'))
  const provider = { getMigrations: () => Promise.resolve(before) }
  expect((await new Migrator({ db, provider }).migrateToLatest()).error).toBeUndefined()
  const function_key = '111111111111/us-east-1/f'
  for (const claimed of [0, 1]) {
    const times = { enqueued_at: 1, due_at: claimed ? 90_000 : 70_000, claimed, attempts: claimed, epoch: claimed }
    await db
      .insertInto('events')
      .values({ function_key, qualifier: null, request_id: `r-${claimed}`, ...times })
      .execute()
    await db
      .insertInto('event_payloads')
      .values({ event_id: claimed + 1, trace_header: '', payload: new Uint8Array() })
      .execute()
    const detail = JSON.stringify({ kind: 'failure', requestId: `r-${claimed}`, functionArn: 'arn' })
    const delivery = { function_key, target: 't', detail, created_at: 1, claimed, attempts: claimed, epoch: claimed }
    await db
      .insertInto('deliveries')
      .values({ ...delivery, due_at: claimed ? 90_000 : 1 })
      .execute()
    await db
      .insertInto('delivery_bodies')
      .values({ delivery_id: claimed + 1, body: new Uint8Array() })
      .execute()
  }
  await sql`
    insert into event_function_counts (function_key, enqueued, waiting, claimed) values (${function_key}, 2, 1, 1)`.execute(
    db,
  )
  await db.destroy()

  const store = await openStore(path)
  try {
    expect((await store.queue.claim(80_000, 10)).events.map(({ requestId }) => requestId)).toEqual(['r-0'])
    expect(await store.queue.recover(80_000)).toBe(1)
    expect((await store.queue.claim(80_000, 10)).events.map(({ requestId }) => requestId)).toEqual(['r-1'])
    expect(await store.queue.counts()).toMatchObject({ enqueued: 2, waiting: 0, claimed: 2 })
    expect(await store.deliveries.recover(80_000)).toBe(1)
    expect(await store.deliveries.claim(80_000, 10, { each: 10, targets: new Map() })).toHaveLength(2)
  } finally {
    await store.close()
  }
})

it('a database without layers and policies is brought up to date and keeps its functions', async () => {
  const path = join(folder, 'hearth.db')
  const database = (await loadSqliteEngine()).open(path, 1000)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  const provider = { getMigrations: () => Promise.resolve({ '0001-initial': initial }) }
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  expect(error).toBeUndefined()
  await db
    .insertInto('functions')
    .values({ ...key('old'), tags: '{}', reserved_concurrency: null })
    .execute()
  const configuration = validConfiguration()
  for (const [version, number] of [
    ['$LATEST', 0],
    ['1', 1],
  ] as const) {
    await db
      .insertInto('versions')
      .values({
        ...key('old'),
        ...ACTIVE,
        version,
        number,
        revision_id: `revision-${number}`,
        deployment_id: `deployment-${number}`,
        last_modified: 1,
        code_sha256: configuration.codeSha256,
        code_size: configuration.codeSize,
        configuration: JSON.stringify(configuration),
        previous: null,
        published_from: number === 0 ? null : configurationDigest(configuration),
      })
      .execute()
  }
  await db
    .insertInto('version_numbers')
    .values({ ...key('old'), last_number: 1 })
    .execute()
  await db.destroy()

  const store = await openStore(path)
  try {
    const content = { description: '', codeSha256: 'l', codeSize: 10, unzippedBytes: 20 }
    expect((await store.layers.publish(key('l'), content, 5)).version).toBe(1)
    expect(await store.layers.combinations()).toEqual([])
    const { statements } = (await store.policies.find(key('old'), '1')) ?? {}
    expect(statements).toEqual([])
    // The same package uploaded again is still the code of version 1, although its unpacked size is known now.
    const change = () => ({ ...configuration, unzippedBytes: 1 })
    const { latest } = await store.functions.beginUpdate(key('old'), { change, publish: false }, 5)
    await store.functions.completeUpdate(key('old'), latest.deploymentId, { ok: true })
    expect((await store.versions.publish(key('old'), {}, 6)).version).toBe('1')
    expect((await store.functions.usage('111111111111', 'us-east-1')).codeBytes).toBe(210)
  } finally {
    await store.close()
  }
})
