/** What every implementation of the store must do with code-signing configurations. */
import { describe, expect, it } from 'vitest'
import type { FunctionConfiguration } from '../../../src/lambda/function.ts'
import type { CodeSigningConfig } from '../../../src/lambda/package/code-signing.ts'
import { validConfiguration } from '../../support/configuration.ts'
import { key, type StoreUnderTest } from './under-test.ts'

const scope = { account: '111111111111', region: 'us-east-1' }
const config = (id: string): Omit<CodeSigningConfig, 'revision'> => ({
  ...scope,
  id,
  description: 'd',
  publishers: ['arn:1', 'arn:2'],
  policy: 'Enforce',
  lastModified: 5,
})
const MISSING = { name: 'ResourceNotFoundException', message: expect.stringContaining('can not be found') }

export function describeCodeSigning(under: () => StoreUnderTest): void {
  const configs = () => under().store.codeSigning
  const createFunction = async (name: string, changes: Partial<FunctionConfiguration> = {}) => {
    const input = { configuration: validConfiguration(changes), tags: {}, publish: false }
    const { latest } = await under().store.functions.create(key(name), input, 1000)
    await under().store.functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
  }

  describe('code-signing configurations', () => {
    it('keep what they were made with over a restart, each account and region its own', async () => {
      const created = await configs().create(config('csc-1'), { a: 'b' })
      expect(created).toEqual({ ...config('csc-1'), revision: expect.any(String) })
      const { codeSigning } = await under().reopen()
      expect(await codeSigning.find({ ...scope, id: 'csc-1' })).toEqual(created)
      expect(await codeSigning.tags({ ...scope, id: 'csc-1' })).toEqual({ a: 'b' })
      expect(await codeSigning.find({ ...scope, account: '222222222222', id: 'csc-1' })).toBeUndefined()
      expect((await codeSigning.list('111111111111', 'eu-west-1', {})).items).toEqual([])
    })

    it('change in the members that are given, with another revision', async () => {
      const { revision } = await configs().create(config('csc-1'), {})
      const changed = await configs().update({ ...scope, id: 'csc-1' }, { policy: 'Warn' }, 9)
      expect(changed).toEqual({ ...config('csc-1'), policy: 'Warn', lastModified: 9, revision: expect.any(String) })
      expect(changed.revision).not.toBe(revision)
      await configs().changeTags({ ...scope, id: 'csc-1' }, (tags) => ({ ...tags, x: 'y' }))
      expect(await configs().tags({ ...scope, id: 'csc-1' })).toEqual({ x: 'y' })
    })

    it('that do not exist are refused by everything that names one', async () => {
      const nobody = { ...scope, id: 'csc-0' }
      await expect(configs().update(nobody, {}, 1)).rejects.toMatchObject(MISSING)
      await expect(configs().delete(nobody)).rejects.toMatchObject(MISSING)
      await expect(configs().functions(nobody, {})).rejects.toMatchObject(MISSING)
      await expect(configs().tags(nobody)).rejects.toMatchObject(MISSING)
      await expect(configs().changeTags(nobody, (tags) => tags)).rejects.toMatchObject(MISSING)
      await createFunction('f')
      await expect(configs().attach(key('f'), 'csc-0')).rejects.toMatchObject({
        name: 'CodeSigningConfigNotFoundException',
      })
    })

    it('are listed in the order in which they were made and their functions by name, a hundred on a page', async () => {
      const made = Array.from({ length: 101 }, (_, i) => `csc-${String(100 - i).padStart(3, '0')}`)
      for (const id of made) await configs().create(config(id), {})
      await configs().update({ ...scope, id: 'csc-050' }, { policy: 'Warn' }, 9)
      const first = await configs().list(scope.account, scope.region, { maxItems: 1000 })
      expect(first.items.map(({ id }) => id)).toEqual(made.slice(0, 100))
      const rest = await configs().list(scope.account, scope.region, { marker: first.nextMarker })
      expect([rest.items.map(({ id }) => id), rest.nextMarker]).toEqual([['csc-000'], undefined])
      await configs().delete({ ...scope, id: 'csc-100' })
      await configs().create(config('csc-100'), {})
      const last = await configs().list(scope.account, scope.region, { marker: first.nextMarker })
      expect(last.items.map(({ id }) => id)).toEqual(['csc-000', 'csc-100'])

      for (const name of ['c', 'a', 'b']) {
        await createFunction(name)
        await configs().attach(key(name), 'csc-001')
      }
      const using = await configs().functions({ ...scope, id: 'csc-001' }, { maxItems: 2 })
      expect(using.items).toEqual([key('a'), key('b')])
      const more = await configs().functions({ ...scope, id: 'csc-001' }, { marker: using.nextMarker })
      expect([more.items, more.nextMarker]).toEqual([[key('c')], undefined])
    })

    it('are not deleted while a function has them', async () => {
      await configs().create(config('csc-1'), {})
      await createFunction('f')
      await configs().attach(key('f'), 'csc-1')
      expect(await configs().ofFunction(key('f'))).toMatchObject({ id: 'csc-1' })
      const one = { ...scope, id: 'csc-1' }
      await expect(configs().delete(one)).rejects.toMatchObject({ name: 'ResourceConflictException' })
      await configs().detach(key('f'))
      await configs().detach(key('f'))
      expect(await configs().ofFunction(key('f'))).toBeUndefined()
      await configs().attach(key('f'), 'csc-1')
      await under().store.functions.delete(key('f'))
      await configs().delete(one)
      expect(await configs().find(one)).toBeUndefined()
    })

    it('are for functions that exist and have a package', async () => {
      await configs().create(config('csc-1'), {})
      const missing = { name: 'ResourceNotFoundException', message: expect.stringContaining('Function not found') }
      await expect(configs().attach(key('f'), 'csc-1')).rejects.toMatchObject(missing)
      await expect(configs().detach(key('f'))).rejects.toMatchObject(missing)
      await createFunction('image', { packageType: 'Image' })
      await expect(configs().attach(key('image'), 'csc-1')).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
      })
    })
  })

  describe('code that was verified', () => {
    const conflict = { name: 'ResourceConflictException' }
    const deploy = (changed: CodeSigningConfig | undefined) =>
      under().store.functions.beginUpdate(
        key('f'),
        { change: (now) => ({ ...now, codeSha256: 'new' }), publish: false, verified: { config: changed } },
        2000,
      )

    it('is not deployed when the function got another configuration meanwhile, or that was changed', async () => {
      await createFunction('f')
      const before = await configs().create(config('csc-1'), {})
      await expect(deploy(before)).rejects.toMatchObject(conflict)
      await configs().attach(key('f'), 'csc-1')
      await expect(deploy(undefined)).rejects.toMatchObject(conflict)
      const after = await configs().update(before, { publishers: ['arn:3'] }, 9)
      await expect(deploy(before)).rejects.toMatchObject(conflict)
      expect((await under().store.functions.find(key('f')))?.latest.codeSha256).toBe('sha-1')
      expect((await deploy(after)).latest.codeSha256).toBe('new')
    })

    it('makes a function with that configuration, or none at all when it is gone', async () => {
      const one = await configs().create(config('csc-1'), {})
      const two = await configs().create(config('csc-2'), {})
      const signing = { profileVersionArn: 'arn:1', jobArn: 'arn:job' }
      const input = { configuration: validConfiguration({ signing }), tags: {}, publish: true }
      await under().store.functions.create(key('f'), { ...input, verified: { config: one } }, 1)
      expect(await configs().ofFunction(key('f'))).toEqual(one)
      expect((await under().store.versions.find(key('f'), '1'))?.signing).toEqual(signing)

      await configs().delete(two)
      const late = under().store.functions.create(key('g'), { ...input, verified: { config: two } }, 1)
      await expect(late).rejects.toMatchObject(conflict)
      expect(await under().store.functions.find(key('g'))).toBeUndefined()
    })
  })

  it('a layer remembers who signed it', async () => {
    const signing = { profileVersionArn: 'arn:1' }
    const content = { description: '', codeSha256: 'l', codeSize: 1, unzippedBytes: 1, signing }
    await under().store.layers.publish(key('l'), content, 5)
    expect((await (await under().reopen()).layers.find(key('l'), 1))?.signing).toEqual(signing)
  })
}
