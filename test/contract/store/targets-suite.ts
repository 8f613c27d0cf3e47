/** What every implementation of the store must do: what invocations read, and the feed of changes. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { callsOf, key, type StoreUnderTest } from './under-test.ts'

export function describeTargets(under: () => StoreUnderTest): void {
  describe('targets', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive, update, finish, invocable } = callsOf(() => store)

    it('knows no qualifier that only looks like a version', async () => {
      await createActive('f', {}, true)
      for (const qualifier of ['0', '01', '-1', '1.0', '$latest', '', '99999999999999999999']) {
        expect(await store.targets.find(key('f'), qualifier)).toBeUndefined()
      }
      expect((await store.targets.find(key('f'), '1'))?.versions).toHaveLength(1)
    })

    it('tells each change once it is committed, and nothing that was refused', async () => {
      const { changes } = store.targets
      const began = changes.position
      let wakes = 0
      const unsubscribe = changes.onChange(() => wakes++)
      await createActive('f', {}, true)
      await update('f', {})
      await finish('f')
      await store.aliases.create(key('f'), { name: 'a', functionVersion: '1', description: '' })
      await store.aliases.update(key('f'), 'a', { description: 'x' })
      await store.aliases.delete(key('f'), 'a')
      await store.functions.reserveConcurrency(key('f'), 1, { accountConcurrency: 10, unreservedMinimum: 0 })
      await store.versions.delete(key('f'), '1')
      await store.functions.delete(key('f'))
      await expect(store.functions.delete(key('f'))).rejects.toThrow()
      await expect(update('f', {})).rejects.toThrow()
      expect(changes.read(began)).toEqual({ position: began + 10, keys: Array.from({ length: 10 }, () => key('f')) })
      expect(changes.position).toBe(began + 10)
      expect(wakes).toBe(10)
      unsubscribe()
      await createActive('g')
      expect(wakes).toBe(10)
      expect(changes.read(began + 9).keys).toEqual([key('f'), key('g'), key('g')])
    })

    it('lets who is told of a change read it at once, and a reader that throws harms nobody', async () => {
      const { changes } = store.targets
      const read: (string | undefined)[] = []
      const reading: Promise<void>[] = []
      changes.onChange(() => {
        throw new Error('a reader failed')
      })
      changes.onChange(() => {
        reading.push(invocable('f').then((found) => void read.push(found?.state)))
      })
      await createActive('f')
      await Promise.all(reading)
      expect(read).toEqual(['Pending', 'Active'])
    })
  })
}
