/** Provisioned concurrency in the store: its rules hold within the transaction that writes. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { key, type StoreUnderTest } from './under-test.ts'

const bounds = { accountConcurrency: 1000, unreservedMinimum: 100 }
const f = key('f')

export function describeProvisioned(under: () => StoreUnderTest): void {
  describe('provisioned concurrency in the store', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })

    async function create(name: string, versions: number): Promise<void> {
      const { latest } = await store.functions.create(
        key(name),
        { configuration: validConfiguration(), tags: {}, publish: false },
        0,
      )
      await store.functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
      for (let version = 1; version <= versions; version++) {
        const { latest: updated } = await store.functions.beginUpdate(
          key(name),
          { change: (current) => ({ ...current, description: `v${version}` }), publish: false },
          0,
        )
        await store.functions.completeUpdate(key(name), updated.deploymentId, { ok: true })
        await store.versions.publish(key(name), {}, 0)
      }
    }

    const put = (qualifier: string, requested: number, name = 'f') =>
      store.provisioned.put(key(name), qualifier, requested, bounds, 5000)
    const alias = (name: string, functionVersion: string, weighted?: { version: string; weight: number }) =>
      store.aliases.create(f, {
        name,
        functionVersion,
        description: '',
        ...(weighted ? { weights: { [weighted.version]: weighted.weight } } : {}),
      })
    const limits = async () =>
      [...(await store.targets.provisioned(f.account, f.region))].map(([name, versions]) => [
        name,
        Object.fromEntries(versions),
      ])

    it('survives a restart as in progress: environments do not', async () => {
      await create('f', 1)
      const { revision } = await put('1', 2)
      const ready = { allocated: 2, available: 2, status: 'READY', statusReason: undefined } as const
      expect(await store.provisioned.report(f, '1', revision, ready)).toBe(true)
      store = await under().reopen()
      expect(await store.provisioned.find(f, '1')).toMatchObject(ready)
      expect(await store.provisioned.restart()).toEqual([f])
      expect(await store.provisioned.find(f, '1')).toMatchObject({ requested: 2, available: 0, status: 'IN_PROGRESS' })
    })

    it('takes no report on an allocation that is void', async () => {
      await create('f', 2)
      await alias('live', '1')
      const { revision } = await put('live', 2)
      await store.aliases.update(f, 'live', { functionVersion: '2' })
      const report = { allocated: 2, available: 2, status: 'READY', statusReason: undefined } as const
      expect(await store.provisioned.report(f, 'live', revision, report)).toBe(false)
      expect(await store.provisioned.find(f, 'live')).toMatchObject({ status: 'IN_PROGRESS', allocated: 0 })
    })

    it('stays as it is when only the description of its alias changes', async () => {
      await create('f', 1)
      await alias('live', '1')
      const { revision } = await put('live', 2)
      await store.aliases.update(f, 'live', { description: 'new' })
      expect((await store.provisioned.find(f, 'live'))?.revision).toBe(revision)
    })

    it('belongs to a version or to one alias of it, never to both', async () => {
      await create('f', 2)
      await alias('a', '1')
      await alias('b', '1')
      await put('a', 1)
      await expect(put('1', 1)).rejects.toMatchObject({
        name: 'ResourceConflictException',
        message: 'Version is pointed by a Provisioned Concurrency alias',
      })
      const taken = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
      await expect(put('b', 1)).rejects.toMatchObject({ name: 'ResourceConflictException', message: taken })
      await put('2', 1)
      await expect(store.aliases.update(f, 'a', { functionVersion: '2' })).rejects.toMatchObject({ message: taken })
      expect((await store.aliases.find(f, 'a'))?.functionVersion).toBe('1')
      await put('a', 2)
      expect(await limits()).toEqual([['f', { 1: 2, 2: 1 }]])
    })

    it('does not move to $LATEST', async () => {
      await create('f', 1)
      await alias('a', '1')
      await put('a', 1)
      await expect(store.aliases.update(f, 'a', { functionVersion: '$LATEST' })).rejects.toMatchObject({
        message: 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
      })
      await alias('latest', '$LATEST')
      await expect(put('latest', 1)).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
    })

    it('goes with its alias, its version and its function, and is not inherited by one of the same name', async () => {
      await create('f', 2)
      await alias('a', '1')
      await put('a', 1)
      await put('2', 1)
      await store.aliases.delete(f, 'a')
      await store.versions.delete(f, '2')
      expect(await store.provisioned.of(f)).toEqual([])
      await put('1', 1)
      await store.functions.delete(f)
      await create('f', 1)
      expect(await store.provisioned.of(f)).toEqual([])
      expect(await limits()).toEqual([])
    })

    it('of a weighted alias is shared between its versions', async () => {
      await create('f', 2)
      await alias('a', '1', { version: '2', weight: 0.3 })
      await put('a', 10)
      expect(await limits()).toEqual([['f', { 1: 7, 2: 3 }]])
    })

    it('and reservations bound each other', async () => {
      await create('f', 2)
      await create('g', 0)
      await store.functions.reserveConcurrency(f, 10, bounds)
      await put('1', 6)
      await expect(put('2', 5)).rejects.toMatchObject({
        message:
          'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
      })
      await put('2', 4)
      await expect(store.functions.reserveConcurrency(f, 9, bounds)).rejects.toMatchObject({
        message:
          " ReservedConcurrentExecutions  9 should not be lower than function's total provisioned concurrency [10].",
        detail: { untyped: true },
      })
      // Within a reservation it takes nothing more out of the account; without one it takes itself.
      expect((await store.functions.usage(f.account, f.region)).reserved).toBe(10)
      await store.functions.reserveConcurrency(f, 20, bounds)
      await store.functions.reserveConcurrency(f, undefined, bounds)
      expect((await store.functions.usage(f.account, f.region)).reserved).toBe(10)
      await expect(store.functions.reserveConcurrency(key('g'), 891, bounds)).rejects.toMatchObject({
        message: expect.stringContaining('below its minimum value of [100]') as string,
      })
      await store.functions.reserveConcurrency(key('g'), 890, bounds)
    })

    it('is bounded by what the account has left', async () => {
      await create('f', 2)
      await put('1', 100)
      await expect(put('2', 901)).rejects.toMatchObject({
        message: "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [900].",
        detail: { untyped: true },
      })
      await expect(put('2', 801)).rejects.toMatchObject({
        message:
          "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
      })
      await put('2', 800)
      // A change counts instead of what it replaces.
      await put('2', 799)
      await put('1', 101)
    })

    it('cannot be oversold by requests at the same time', async () => {
      await create('f', 4)
      const outcomes = await Promise.allSettled(['1', '2', '3', '4'].map((version) => put(version, 300)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    })
  })
}
