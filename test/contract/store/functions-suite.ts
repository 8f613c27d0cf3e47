/** What every implementation of the store must do: functions. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { FunctionConfiguration } from '../../../src/lambda/function.ts'
import { LIMITS } from '../../../src/lambda/limits.ts'
import type { Page } from '../../../src/store/page.ts'
import type { Store } from '../../../src/store/store.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { callsOf, key, type StoreUnderTest, validEvent } from './under-test.ts'

export function describeFunctions(under: () => StoreUnderTest): void {
  describe('functions', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive, update, finish, invocable } = callsOf(() => store)

    it('shows a new function as Pending without LastUpdateStatus and then as Active with another RevisionId', async () => {
      const { latest } = await store.functions.create(
        key('f'),
        { configuration: validConfiguration(), tags: { a: 'b' }, publish: false },
        1000,
      )
      expect(latest).toMatchObject({ state: 'Pending', stateReasonCode: 'Creating', version: '$LATEST' })
      expect(latest.lastUpdateStatus).toBeUndefined()
      expect(await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })).toBe(true)
      const stored = await store.functions.find(key('f'))
      expect(stored).toMatchObject({ tags: { a: 'b' }, latest: { state: 'Active', lastUpdateStatus: 'Successful' } })
      expect(stored?.latest.stateReason).toBeUndefined()
      expect(stored?.latest.revisionId).not.toBe(latest.revisionId)
      expect(stored?.latest.deploymentId).toBe(latest.deploymentId)
    })

    it('refuses a second function of the same name, but not in another account or region', async () => {
      const input = { configuration: validConfiguration(), tags: {}, publish: false }
      await store.functions.create(key('f'), input, 1)
      await expect(store.functions.create(key('f'), input, 1)).rejects.toMatchObject({
        name: 'ResourceConflictException',
        message: 'Function already exist: f',
      })
      await store.functions.create({ ...key('f'), account: '222222222222' }, input, 1)
      await store.functions.create({ ...key('f'), region: 'eu-west-1' }, input, 1)
    })

    it('keeps giving invocations the previous deployment until the update is complete', async () => {
      const created = await createActive('f')
      const { latest } = await update('f', { codeSha256: 'sha-2', memorySize: 256 })
      expect(latest).toMatchObject({ lastUpdateStatus: 'InProgress', memorySize: 256, state: 'Active' })
      expect(await invocable('f')).toMatchObject({
        codeSha256: 'sha-1',
        memorySize: 128,
        deploymentId: created.deploymentId,
      })
      await finish('f')
      expect(await invocable('f')).toMatchObject({
        codeSha256: 'sha-2',
        memorySize: 256,
        deploymentId: latest.deploymentId,
      })
    })

    it('keeps giving invocations the last good deployment after an update failed, over further updates', async () => {
      await createActive('f')
      const failed = await update('f', { codeSha256: 'sha-2' })
      await store.functions.completeUpdate(key('f'), failed.latest.deploymentId, {
        ok: false,
        reason: 'no image',
        code: 'InvalidRuntime',
      })
      expect((await store.functions.find(key('f')))?.latest).toMatchObject({
        state: 'Active',
        lastUpdateStatus: 'Failed',
        lastUpdateStatusReason: 'no image',
        lastUpdateStatusReasonCode: 'InvalidRuntime',
      })
      expect((await invocable('f'))?.codeSha256).toBe('sha-1')
      await update('f', { codeSha256: 'sha-3' })
      expect((await invocable('f'))?.codeSha256).toBe('sha-1')
      expect(await store.functions.codeInUse()).toEqual(new Set(['sha-1', 'sha-3']))
      await finish('f')
      expect((await invocable('f'))?.codeSha256).toBe('sha-3')
      expect(await store.functions.codeInUse()).toEqual(new Set(['sha-3']))
    })

    it('names an encrypted package by its id, also while invocations still get it', async () => {
      const sealed = (id: string) => ({
        codeSha256: 'sha-1',
        sealedPackage: { id, dataKey: { key: 'k', dataKey: 'd', text: id } },
      })
      await createActive('f', sealed('one'))
      expect(await store.functions.codeInUse()).toEqual(new Set(['one']))
      await update('f', sealed('two'))
      expect(await store.functions.codeInUse()).toEqual(new Set(['one', 'two']))
      await finish('f')
      expect(await store.functions.codeInUse()).toEqual(new Set(['two']))
    })

    it('lets an update repair a function whose creation failed', async () => {
      const { latest } = await store.functions.create(
        key('f'),
        { configuration: validConfiguration(), tags: {}, publish: false },
        1,
      )
      await store.functions.completeUpdate(key('f'), latest.deploymentId, {
        ok: false,
        reason: 'x',
        code: 'InternalError',
      })
      expect(await invocable('f')).toMatchObject({ state: 'Failed', stateReasonCode: 'InternalError' })
      await update('f', { codeSha256: 'sha-2' })
      expect((await invocable('f'))?.state).toBe('Failed')
      await finish('f')
      expect(await invocable('f')).toMatchObject({ state: 'Active', codeSha256: 'sha-2' })
    })

    it('allows one update at a time', async () => {
      const { latest } = await store.functions.create(
        key('f'),
        { configuration: validConfiguration(), tags: {}, publish: false },
        1,
      )
      await expect(update('f', {})).rejects.toMatchObject({
        name: 'ResourceConflictException',
        message:
          "The operation cannot be performed at this time. The resource arn:aws:lambda:us-east-1:111111111111:function:f is currently in the following state: 'Pending'. StateReasonCode: 'Creating'",
      })
      await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })
      const results = await Promise.allSettled([update('f', { timeout: 4 }), update('f', { timeout: 5 })])
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: {
          name: 'ResourceConflictException',
          message:
            'The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:111111111111:function:f',
        },
      })
    })

    it('refuses an update with an old RevisionId and changes nothing', async () => {
      const created = await createActive('f')
      await expect(update('f', { timeout: 9 }, created.revisionId)).rejects.toMatchObject({
        name: 'PreconditionFailedException',
      })
      const current = (await store.functions.find(key('f')))?.latest
      expect(current).toMatchObject({ timeout: 3, lastUpdateStatus: 'Successful' })
      await update('f', { timeout: 9 }, current?.revisionId)
    })

    it('rolls back when the change is refused', async () => {
      await createActive('f')
      const before = await store.functions.find(key('f'))
      await expect(
        store.functions.beginUpdate(
          key('f'),
          {
            change: () => {
              throw new Error('refused')
            },
            publish: false,
          },
          2,
        ),
      ).rejects.toThrow('refused')
      expect(await store.functions.find(key('f'))).toEqual(before)
    })

    it('ignores a completion that belongs to a deleted or replaced deployment', async () => {
      const { latest } = await store.functions.create(
        key('f'),
        { configuration: validConfiguration(), tags: {}, publish: false },
        1,
      )
      await store.functions.delete(key('f'))
      expect(await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })).toBe(false)
      await store.functions.create(key('f'), { configuration: validConfiguration(), tags: {}, publish: false }, 1)
      expect(await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })).toBe(false)
      expect((await store.functions.find(key('f')))?.latest.state).toBe('Pending')
    })

    it('remembers what a crash left Pending or InProgress', async () => {
      await store.functions.create(key('new'), { configuration: validConfiguration(), tags: {}, publish: false }, 1)
      await createActive('updating')
      await update('updating', {})
      await createActive('settled')
      store = await under().reopen()
      expect((await store.functions.unfinished()).map(({ name }) => name).sort()).toEqual(['new', 'updating'])
    })

    it('takes up what failed for a reason of the host, and nothing that failed for another', async () => {
      const failing = async (name: string, code: 'InternalError' | 'InvalidRuntime') => {
        const written = await store.functions.create(
          key(name),
          { configuration: validConfiguration(), tags: {}, publish: true },
          1,
        )
        await store.functions.completeUpdate(key(name), written.latest.deploymentId, { ok: false, reason: 'no', code })
      }
      await failing('host', 'InternalError')
      await failing('other', 'InvalidRuntime')
      await createActive('update')
      const { latest } = await update('update', { timeout: 9 })
      await store.functions.completeUpdate(key('update'), latest.deploymentId, {
        ok: false,
        reason: 'no',
        code: 'InternalError',
      })
      await store.functions.reopenFailed()
      const unfinished = await store.functions.unfinished()
      expect(unfinished.map(({ name, state }) => [name, state]).sort()).toEqual([
        ['host', 'Pending'],
        ['update', 'Active'],
      ])
      for (const one of unfinished) await store.functions.completeUpdate(key(one.name), one.deploymentId, { ok: true })
      expect((await store.functions.find(key('host')))?.latest).toMatchObject({
        state: 'Active',
        stateReason: undefined,
      })
      expect((await store.versions.find(key('host'), '1'))?.state).toBe('Active')
      expect((await store.functions.find(key('update')))?.latest).toMatchObject({
        lastUpdateStatus: 'Successful',
        timeout: 9,
      })
      expect((await store.functions.find(key('other')))?.latest.state).toBe('Failed')
    })

    it('removes versions, aliases, reservation, tags and events with the function', async () => {
      await createActive('f', {}, true)
      await store.aliases.create(key('f'), { name: 'live', functionVersion: '1', description: '' })
      await store.functions.reserveConcurrency(key('f'), 5, { accountConcurrency: 1000, unreservedMinimum: 100 })
      await store.queue.put(validEvent())
      await store.queue.put(validEvent({ function: key('other') }))
      await store.functions.delete(key('f'))
      expect(await store.functions.find(key('f'))).toBeUndefined()
      expect(await store.versions.find(key('f'), '1')).toBeUndefined()
      expect(await store.aliases.find(key('f'), 'live')).toBeUndefined()
      expect(await store.targets.find(key('f'), 'live')).toBeUndefined()
      expect(await store.queue.counts()).toEqual({
        enqueued: 2,
        waiting: 1,
        claimed: 0,
        done: 0,
        dead: 0,
        discarded: 1,
      })
      await expect(store.functions.delete(key('f'))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
      await createActive('f')
      expect(await store.functions.find(key('f'))).toMatchObject({ tags: {}, reservedConcurrency: undefined })
    })

    it('lists functions page by page by name, and all versions on request', async () => {
      for (const name of ['c', 'a', 'b']) await createActive(name, {}, name === 'b')
      await store.functions.create(
        { ...key('elsewhere'), region: 'eu-west-1' },
        { configuration: validConfiguration(), tags: {}, publish: false },
        1,
      )
      const first = await store.functions.list('111111111111', 'us-east-1', { maxItems: 2 })
      expect(first.items.map(({ name }) => name)).toEqual(['a', 'b'])
      const second = await store.functions.list('111111111111', 'us-east-1', { maxItems: 2, marker: first.nextMarker })
      expect(second.items.map(({ name }) => name)).toEqual(['c'])
      expect(second.nextMarker).toBeUndefined()
      const seen: string[] = []
      let marker: string | undefined
      do {
        const page = await store.functions.list('111111111111', 'us-east-1', { maxItems: 1, marker, allVersions: true })
        seen.push(...page.items.map(({ name, version }) => `${name}:${version}`))
        marker = page.nextMarker
      } while (marker)
      expect(seen).toEqual(['a:$LATEST', 'b:$LATEST', 'b:1', 'c:$LATEST'])
    })

    it('never gives more than 50 items and refuses a made-up marker', async () => {
      for (let i = 0; i < 51; i++) await createActive(`f${String(i).padStart(2, '0')}`)
      const page = await store.functions.list('111111111111', 'us-east-1', { maxItems: 10_000 })
      expect(page.items).toHaveLength(50)
      await expect(store.functions.list('111111111111', 'us-east-1', { marker: 'nonsense' })).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
      })
    })

    it('changes tags together with the RevisionId', async () => {
      await createActive('f')
      const before = await store.functions.find(key('f'))
      await store.functions.changeTags(key('f'), (tags) => ({ ...tags, a: '1' }))
      const after = await store.functions.find(key('f'))
      expect(after?.tags).toEqual({ a: '1' })
      expect(after?.latest.revisionId).not.toBe(before?.latest.revisionId)
    })

    it('counts the code of all versions through creation, update, publication and deletion', async () => {
      const { functions, versions } = store
      const usage = () => functions.usage('111111111111', 'us-east-1')
      await createActive('f', { codeSize: 100 }, true)
      await createActive('g', { codeSize: 7 })
      expect(await usage()).toEqual({ codeBytes: 207, functions: 2, reserved: 0 })
      const change = () => validConfiguration({ codeSize: 30, codeSha256: 'smaller' })
      const { latest } = await functions.beginUpdate(key('f'), { change, publish: false }, 1)
      expect((await usage()).codeBytes).toBe(137)
      await functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })
      await versions.publish(key('f'), {}, 2)
      await versions.publish(key('f'), {}, 3)
      expect((await usage()).codeBytes).toBe(167)
      await versions.delete(key('f'), '1')
      await versions.delete(key('f'), '1')
      expect((await usage()).codeBytes).toBe(67)
      await functions.delete(key('f'))
      expect(await usage()).toEqual({ codeBytes: 7, functions: 1, reserved: 0 })
      expect(await functions.usage('222222222222', 'us-east-1')).toEqual({ codeBytes: 0, functions: 0, reserved: 0 })
    })

    it('counts code without drift over a random walk of creations, updates, failures, layers, deletions and restarts', async () => {
      let seed = 7
      const random = (below: number) => {
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        return Math.floor((seed / 2 ** 31) * below)
      }
      const size = () => (random(12) === 0 ? LIMITS.totalCodeBytes : 1 + random(1000))
      const code = (): Partial<FunctionConfiguration> => ({ codeSize: size(), codeSha256: `sha-${random(1000)}` })
      const complete = async (name: string) => {
        const stored = await store.functions.find(key(name))
        const outcome = random(3) === 0 ? ({ ok: false, reason: 'r', code: 'c' } as const) : ({ ok: true } as const)
        return store.functions.completeUpdate(key(name), stored?.latest.deploymentId ?? '', outcome)
      }
      const actions: ((name: string) => Promise<unknown>)[] = [
        (name) => {
          const configuration = validConfiguration(code())
          return store.functions.create(key(name), { configuration, tags: {}, publish: random(2) === 0 }, 1)
        },
        (name) => update(name, code(), undefined, random(2) === 0),
        complete,
        complete,
        (name) => store.versions.publish(key(name), {}, 1),
        (name) => store.versions.delete(key(name), String(1 + random(5))),
        (name) => store.functions.delete(key(name)),
        (name) =>
          store.layers.publish(key(name), { description: '', codeSha256: 'l', codeSize: size(), unzippedBytes: 1 }, 1),
        (name) => store.layers.delete(key(name), 1 + random(5)),
      ]
      const pages = async (list: (marker?: string) => Promise<Page<{ readonly codeSize: number }>>) => {
        let bytes = 0
        let marker: string | undefined
        do {
          const { items, nextMarker } = await list(marker)
          for (const { codeSize } of items) bytes += codeSize
          marker = nextMarker
        } while (marker !== undefined)
        return bytes
      }
      const { account, region } = key('')
      for (let step = 0; step < 250; step++) {
        const act = () => actions[random(actions.length)]?.(`f${random(3)}`)
        await Promise.allSettled([act(), act(), act()])
        if (random(60) === 0) store = await under().reopen()
        let bytes = await pages((marker) => store.functions.list(account, region, { marker, allVersions: true }))
        for (const name of ['f0', 'f1', 'f2'])
          bytes += await pages((marker) => store.layers.versions(key(name), { marker }))
        expect((await store.functions.usage(account, region)).codeBytes, `step ${step}`).toBe(bytes)
      }
    })

    it('refuses code beyond the quota of the account', async () => {
      await createActive('f', { codeSize: LIMITS.totalCodeBytes })
      await expect(
        store.functions.create(
          key('g'),
          { configuration: validConfiguration({ codeSize: 1 }), tags: {}, publish: false },
          1,
        ),
      ).rejects.toMatchObject({ name: 'CodeStorageExceededException' })
      const { codeBytes } = await store.functions.usage('111111111111', 'us-east-1')
      expect(codeBytes).toBe(LIMITS.totalCodeBytes)
    })
  })
}
