/** Event-invoke configurations in the store: there are none of what does not exist. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { validConfiguration } from '../support/configuration.ts'
import { key } from './store-suite.ts'

const f = key('f')

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-store-'))
  store = await openStore(join(folder, 'hearth.db'))
  const input = { configuration: validConfiguration(), tags: {}, publish: true }
  const { latest } = await store.functions.create(f, input, 0)
  await store.functions.completeUpdate(f, latest.deploymentId, { ok: true })
  await store.aliases.create(f, { name: 'live', functionVersion: '1', description: '' })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const configure = (qualifier: string, of = f) =>
  store.eventInvoke.change(of, qualifier, () => ({ lastModified: 1, maximumRetryAttempts: 0 }))

it('belong to the function, its versions and its aliases', async () => {
  for (const qualifier of ['$LATEST', '1', 'live']) await configure(qualifier)
  const { items } = await store.eventInvoke.list(f, {})
  expect(items.map(({ qualifier }) => qualifier)).toEqual(['$LATEST', '1', 'live'])
})

it('are refused for an alias that was deleted meanwhile, so that a later one of its name has none', async () => {
  await store.aliases.delete(f, 'live')
  const missing = { name: 'ResourceNotFoundException', message: "The function doesn't exist." }
  for (const qualifier of ['live', '2']) await expect(configure(qualifier)).rejects.toMatchObject(missing)
  await expect(configure('$LATEST', key('g'))).rejects.toMatchObject(missing)
  await store.aliases.create(f, { name: 'live', functionVersion: '1', description: '' })
  expect(await store.eventInvoke.find(f, 'live')).toBeUndefined()
})
