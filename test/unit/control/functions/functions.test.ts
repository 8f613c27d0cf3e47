import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CodeStore } from '../../../../src/control/code/code-store.ts'
import { type ControlPlane, createControlPlane } from '../../../../src/control/control-plane.ts'
import type { CreationInput } from '../../../../src/control/functions/function-input.ts'
import type { UpdateFunctionConfigurationRequest } from '../../../../src/control/requests.ts'
import { Keyring } from '../../../../src/keys/keyring.ts'
import { EMPTY_ROOM } from '../../../../src/lambda/machine-room.ts'
import type { FunctionImages } from '../../../../src/ports/function-images.ts'
import type { RuntimeImages } from '../../../../src/ports/runtime-images.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { EventBus } from '../../../../src/telemetry/events.ts'

const key = (name: string) => ({ account: '111111111111', region: 'us-east-1', name })
const input = (changes: Partial<CreationInput> = {}): CreationInput => ({
  role: 'arn:aws:iam::111111111111:role/r',
  runtime: 'nodejs22.x',
  handler: 'index.handler',
  code: { zipFile: Buffer.from('PK') },
  ...changes,
})

describe('functions', () => {
  let folder: string
  let store: Store
  let control: ControlPlane
  let prepare: ReturnType<typeof vi.fn<() => Promise<void>>>
  let put: ReturnType<typeof vi.fn<CodeStore['put']>>
  let now: number
  const logged: string[] = []
  const keepVersion = vi.fn<RuntimeImages['keepVersion']>(() => Promise.resolve(true))
  const resolve = vi.fn<FunctionImages['resolve']>((uri) => {
    const reference = `repository@sha256:${'a'.repeat(64)}`
    return Promise.resolve({ image: { uri, resolvedUri: reference, reference }, digestHex: 'a'.repeat(64) })
  })
  const prepareImage = vi.fn<FunctionImages['prepare']>(() => Promise.resolve({ ready: true }))

  const start = () => {
    const images: RuntimeImages = {
      availability: () => Promise.resolve({ available: true }),
      prepare,
      versionHash: () => '0'.repeat(64),
      isVersionOf: (hash) => hash === '0'.repeat(64),
      keepVersion,
    }
    return createControlPlane({
      store,
      code: {
        put,
        get: () => Promise.resolve(undefined),
        prepareLayers: () => Promise.resolve(),
        signatures: () => Promise.resolve({ kind: 'unsigned' }),
      },
      functionImages: { resolve, prepare: prepareImage },
      objects: { get: () => Promise.reject(new Error('no S3 here')) },
      images,
      keys: new Keyring(join(folder, 'keys')),
      room: EMPTY_ROOM,
      revokedSignatures: new Set(),
      bus: new EventBus(),
      clock: () => now,
      settings: { accountConcurrency: 1000, unreservedMinimum: 100, architecture: 'x86_64' },
      log: { info: () => {}, warn: () => {}, error: (_detail, message) => void logged.push(message) },
    })
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-control-'))
    store = await openStore(join(folder, 'hearth.db'))
    prepare = vi.fn(() => Promise.resolve())
    put = vi.fn((zip: Uint8Array) =>
      Promise.resolve({ sha256Base64: `sha-${zip.length}`, size: zip.length, unzippedBytes: 1 }),
    )
    now = Date.parse('2026-01-01')
    logged.length = 0
    control = start()
  })
  afterEach(async () => {
    await control.settled()
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const state = async (name: string) => (await control.functions.get(key(name), undefined)).version

  it('share the code storage that the operator gives to each account', async () => {
    await store.close()
    store = await openStore(join(folder, 'hearth.db'), { codeStorageMaxBytes: 5 })
    control = start()
    const { account, region } = key('f')
    await control.functions.create(key('f'), undefined, input({ code: { zipFile: Buffer.from('PK1') } }))
    await control.settled()
    const exceeded = {
      name: 'CodeStorageExceededException',
      message:
        'Code storage limit exceeded. The account holds 3 of 5 bytes in this region: delete functions, layers or old versions first.',
    }
    await expect(
      control.functions.create(key('g'), undefined, input({ code: { zipFile: Buffer.from('PK2') } })),
    ).rejects.toMatchObject(exceeded)
    await expect(
      control.functions.updateCode(key('f'), undefined, { zipFile: Buffer.from('PK3456') }),
    ).rejects.toMatchObject(exceeded)
    await expect(control.versions.publish(key('f'), undefined, {})).rejects.toMatchObject(exceeded)
    await control.functions.updateCode(key('f'), undefined, { zipFile: Buffer.from('PK345') })
    expect(await control.account.settings(account, region)).toMatchObject({
      limit: { totalCodeSize: 5 },
      usage: { totalCodeSize: 5 },
    })
  })

  it('are created with the defaults of Lambda', async () => {
    await control.functions.create(key('f'), undefined, input())
    expect(await state('f')).toMatchObject({
      timeout: 3,
      memorySize: 128,
      ephemeralStorage: 512,
      architecture: 'x86_64',
      description: '',
      tracingMode: 'PassThrough',
      logging: { logFormat: 'Text', logGroup: '/aws/lambda/f' },
      lastModified: now,
    })
    expect((await state('f')).environment).toBeUndefined()
  })

  it('wait in Pending for the image of their runtime, and a second one shares nothing but that', async () => {
    let ready = () => {}
    prepare.mockImplementation(() => new Promise((resolve) => (ready = resolve)))
    await control.functions.create(key('f'), undefined, input())
    expect((await state('f')).state).toBe('Pending')
    await expect(control.functions.updateConfiguration(key('f'), undefined, { timeout: 5 })).rejects.toMatchObject({
      name: 'ResourceConflictException',
    })
    await vi.waitFor(() => expect(prepare).toHaveBeenCalled())
    ready()
    await control.settled()
    expect((await state('f')).state).toBe('Active')
  })

  it('that a crash left Pending are taken up at the next start', async () => {
    prepare.mockImplementation(() => new Promise(() => {}))
    await control.functions.create(key('f'), undefined, input())
    prepare.mockImplementation(() => Promise.resolve())
    control = start()
    expect(await control.resume()).toBe(1)
    await control.settled()
    expect((await state('f')).state).toBe('Active')
    expect(await control.resume()).toBe(0)
  })

  it.each([
    ['code', () => control.functions.updateCode(key('f'), undefined, { zipFile: Buffer.from('PK2') })],
    ['configuration', () => control.functions.updateConfiguration(key('f'), undefined, { runtime: 'python3.13' })],
  ])(
    'that were made anew with an image get no %s that was meant for a zip',
    async (_what, update: () => Promise<unknown>) => {
      await control.functions.create(key('f'), undefined, input())
      await control.settled()
      const begin = store.functions.beginUpdate.bind(store.functions)
      vi.spyOn(store.functions, 'beginUpdate').mockImplementationOnce(async (...given) => {
        await control.functions.delete(key('f'), undefined)
        const image = {
          packageType: 'Image' as const,
          runtime: undefined,
          handler: undefined,
          code: { imageUri: 'a:b' },
        }
        await control.functions.create(key('f'), undefined, input(image))
        await control.settled()
        return begin(...given)
      })
      await expect(update()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
      expect((await state('f')).runtime).toBeUndefined()
    },
  )

  it('of images refuse a zip beside the image at an update too, and pass over empty members', async () => {
    const image = {
      packageType: 'Image' as const,
      runtime: undefined,
      handler: undefined,
      code: { imageUri: 'a:b' },
    }
    await control.functions.create(key('f'), undefined, input(image))
    await control.settled()
    for (const besides of [{ zipFile: Buffer.from('PK') }, { s3Key: 'k' }, { sourceKmsKeyArn: 'arn' }]) {
      await expect(
        control.functions.updateCode(key('f'), undefined, { imageUri: 'a:c', ...besides }),
      ).rejects.toMatchObject({
        message: 'Please do not provide other FunctionCode parameters when providing an ImageUri.',
      })
    }
    await control.functions.updateCode(key('f'), undefined, { imageUri: 'a:c', sourceKmsKeyArn: '' })
    expect((await state('f')).image?.uri).toBe('a:c')
  })

  it('that are being prepared when the host stops stay Pending for the next start', async () => {
    let ready = () => {}
    prepare.mockImplementation(() => new Promise((resolve) => (ready = resolve)))
    await control.functions.create(key('f'), undefined, input())
    await vi.waitFor(() => expect(prepare).toHaveBeenCalled())
    control.close()
    ready()
    await control.settled()
    expect((await state('f')).state).toBe('Pending')
  })

  it('deleted while they are prepared leave nothing behind', async () => {
    let ready = () => {}
    prepare.mockImplementation(() => new Promise((resolve) => (ready = resolve)))
    await control.functions.create(key('f'), undefined, input())
    await vi.waitFor(() => expect(prepare).toHaveBeenCalled())
    await control.functions.delete(key('f'), undefined)
    ready()
    await control.settled()
    expect(logged).toEqual([])
    await expect(state('f')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('change only what an update supplies', async () => {
    await control.functions.create(
      key('f'),
      undefined,
      input({ environment: { variables: { KEY_A: '1' } }, loggingConfig: { logGroup: 'mine' } }),
    )
    await control.settled()
    await control.functions.updateConfiguration(key('f'), undefined, {
      timeout: 9,
      loggingConfig: { logFormat: 'Text' },
    })
    await control.settled()
    expect(await state('f')).toMatchObject({
      timeout: 9,
      memorySize: 128,
      environment: { KEY_A: '1' },
      logging: { logGroup: 'mine' },
    })
  })

  it('lose at an update each setting whose member is empty', async () => {
    const deadLetterTarget = 'arn:aws:sqs:us-east-1:111111111111:q'
    const full = {
      description: 'd',
      environment: { variables: { KEY_A: '1' } },
      deadLetterConfig: { targetArn: deadLetterTarget },
    }
    await control.functions.create(key('f'), undefined, input({ environment: { variables: {} } }))
    await control.settled()
    expect((await state('f')).environment, 'a new function shows an empty map').toEqual({})
    const empties: UpdateFunctionConfigurationRequest[] = [
      { description: '', environment: {}, deadLetterConfig: {} },
      { description: '', environment: { variables: {} }, deadLetterConfig: { targetArn: '' } },
    ]
    for (const empty of empties) {
      await control.functions.updateConfiguration(key('f'), undefined, full)
      await control.settled()
      expect(await state('f')).toMatchObject({ description: 'd', environment: { KEY_A: '1' }, deadLetterTarget })
      await control.functions.updateConfiguration(key('f'), undefined, empty)
      await control.settled()
      const after = await state('f')
      expect([after.description, after.environment, after.deadLetterTarget]).toEqual(['', undefined, undefined])
    }
  })

  it('take and lose tags while they are created and updated', async () => {
    let ready = () => {}
    prepare.mockImplementation(() => new Promise((resolve) => (ready = resolve)))
    await control.functions.create(key('f'), undefined, input())
    await control.tags.add(key('f'), undefined, { a: '1', b: '2' })
    await control.tags.remove(key('f'), undefined, ['a'])
    expect(await control.tags.list(key('f'), undefined)).toEqual({ b: '2' })
    expect((await state('f')).state).toBe('Pending')
    await vi.waitFor(() => expect(prepare).toHaveBeenCalled())
    ready()
    await control.settled()
    await control.functions.updateConfiguration(key('f'), undefined, { timeout: 9 })
    await control.tags.add(key('f'), undefined, { c: '3' })
    await vi.waitFor(() => expect(prepare).toHaveBeenCalledTimes(2))
    expect((await state('f')).lastUpdateStatus).toBe('InProgress')
    ready()
    await control.settled()
    expect(await control.tags.list(key('f'), undefined)).toEqual({ b: '2', c: '3' })
    expect(await state('f')).toMatchObject({ timeout: 9, lastUpdateStatus: 'Successful' })
  })

  it('keep a withdrawn runtime, but none is moved to one', async () => {
    now = Date.parse('2020-01-01')
    await control.functions.create(key('f'), undefined, input({ runtime: 'nodejs20.x' }))
    await control.settled()
    now = Date.parse('2029-01-01')
    await control.functions.updateConfiguration(key('f'), undefined, { runtime: 'nodejs20.x', timeout: 8 })
    await control.settled()
    expect((await state('f')).timeout).toBe(8)
    await expect(control.functions.updateConfiguration(key('f'), undefined, { runtime: 'python3.8' })).rejects.toThrow(
      /The runtime parameter of python3\.8 is no longer supported/,
    )
    await expect(control.functions.create(key('g'), undefined, input({ runtime: 'nodejs20.x' }))).rejects.toThrow(
      /no longer supported/,
    )
  })

  it('are refused before their package is stored', async () => {
    const refusals: [Partial<CreationInput>, RegExp][] = [
      [{ runtime: undefined }, /Runtime and Handler are mandatory parameters/],
      [{ handler: '' }, /Runtime and Handler are mandatory parameters/],
      [{ code: {} }, /Please provide a source for function code\./],
      [{ code: { zipFile: new Uint8Array() } }, /Uploaded file must be a non-empty zip/],
      [
        { timeout: 901 },
        /Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900/,
      ],
      [{ memorySize: 10_241 }, /Value '10241' at 'memorySize'/],
      [{ ephemeralStorage: { size: 10_241 } }, /Value '10241' at 'ephemeralStorage\.size'/],
      [
        { loggingConfig: { logFormat: 'Text', systemLogLevel: 'INFO' } },
        /LogLevel is not supported when LogFormat is set to "Text"/,
      ],
      [{ tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) }, /Number of tags exceeds/],
    ]
    for (const [changes, message] of refusals) {
      await expect(control.functions.create(key('f'), undefined, input(changes))).rejects.toThrow(message)
    }
    await expect(control.functions.create(key('f'), 'live', input())).rejects.toThrow(/unqualified function ARN/)
    expect(put).not.toHaveBeenCalled()
  })

  it('are refused as duplicates before their package is stored', async () => {
    await control.functions.create(key('f'), undefined, input())
    put.mockClear()
    await expect(control.functions.create(key('f'), undefined, input())).rejects.toThrow('Function already exist: f')
    expect(put).not.toHaveBeenCalled()
  })

  it('are not updated through a version or an alias', async () => {
    await control.functions.create(key('f'), undefined, input())
    await control.settled()
    for (const qualifier of ['1', 'live']) {
      await expect(control.functions.updateCode(key('f'), qualifier, { zipFile: Buffer.from('PK') })).rejects.toThrow(
        /Aliases and versions do not support this operation/,
      )
    }
    await control.functions.updateConfiguration(key('f'), '$LATEST', { timeout: 4 })
  })

  it('that do not exist are said to be missing, whatever version or alias is deleted', async () => {
    for (const qualifier of ['$latest', 'live', '1']) {
      await expect(control.functions.delete(key('f'), qualifier)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        message: 'Function not found: arn:aws:lambda:us-east-1:111111111111:function:f',
      })
    }
  })

  it('with a layer of another region are refused before a name that is taken', async () => {
    await control.functions.create(key('f'), undefined, input())
    const layers = ['arn:aws:lambda:eu-west-1:111111111111:layer:l:1']
    await expect(control.functions.create(key('f'), undefined, input({ layers }))).rejects.toThrow(
      'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
    )
  })

  it('have their concurrency changed and shown without a qualifier only, not even $LATEST', async () => {
    await control.functions.create(key('f'), undefined, input())
    const { concurrency } = control
    const calls = [
      () => concurrency.put(key('f'), '$LATEST', 1),
      () => concurrency.get(key('f'), '$LATEST'),
      () => concurrency.delete(key('f'), '$LATEST'),
    ]
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message:
          'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
      })
    }
  })

  it('are not deleted version by version where only the whole can be', async () => {
    await control.functions.create(key('f'), undefined, input())
    await expect(control.functions.delete(key('f'), '$LATEST')).rejects.toThrow(/\$LATEST version cannot be deleted/)
    await expect(control.functions.delete(key('f'), 'live')).rejects.toThrow(
      'Deletion of aliases is not currently supported.',
    )
  })
})
