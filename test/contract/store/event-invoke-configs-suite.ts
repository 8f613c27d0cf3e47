/** Event-invoke configurations in the store: there are none of what does not exist. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { key, type StoreUnderTest } from './under-test.ts'

const f = key('f')

export function describeEventInvokeConfigs(under: () => StoreUnderTest): void {
  describe('event-invoke configurations', () => {
    let store: Store
    beforeEach(async () => {
      store = under().store
      const input = { configuration: validConfiguration(), tags: {}, publish: true }
      const { latest } = await store.functions.create(f, input, 0)
      await store.functions.completeUpdate(f, latest.deploymentId, { ok: true })
      await store.aliases.create(f, { name: 'live', functionVersion: '1', description: '' })
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
  })
}
