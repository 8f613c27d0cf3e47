/** What every implementation of the store must do with layers and resource policies. */
import { describe, expect, it } from 'vitest'
import type { FunctionConfiguration } from '../../../src/lambda/function.ts'
import { LIMITS } from '../../../src/lambda/limits.ts'
import type { Statement } from '../../../src/lambda/policy/policy.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { key, type StoreUnderTest } from './under-test.ts'

const content = (changes: object = {}) => ({
  description: '',
  codeSha256: 'layer-1',
  codeSize: 10,
  unzippedBytes: 20,
  ...changes,
})

const statement = (Sid: string): Statement => ({
  Sid,
  Effect: 'Allow',
  Principal: '*',
  Action: 'lambda:InvokeFunction',
  Resource: '*',
})

const add =
  (sid: string) =>
  (all: readonly Statement[]): readonly Statement[] => [...all, statement(sid)]

const reference = (codeSha256: string) => ({ arn: `arn:${codeSha256}`, codeSha256, codeSize: 10, unzippedBytes: 20 })

export function describeLayersAndPolicies(under: () => StoreUnderTest): void {
  const createActive = async (name: string, changes: Partial<FunctionConfiguration> = {}) => {
    const input = { configuration: validConfiguration(changes), tags: {}, publish: false }
    const { latest } = await under().store.functions.create(key(name), input, 1000)
    await under().store.functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
    return latest
  }

  describe('layers', () => {
    it('keep what they were published with over a restart, and their numbers over their deletion', async () => {
      const full = content({
        compatibleRuntimes: ['python3.12'],
        compatibleArchitectures: ['arm64'],
        licenseInfo: 'MIT',
      })
      const published = await under().store.layers.publish(key('l'), full, 5)
      expect(published).toEqual({ ...key('l'), ...full, version: 1, created: 5 })
      await under().store.layers.delete(key('l'), 1)
      await under().store.layers.delete(key('l'), 1)
      const { layers } = await under().reopen()
      expect(await layers.find(key('l'), 1)).toBeUndefined()
      expect((await layers.publish(key('l'), content(), 6)).version).toBe(2)
      expect(await layers.find(key('l'), 2)).toEqual({ ...key('l'), ...content(), version: 2, created: 6 })
    })

    it('count towards the code that an account may store', async () => {
      const { layers, functions } = under().store
      await layers.publish(key('l'), content({ codeSize: LIMITS.totalCodeBytes - 50 }), 5)
      expect((await functions.usage('111111111111', 'us-east-1')).codeBytes).toBe(LIMITS.totalCodeBytes - 50)
      await expect(layers.publish(key('l'), content({ codeSize: 51 }), 5)).rejects.toMatchObject({
        name: 'CodeStorageExceededException',
      })
      await expect(createActive('f', { codeSize: 51 })).rejects.toMatchObject({ name: 'CodeStorageExceededException' })
      expect((await layers.publish(key('l'), content({ codeSize: 50 }), 5)).version).toBe(2)
      await layers.delete(key('l'), 1)
      await layers.delete(key('l'), 1)
      expect((await functions.usage('111111111111', 'us-east-1')).codeBytes).toBe(50)
    })

    it('are needed while a version of a function, or its previous deployment, uses them', async () => {
      const { layers, functions, versions } = under().store
      await layers.publish(key('l'), content({ codeSha256: 'published' }), 5)
      const latest = await createActive('f', { layers: [reference('a'), reference('b')] })
      await versions.publish(key('f'), {}, 1000)
      const change = () => validConfiguration({ layers: [reference('c')] })
      const updated = await functions.beginUpdate(key('f'), { change, publish: false }, 1000)
      expect(updated.latest.deploymentId).not.toBe(latest.deploymentId)
      expect([...(await layers.codeInUse())].sort()).toEqual(['a', 'b', 'c', 'published'])
      await functions.completeUpdate(key('f'), updated.latest.deploymentId, { ok: true })
      expect(await layers.combinations()).toEqual(expect.arrayContaining([['a', 'b'], ['c']]))
      await versions.delete(key('f'), '1')
      expect(await layers.combinations()).toEqual([['c']])
    })

    it('change their policy under its RevisionId', async () => {
      const { layers } = under().store
      expect(await layers.changePolicy(key('l'), 1, add('a'))).toBeUndefined()
      await layers.publish(key('l'), content(), 5)
      const first = await layers.changePolicy(key('l'), 1, add('a'))
      await expect(layers.changePolicy(key('l'), 1, add('b'), 'stale')).rejects.toMatchObject({
        name: 'PreconditionFailedException',
      })
      const second = await layers.changePolicy(key('l'), 1, add('b'), first?.revisionId)
      expect((await layers.policy(key('l'), 1))?.statements.map(({ Sid }) => Sid)).toEqual(['a', 'b'])
      expect(second?.revisionId).not.toBe(first?.revisionId)
    })

    it('lose no statement when many are added at once', async () => {
      const { layers } = under().store
      await layers.publish(key('l'), content(), 5)
      await Promise.all(Array.from({ length: 20 }, (_, i) => layers.changePolicy(key('l'), 1, add(`s${i}`))))
      expect((await layers.policy(key('l'), 1))?.statements).toHaveLength(20)
    })
  })

  describe('policies', () => {
    it('reach invocations with the qualifier that they belong to, and nobody else', async () => {
      const { policies, targets, versions, aliases } = under().store
      await createActive('f')
      await versions.publish(key('f'), {}, 1000)
      await aliases.create(key('f'), { name: 'live', functionVersion: '1', description: '' })
      const { position } = targets.changes
      await policies.change(key('f'), 'live', add('a'))
      expect(targets.changes.read(position).keys).toEqual([key('f')])
      expect((await targets.find(key('f'), 'live'))?.policy).toEqual([statement('a')])
      expect((await targets.find(key('f'), '1'))?.policy).toBeUndefined()
      expect((await targets.find(key('f'), '$LATEST'))?.policy).toBeUndefined()
    })

    it('have the RevisionId of what they belong to, and change it', async () => {
      const { policies, versions, functions } = under().store
      await createActive('f')
      const before = await versions.find(key('f'), '$LATEST')
      expect(await policies.find(key('f'), '$LATEST')).toEqual({ statements: [], revisionId: before?.revisionId })
      await expect(policies.change(key('f'), '$LATEST', add('a'), 'stale')).rejects.toMatchObject({
        name: 'PreconditionFailedException',
      })
      const changed = await policies.change(key('f'), '$LATEST', add('a'), before?.revisionId)
      const after = (await functions.find(key('f')))?.latest
      expect(changed?.revisionId).toBe(after?.revisionId)
      expect(after?.deploymentId).toBe(before?.deploymentId)
    })

    it('keep their RevisionId whatever else happens to the function', async () => {
      const { policies, versions, functions } = under().store
      await createActive('f')
      const changed = await policies.change(key('f'), '$LATEST', add('a'))
      await versions.publish(key('f'), {}, 1000)
      await policies.change(key('f'), '1', add('b'))
      await functions.changeTags(key('f'), () => ({ a: 'b' }))
      expect((await policies.find(key('f'), '$LATEST'))?.revisionId).toBe(changed?.revisionId)
      expect((await functions.find(key('f')))?.latest.revisionId).not.toBe(changed?.revisionId)
      const again = await policies.change(key('f'), '$LATEST', add('c'), changed?.revisionId)
      expect(again?.revisionId).not.toBe(changed?.revisionId)
    })

    it('go with their function, version or alias', async () => {
      const { policies, versions, aliases, functions } = under().store
      await createActive('f')
      await versions.publish(key('f'), {}, 1000)
      const alias = { name: 'live', functionVersion: '1', description: '' }
      await aliases.create(key('f'), alias)
      for (const qualifier of ['$LATEST', '1', 'live']) await policies.change(key('f'), qualifier, add('a'))
      await aliases.delete(key('f'), 'live')
      expect(await policies.find(key('f'), 'live')).toBeUndefined()
      await aliases.create(key('f'), alias)
      expect((await policies.find(key('f'), 'live'))?.statements).toEqual([])
      await functions.delete(key('f'))
      expect(await policies.find(key('f'), '$LATEST')).toBeUndefined()
      await createActive('f')
      expect((await policies.find(key('f'), '$LATEST'))?.statements).toEqual([])
    })

    it('survive a restart', async () => {
      await createActive('f')
      await under().store.policies.change(key('f'), '$LATEST', add('a'))
      const { policies } = await under().reopen()
      expect((await policies.find(key('f'), '$LATEST'))?.statements).toEqual([statement('a')])
      await policies.change(key('f'), '$LATEST', () => [])
      expect((await policies.find(key('f'), '$LATEST'))?.statements).toEqual([])
    })
  })
}
