/** What every implementation of the store must do: aliases. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { callsOf, key, type StoreUnderTest } from './under-test.ts'

export function describeAliases(under: () => StoreUnderTest): void {
  describe('aliases', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive, update, finish } = callsOf(() => store)

    beforeEach(async () => {
      await createActive('f', {}, true)
      await update('f', { timeout: 5 })
      await finish('f')
      await store.versions.publish(key('f'), {}, 1)
    })

    it('resolves to its versions with their weights', async () => {
      const alias = await store.aliases.create(key('f'), {
        name: 'live',
        functionVersion: '1',
        description: 'd',
        weights: { '2': 0.25 },
      })
      const target = await store.targets.find(key('f'), 'live')
      expect(target?.versions.map(({ version, weight }) => [version.version, weight])).toEqual([
        ['1', 0.75],
        ['2', 0.25],
      ])
      expect(target?.alias).toEqual(alias)
    })

    it('leaves out a version whose weight is zero', async () => {
      await store.aliases.create(key('f'), {
        name: 'live',
        functionVersion: '1',
        description: '',
        weights: { '2': 1 },
      })
      const target = await store.targets.find(key('f'), 'live')
      expect(target?.versions.map(({ version }) => version.version)).toEqual(['2'])
    })

    it('refuses missing versions, missing functions and duplicates by their ARNs', async () => {
      const arn = 'arn:aws:lambda:us-east-1:111111111111:function'
      const alias = { name: 'live', functionVersion: '1', description: '' }
      await expect(store.aliases.create(key('f'), { ...alias, functionVersion: '10' })).rejects.toMatchObject({
        message: `Function not found: ${arn}:f:10`,
      })
      await expect(store.aliases.create(key('nope'), alias)).rejects.toMatchObject({
        message: `Function not found: ${arn}:nope:1`,
      })
      await store.aliases.create(key('f'), alias)
      await expect(store.aliases.create(key('f'), alias)).rejects.toMatchObject({
        name: 'ResourceConflictException',
        message: `Alias already exists: ${arn}:f:live`,
      })
      await expect(store.aliases.update(key('f'), 'nope', {})).rejects.toMatchObject({
        message: `Alias not found: ${arn}:f:nope`,
      })
    })

    it('changes only what is given, guarded by its own RevisionId', async () => {
      const created = await store.aliases.create(key('f'), {
        name: 'live',
        functionVersion: '1',
        description: 'd',
        weights: { '2': 0.5 },
      })
      const described = await store.aliases.update(key('f'), 'live', { description: 'e' }, created.revisionId)
      expect(described).toMatchObject({ functionVersion: '1', description: 'e', routing: { version: '2' } })
      await expect(store.aliases.update(key('f'), 'live', {}, created.revisionId)).rejects.toMatchObject({
        name: 'PreconditionFailedException',
      })
      await expect(store.aliases.update(key('f'), 'live', { functionVersion: '2' })).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
      })
      const plain = await store.aliases.update(key('f'), 'live', { functionVersion: '2', weights: {} })
      expect(plain).not.toHaveProperty('routing')
      expect(await store.aliases.find(key('f'), 'live')).toEqual(plain)
    })

    it('lists by name and filters by version', async () => {
      for (const [name, functionVersion] of [
        ['c', '1'],
        ['a', '2'],
        ['b', '1'],
      ] as const) {
        await store.aliases.create(key('f'), { name, functionVersion, description: '' })
      }
      const first = await store.aliases.list(key('f'), { maxItems: 2 })
      const second = await store.aliases.list(key('f'), { marker: first.nextMarker })
      expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
      const ones = await store.aliases.list(key('f'), { functionVersion: '1' })
      expect(ones.items.map(({ name }) => name)).toEqual(['b', 'c'])
      await expect(store.aliases.list(key('nope'), {})).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    })
  })
}
