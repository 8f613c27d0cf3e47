import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Aliases } from '../../../src/control/aliases.ts'
import { EventInvoke } from '../../../src/control/event-invoke.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const weighted = { functionVersion: '1', routingConfig: { additionalVersionWeights: { '2': 0.5 } } }
const routing = { version: '2', weight: 0.5 }

describe('aliases', () => {
  let folder: string
  let store: Store
  let aliases: Aliases

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-aliases-'))
    store = await openStore(join(folder, 'hearth.db'))
    aliases = new Aliases(store)
    for (const timeout of [3, 5]) {
      const configuration = validConfiguration({ timeout })
      const exists = await store.functions.find(key)
      const { latest } = exists
        ? await store.functions.beginUpdate(key, { change: () => configuration, publish: true }, 1)
        : await store.functions.create(key, { configuration, tags: {}, publish: true }, 1)
      await store.functions.completeUpdate(key, latest.deploymentId, { ok: true })
    }
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })

  /** Both begin in every possible order: the second one some turns of the event loop after the first. */
  async function atOnce(first: () => Promise<unknown>, second: () => Promise<unknown>, turns: number): Promise<void> {
    const later = async () => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await second()
    }
    await Promise.allSettled([first(), later()])
  }

  it('keep the routing that was asked for while another client deletes one of the name', async () => {
    for (let turns = 0; turns < 60; turns++) {
      await store.aliases.delete(key, 'live')
      await store.aliases.create(key, { name: 'live', functionVersion: '1', description: '' })
      await atOnce(
        () => aliases.create(key, undefined, { name: 'live', ...weighted }),
        () => aliases.delete(key, 'live'),
        turns,
      )
      const left = await store.aliases.find(key, 'live')
      if (left !== undefined) expect(left, `deleted ${turns} turns later`).toMatchObject({ routing })
    }
  })

  it.each([{}, { additionalVersionWeights: {} }])(
    'end their routing when RoutingConfig is %j',
    async (routingConfig) => {
      await aliases.create(key, undefined, { name: 'live', ...weighted })
      expect((await aliases.update(key, 'live', { description: 'd' })).routing).toEqual(routing)
      // The canary's version becomes the only one.
      const after = await aliases.update(key, 'live', { functionVersion: '2', routingConfig })
      expect(after).toMatchObject({ functionVersion: '2', description: 'd' })
      expect(after.routing).toBeUndefined()
      expect(await store.aliases.find(key, 'live')).toEqual(after)
    },
  )

  it.each([{}, { destination: '' }])('keep no destination of events that an update sends as %j', async (none) => {
    const eventInvoke = new EventInvoke(store, () => 1)
    const destination = 'arn:aws:sqs:us-east-1:111111111111:q'
    await eventInvoke.put(key, undefined, {
      destinationConfig: { onSuccess: { destination }, onFailure: { destination } },
    })
    await eventInvoke.update(key, undefined, { destinationConfig: { onSuccess: none } })
    const { config } = await eventInvoke.get(key)
    expect([config.onSuccess, config.onFailure]).toEqual([undefined, destination])
  })

  it('leave no event-invoke configuration to the next one of the name, not even one that is put while they are deleted', async () => {
    const eventInvoke = new EventInvoke(store, () => 1)
    for (let turns = 0; turns < 60; turns++) {
      await store.aliases.create(key, { name: 'live', functionVersion: '1', description: '' })
      await atOnce(
        () => eventInvoke.put(key, 'live', { maximumRetryAttempts: 0 }),
        () => aliases.delete(key, 'live'),
        turns,
      )
      expect(await store.aliases.find(key, 'live')).toBeUndefined()
      expect(await store.eventInvoke.find(key, 'live'), `deleted ${turns} turns later`).toBeUndefined()
    }
  })
})
