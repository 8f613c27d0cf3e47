/** What every implementation of the store must do: reserved concurrency. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { callsOf, key, type StoreUnderTest } from './under-test.ts'

export function describeReservedConcurrency(under: () => StoreUnderTest): void {
  describe('reserved concurrency', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive } = callsOf(() => store)

    const bounds = { accountConcurrency: 1000, unreservedMinimum: 100 }

    it('is refused when too little would stay unreserved, and may always shrink', async () => {
      await createActive('f')
      await createActive('g')
      await store.functions.reserveConcurrency(key('f'), 900, bounds)
      await expect(store.functions.reserveConcurrency(key('g'), 1, bounds)).rejects.toMatchObject({
        message:
          "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
      })
      await store.functions.reserveConcurrency(key('g'), 0, bounds)
      await store.functions.reserveConcurrency(key('f'), 890, { accountConcurrency: 900, unreservedMinimum: 100 })
      expect(await store.targets.reservations('111111111111', 'us-east-1')).toEqual(
        new Map([
          ['f', 890],
          ['g', 0],
        ]),
      )
      expect((await store.targets.find(key('g'), '$LATEST'))?.reservedConcurrency).toBe(0)
      await store.functions.reserveConcurrency(key('f'), undefined, bounds)
      expect((await store.functions.usage('111111111111', 'us-east-1')).reserved).toBe(0)
    })

    it('never oversells when many reserve at once', async () => {
      for (let i = 0; i < 10; i++) await createActive(`f${i}`)
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => store.functions.reserveConcurrency(key(`f${i}`), 200, bounds)),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    })
  })
}
