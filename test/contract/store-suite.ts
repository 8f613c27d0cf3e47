/** What every implementation of the store must do, whatever the database. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FunctionConfiguration, FunctionKey } from '../../src/lambda/function.ts'
import { LIMITS } from '../../src/lambda/limits.ts'
import type { NewEvent } from '../../src/store/event-queue-store.ts'
import type { Page } from '../../src/store/page.ts'
import type { Store } from '../../src/store/store.ts'
import { validConfiguration } from '../support/configuration.ts'
import { describeCodeSigning } from './code-signing-suite.ts'
import { describeLayersAndPolicies } from './layers-suite.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Closes the store and opens the same database again. */
  reopen(): Promise<Store>
  dispose(): Promise<void>
}

export const key = (name: string): FunctionKey => ({ account: '111111111111', region: 'us-east-1', name })

export const validEvent = (changes: Partial<NewEvent> = {}): NewEvent => ({
  function: key('f'),
  qualifier: undefined,
  requestId: 'r-1',
  traceHeader: 'Root=1-0-0',
  payload: new TextEncoder().encode('{"a":1}'),
  enqueuedAt: 1000,
  ...changes,
})

export function describeStore(make: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest
  let store: Store

  beforeEach(async () => {
    under = await make()
    store = under.store
  })
  afterEach(() => under.dispose())

  const createActive = async (name: string, changes: Partial<FunctionConfiguration> = {}, publish = false) => {
    const { latest } = await store.functions.create(
      key(name),
      { configuration: validConfiguration(changes), tags: {}, publish },
      1000,
    )
    await store.functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
    return latest
  }
  const update = (name: string, changes: Partial<FunctionConfiguration>, revisionId?: string, publish = false) =>
    store.functions.beginUpdate(
      key(name),
      { change: (current) => ({ ...current, ...changes }), publish, revisionId },
      2000,
    )
  const finish = async (name: string) => {
    const stored = await store.functions.find(key(name))
    return store.functions.completeUpdate(key(name), stored?.latest.deploymentId ?? '', { ok: true })
  }
  const invocable = async (name: string, qualifier = '$LATEST') =>
    (await store.targets.find(key(name), qualifier))?.versions[0]?.version

  describe('functions', () => {
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
      store = await under.reopen()
      expect((await store.functions.unfinished()).map(({ name }) => name).sort()).toEqual(['new', 'updating'])
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
        if (random(60) === 0) store = await under.reopen()
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

  describe('versions', () => {
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
      store = await under.reopen()
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

  describe('aliases', () => {
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

  describe('reserved concurrency', () => {
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

  describe('targets', () => {
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

  describeLayersAndPolicies(() => under)
  describeCodeSigning(() => under)

  describe('event queue', () => {
    const drift = async () => {
      const { enqueued, waiting, claimed, done, dead, discarded } = await store.queue.counts()
      return enqueued - waiting - claimed - done - dead - discarded
    }
    const account = '111111111111/us-east-1'
    const without = (...names: string[]) => ({
      accounts: new Map([[account, Number.POSITIVE_INFINITY]]),
      functions: new Map(names.map((name) => [`${account}/${name}`, 0])),
    })

    it('gives back what was put, oldest first, byte for byte', async () => {
      const payload = new Uint8Array(1024 * 1024).map((_, i) => i % 251)
      await store.queue.put(validEvent({ requestId: 'second', enqueuedAt: 2000, qualifier: 'live' }))
      await store.queue.put(validEvent({ requestId: 'first', enqueuedAt: 1000, payload }))
      const [first, second] = (await store.queue.claim(2000, 10)).events
      expect(first).toMatchObject({
        requestId: 'first',
        function: key('f'),
        attempts: 0,
        enqueuedAt: 1000,
        traceHeader: 'Root=1-0-0',
      })
      expect(first?.qualifier).toBeUndefined()
      expect(Buffer.compare(first?.payload ?? new Uint8Array(), payload)).toBe(0)
      expect(second).toMatchObject({ requestId: 'second', qualifier: 'live' })
    })

    it('keeps each of many that come at once with its own content, in the order in which they came', async () => {
      // More than go into one statement, and not a round number of them.
      const ids = Array.from({ length: 77 }, (_, i) => `event-${i}`)
      const put = (requestId: string) =>
        store.queue.put(validEvent({ requestId, traceHeader: `Root=${requestId}`, payload: Buffer.from(requestId) }))
      await Promise.all(ids.map(put))
      const claimed = (await store.queue.claim(9000, 100)).events
      expect(claimed.map(({ requestId }) => requestId)).toEqual(ids)
      expect(claimed.map(({ traceHeader }) => traceHeader)).toEqual(ids.map((id) => `Root=${id}`))
      expect(claimed.map(({ payload }) => Buffer.from(payload).toString())).toEqual(ids)
      expect(await store.queue.counts()).toMatchObject({ enqueued: 77, claimed: 77 })
    })

    it('gives nothing that is not due and each event to one claim only', async () => {
      await store.queue.put(validEvent({ enqueuedAt: 5000 }))
      expect((await store.queue.claim(4999, 10)).events).toEqual([])
      const claims = await Promise.all([store.queue.claim(5000, 10), store.queue.claim(5000, 10)])
      expect(claims.flatMap(({ events }) => events)).toHaveLength(1)
      expect(await store.queue.nextDue()).toBeUndefined()
    })

    it('keeps a claim for the instance that made it, however late it gets', async () => {
      await store.queue.put(validEvent())
      const [event] = (await store.queue.claim(1000, 1)).events
      const yearsLater = 1000 + 1e12
      expect(await store.queue.recover(yearsLater)).toBe(0)
      expect(await store.queue.claim(yearsLater, 1)).toEqual({ events: [], unnamed: [] })
      expect(await store.queue.nextDue()).toBeUndefined()
      expect(await store.queue.settle(event!.id, event!.epoch)).toBe(true)
    })

    it('takes the claim of a dead instance back, and a late worker of it can do nothing', async () => {
      await store.queue.put(validEvent())
      const [late] = (await store.queue.claim(1000, 1)).events
      store = await under.reopen()
      await store.queue.recover(2000)
      const [now] = (await store.queue.claim(2000, 1)).events
      expect(now).toMatchObject({ id: late?.id, attempts: 1 })
      const { id, epoch } = late ?? { id: 0, epoch: 0 }
      expect(await store.queue.settle(id, epoch)).toBe(false)
      expect(await store.queue.release(id, epoch, 1)).toBe(false)
      expect(await store.queue.settle(id, now?.epoch ?? 0)).toBe(true)
      expect(await store.queue.settle(id, now?.epoch ?? 0)).toBe(false)
      expect(await store.queue.counts()).toEqual({
        enqueued: 1,
        waiting: 0,
        claimed: 0,
        done: 1,
        dead: 0,
        discarded: 0,
      })
      expect(await store.queue.nextDue()).toBeUndefined()
    })

    it('makes a released event due again at its time, with one attempt more', async () => {
      await store.queue.put(validEvent())
      const [event] = (await store.queue.claim(1000, 1)).events
      expect(await store.queue.release(event?.id ?? 0, event?.epoch ?? 0, 60_000)).toBe(true)
      expect(await store.queue.release(event?.id ?? 0, event?.epoch ?? 0, 1)).toBe(false)
      expect(await store.queue.nextDue()).toBe(60_000)
      expect((await store.queue.claim(59_999, 1)).events).toEqual([])
      expect((await store.queue.claim(60_000, 1)).events[0]).toMatchObject({ requestId: 'r-1', attempts: 1 })
    })

    it('gives back what a host held that died, and nothing else', async () => {
      await store.queue.put(validEvent())
      await store.queue.put(validEvent({ requestId: 'r-2' }))
      const [event] = (await store.queue.claim(1000, 1)).events
      store = await under.reopen()
      expect(await store.queue.recover(1500)).toBe(1)
      expect(await store.queue.settle(event?.id ?? 0, event?.epoch ?? 0)).toBe(false)
      expect((await store.queue.claim(1500, 10)).events).toHaveLength(2)
      expect(await store.queue.recover(1500)).toBe(0)
      store = await under.reopen()
      expect(await store.queue.recover(1500)).toBe(2)
      expect(await drift()).toBe(0)
    })

    it('passes over throttled functions however many of the oldest events are theirs', async () => {
      const puts: Promise<void>[] = []
      for (let i = 0; i < 600; i++)
        puts.push(store.queue.put(validEvent({ function: key('busy'), enqueuedAt: 1000 + i })))
      for (const [i, name] of ['a', 'm', 'z'].entries()) {
        puts.push(store.queue.put(validEvent({ function: key(name), requestId: name, enqueuedAt: 9000 - i })))
      }
      await Promise.all(puts)
      const claimed = (await store.queue.claim(10_000, 2, without('busy'))).events
      expect(claimed.map(({ requestId }) => requestId)).toEqual(['z', 'm'])
      expect((await store.queue.claim(10_000, 5, without('busy', 'none'))).events.map((e) => e.requestId)).toEqual([
        'a',
      ])
      expect((await store.queue.claim(10_000, 5, without('busy'))).events).toEqual([])
      expect((await store.queue.claim(10_000, 5)).events).toHaveLength(5)
    })

    it('takes nothing of an account that the limits do not name, and says of which function', async () => {
      const other = { ...key('f'), account: '222222222222' }
      await store.queue.put(validEvent({ function: other, enqueuedAt: 1 }))
      await store.queue.put(validEvent({ function: other, enqueuedAt: 2 }))
      await store.queue.put(validEvent({ requestId: 'named' }))
      const { events, unnamed } = await store.queue.claim(5000, 10, without())
      expect(events.map(({ requestId }) => requestId)).toEqual(['named'])
      expect(unnamed).toEqual([other])
    })

    it('takes of each function what the limits say, one for itself or those of its account', async () => {
      for (let i = 0; i < 5; i++) {
        for (const name of ['a', 'b', 'c']) await store.queue.put(validEvent({ function: key(name) }))
      }
      const limits = { accounts: new Map([[account, 2]]), functions: new Map([[`${account}/b`, 4]]) }
      const { events } = await store.queue.claim(5000, 100, limits)
      const of = (name: string) => events.filter((event) => event.function.name === name).length
      expect([of('a'), of('b'), of('c')]).toEqual([2, 4, 2])
    })

    it('runs what was accepted under a clock that has been set back since', async () => {
      await store.queue.put(validEvent({ requestId: 'fresh', enqueuedAt: 3_600_000 }))
      await store.queue.put(validEvent({ requestId: 'retry' }))
      const [retry] = (await store.queue.claim(1000, 1)).events
      await store.queue.release(retry!.id, retry!.epoch, 61_000, 'retry')
      store = await under.reopen()
      await store.queue.recover(2000)
      expect((await store.queue.claim(2000, 10)).events.map(({ requestId }) => requestId)).toEqual(['fresh'])
      expect(await store.queue.nextDue()).toBe(61_000)
    })

    it('discards the events of one function, waiting and claimed', async () => {
      await store.queue.put(validEvent())
      await store.queue.put(validEvent())
      await store.queue.put(validEvent({ function: key('f2') }))
      const [claimed] = (await store.queue.claim(1000, 1)).events
      expect(await store.queue.discard(key('f'))).toBe(2)
      expect(await store.queue.settle(claimed?.id ?? 0, claimed?.epoch ?? 0)).toBe(false)
      expect(await store.queue.counts()).toEqual({
        enqueued: 3,
        waiting: 1,
        claimed: 0,
        done: 0,
        dead: 0,
        discarded: 2,
      })
    })

    it('discards a backlog longer than one step', async () => {
      await createActive('f')
      await Promise.all(Array.from({ length: 5100 }, () => store.queue.put(validEvent())))
      await store.functions.delete(key('f'))
      expect(await store.queue.counts()).toEqual({
        enqueued: 5100,
        waiting: 0,
        claimed: 0,
        done: 0,
        dead: 0,
        discarded: 5100,
      })
    })

    it('loses and invents nothing over a random walk of puts, claims, releases, settles and crashes', async () => {
      let seed = 42
      const random = (below: number) => {
        seed = (seed * 1103515245 + 12345) % 2147483648
        return seed % below
      }
      let put = 0
      const settled = new Set<string>()
      let held: { id: number; epoch: number; requestId: string }[] = []
      for (let step = 0, now = 1000; step < 300; step++, now += 10) {
        const action = random(10)
        if (action < 4) await store.queue.put(validEvent({ requestId: `e${put++}`, enqueuedAt: now }))
        else if (action < 6) held.push(...(await store.queue.claim(now, 1 + random(3))).events)
        else if (action < 8 && held.length > 0) {
          const [event] = held.splice(random(held.length), 1)
          if (event && (await store.queue.settle(event.id, event.epoch))) {
            expect(settled.has(event.requestId)).toBe(false)
            settled.add(event.requestId)
          }
        } else if (action === 8 && held.length > 0) {
          const [event] = held.splice(random(held.length), 1)
          if (event) await store.queue.release(event.id, event.epoch, now + random(100))
        } else if (random(20) === 0) {
          store = await under.reopen()
          await store.queue.recover(now)
          // Late writes of the instance before, or none.
          if (random(2)) held = []
        }
        expect(await drift()).toBe(0)
      }
      store = await under.reopen()
      await store.queue.recover(1_000_000)
      const rest = (await store.queue.claim(1_000_000, 1000)).events
      expect(rest.length + settled.size).toBe(put)
      expect((await store.queue.counts()).claimed).toBe(rest.length)
    })
  })
}
