/** Which image a version's runtime is, as the store keeps it. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { FunctionConfiguration } from '../../../src/lambda/function.ts'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'
import type { StoreUnderTest } from './under-test.ts'

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)]
const configuration = validConfiguration({ runtime: 'python3.13' })
const manual = { runtime: 'python3.13', updateRuntimeOn: 'Manual', runtimeVersion: NEW } as const

export function describeRuntimeVersions(under: () => StoreUnderTest): void {
  describe('runtime versions', () => {
    let store: Store
    beforeEach(async () => {
      store = under().store
      const { latest } = await store.functions.create(key, { configuration, tags: {}, publish: true }, 1)
      await expect(store.functions.manageRuntime(key, '$LATEST', manual)).rejects.toMatchObject({
        name: 'ResourceConflictException',
      })
      await store.functions.completeUpdate(key, latest.deploymentId, { ok: true, runtimeVersion: OLD })
    })
    const invoked = async (qualifier: string) => (await store.targets.find(key, qualifier))?.versions[0]?.version

    /** An update of the function that is prepared with this image. */
    async function update(
      runtimeVersion: string | undefined,
      change: Partial<FunctionConfiguration> = {},
    ): Promise<void> {
      const { latest } = await store.functions.beginUpdate(
        key,
        { change: (now) => ({ ...now, ...change }), publish: false },
        2,
      )
      const outcome = runtimeVersion ? { ok: true, runtimeVersion } : { ok: false, reason: 'x', code: 'InternalError' }
      await store.functions.completeUpdate(key, latest.deploymentId, outcome as { ok: true })
    }

    it('a pin is a new deployment of that version alone, and survives the host', async () => {
      const before = await invoked('1')
      await store.functions.manageRuntime(key, '1', manual)
      store = await under().reopen()
      expect(await invoked('1')).toMatchObject({ runtimePin: NEW, updateRuntimeOn: 'Manual' })
      expect((await invoked('1'))?.deploymentId).not.toBe(before?.deploymentId)
      expect((await invoked('$LATEST'))?.runtimePin).toBeUndefined()
      expect(await store.functions.runtimeVersionsInUse()).toEqual(new Set([OLD, NEW]))
    })

    it('FunctionUpdate stays with the image of the last update that succeeded', async () => {
      await store.functions.manageRuntime(key, '$LATEST', {
        ...manual,
        updateRuntimeOn: 'FunctionUpdate',
        runtimeVersion: OLD,
      })
      await update(undefined, { timeout: 9 })
      expect(await invoked('$LATEST')).toMatchObject({ runtimePin: OLD, timeout: 3 })
      await update(NEW)
      expect(await invoked('$LATEST')).toMatchObject({ runtimePin: NEW, timeout: 9 })
    })

    it('a pin put after a failed update reaches what still runs', async () => {
      await update(undefined, { timeout: 9 })
      const before = await invoked('$LATEST')
      await store.functions.manageRuntime(key, '$LATEST', manual)
      const after = await invoked('$LATEST')
      expect(after).toMatchObject({ runtimePin: NEW, timeout: 3 })
      expect(after?.deploymentId).not.toBe(before?.deploymentId)
    })

    it('Auto forgets the pin, and a published version begins with that of $LATEST', async () => {
      await store.functions.manageRuntime(key, '$LATEST', manual)
      await update(OLD, { timeout: 5 })
      expect(await store.versions.publish(key, {}, 3)).toMatchObject({ version: '2', runtimePin: NEW })
      await store.functions.manageRuntime(key, '$LATEST', { ...manual, updateRuntimeOn: 'Auto' })
      expect((await invoked('$LATEST'))?.runtimePin).toBeUndefined()
      expect((await invoked('2'))?.runtimePin).toBe(NEW)
    })

    it('images are known for the runtime that they were, and not for another', async () => {
      expect(await store.functions.knowsRuntimeVersion('python3.13', OLD)).toBe(true)
      expect(await store.functions.knowsRuntimeVersion('nodejs22.x', OLD)).toBe(false)
      expect(await store.functions.knowsRuntimeVersion('python3.13', NEW)).toBe(false)
      await update(OLD, { runtime: 'python3.14' })
      await expect(store.functions.manageRuntime(key, '$LATEST', manual)).rejects.toMatchObject({
        name: 'ResourceConflictException',
        message: expect.stringContaining('changed in the meantime'),
      })
    })
  })
}
