/** What every implementation of the store must do: published versions. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { FunctionConfiguration } from '../../../src/lambda/function.ts'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { callsOf, key, type StoreUnderTest } from './under-test.ts'

export function describeVersions(under: () => StoreUnderTest): void {
  describe('versions', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive, update, finish, invocable } = callsOf(() => store)

    it('numbers versions from 1 and gives the existing one when nothing changed', async () => {
      await createActive('f')
      const before = (await store.functions.find(key('f')))?.latest
      const one = await store.versions.publish(key('f'), { description: 'first' }, 3000)
      expect(one).toMatchObject({ version: '1', state: 'Active', lastUpdateStatus: 'Successful', description: 'first' })
      expect((await store.functions.find(key('f')))?.latest.revisionId).not.toBe(before?.revisionId)
      expect(await store.versions.publish(key('f'), {}, 3000)).toEqual(one)
      await update('f', { timeout: 3 })
      await finish('f')
      expect((await store.versions.publish(key('f'), {}, 3000)).version).toBe('1')
      await update('f', { timeout: 4 })
      await finish('f')
      expect((await store.versions.publish(key('f'), {}, 3000)).version).toBe('2')
      expect(await store.versions.find(key('f'), '1')).toMatchObject({ timeout: 3, description: 'first' })
    })

    it('notices every kind of change, a variable in another order excepted', async () => {
      await createActive('f', { environment: { A1: 'x', B1: 'y' } })
      await store.versions.publish(key('f'), {}, 1)
      const publishAfter = async (changes: Partial<FunctionConfiguration>) => {
        await update('f', changes)
        await finish('f')
        return (await store.versions.publish(key('f'), {}, 1)).version
      }
      expect(await publishAfter({ environment: { B1: 'y', A1: 'x' } })).toBe('1')
      expect(await publishAfter({ environment: { B1: 'y' } })).toBe('2')
      expect(await publishAfter({ codeSha256: 'sha-9' })).toBe('3')
      expect(await publishAfter({ description: 'other' })).toBe('4')
      expect(await publishAfter({ logging: { logFormat: 'Text', logGroup: 'mine' } })).toBe('5')
    })

    it('never uses a number again, not after deleting the version nor after deleting the function', async () => {
      await createActive('f', {}, true)
      await store.versions.delete(key('f'), '1')
      expect((await store.versions.publish(key('f'), {}, 1)).version).toBe('2')
      await store.functions.delete(key('f'))
      store = await under().reopen()
      await createActive('f')
      expect((await store.versions.publish(key('f'), {}, 1)).version).toBe('3')
    })

    it('guards publishing with CodeSha256, RevisionId and the state', async () => {
      await createActive('f')
      await expect(store.versions.publish(key('f'), { codeSha256: 'other' }, 1)).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message:
          'CodeSHA256 (other) is different from current CodeSHA256 in $LATEST (sha-1). Please try again with the CodeSHA256 in $LATEST.',
      })
      await expect(store.versions.publish(key('f'), { revisionId: 'old' }, 1)).rejects.toMatchObject({
        name: 'PreconditionFailedException',
      })
      await update('f', {})
      await expect(store.versions.publish(key('f'), {}, 1)).rejects.toMatchObject({ name: 'ResourceConflictException' })
      await expect(store.versions.publish(key('nope'), {}, 1)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      })
    })

    it('makes a version that is published along with a creation or an update Active when that is complete', async () => {
      const created = await store.functions.create(
        key('f'),
        { configuration: validConfiguration(), tags: {}, publish: true },
        1,
      )
      expect(created.published).toMatchObject({ version: '1', state: 'Pending' })
      await finish('f')
      expect((await store.versions.find(key('f'), '1'))?.state).toBe('Active')
      const updated = await update('f', { codeSha256: 'sha-2' }, undefined, true)
      expect(updated.published).toMatchObject({ version: '2', state: 'Pending', codeSha256: 'sha-2' })
      expect(updated.published?.lastUpdateStatus).toBeUndefined()
      expect((await invocable('f', '1'))?.codeSha256).toBe('sha-1')
      await finish('f')
      expect(await invocable('f', '2')).toMatchObject({ state: 'Active', codeSha256: 'sha-2' })
    })

    it('gives a new version where the last one could not be made ready, although nothing changed', async () => {
      const input = { configuration: validConfiguration(), tags: {}, publish: true }
      const { latest } = await store.functions.create(key('f'), input, 1)
      await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: false, reason: 'r', code: 'c' })
      const { published } = await update('f', {}, undefined, true)
      await finish('f')
      expect(published?.version).toBe('2')
      expect(await store.versions.find(key('f'), '2')).toMatchObject({ state: 'Active' })
      expect(await store.versions.publish(key('f'), {}, 3)).toMatchObject({ version: '2', state: 'Active' })
    })

    it('lists $LATEST first, then numbers as numbers', async () => {
      await createActive('f', {}, true)
      for (let i = 2; i <= 11; i++) {
        await update('f', { timeout: i + 10 })
        await finish('f')
        await store.versions.publish(key('f'), {}, 1)
      }
      const first = await store.versions.list(key('f'), { maxItems: 5 })
      const rest = await store.versions.list(key('f'), { marker: first.nextMarker })
      expect([...first.items, ...rest.items].map(({ version }) => version)).toEqual([
        '$LATEST',
        ...Array.from({ length: 11 }, (_, i) => String(i + 1)),
      ])
      await expect(store.versions.list(key('nope'), {})).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    })

    it('keeps a version that an alias needs', async () => {
      await createActive('f', {}, true)
      await update('f', { timeout: 5 })
      await finish('f')
      await store.versions.publish(key('f'), {}, 1)
      await store.aliases.create(key('f'), {
        name: 'live',
        functionVersion: '1',
        description: '',
        weights: { '2': 0.5 },
      })
      for (const version of ['1', '2']) {
        await expect(store.versions.delete(key('f'), version)).rejects.toMatchObject({
          name: 'ResourceConflictException',
          message: 'Unable to delete version because the following aliases reference it: [live]',
        })
      }
      await store.aliases.delete(key('f'), 'live')
      await store.versions.delete(key('f'), '1')
      await store.versions.delete(key('f'), '77')
      expect(await store.versions.find(key('f'), '1')).toBeUndefined()
    })
  })
}
