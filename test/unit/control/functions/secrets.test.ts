/** KMSKeyArn from the control plane's side, with a real store and a real keyring. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlPlane, createControlPlane } from '../../../../src/control/control-plane.ts'
import { Keyring } from '../../../../src/keys/keyring.ts'
import { openedForInvoke } from '../../../../src/lambda/keys.ts'
import { EMPTY_ROOM } from '../../../../src/lambda/machine-room.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { EventBus } from '../../../../src/telemetry/events.ts'

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const SECRET = 'correct-horse-battery-staple'

describe('environment variables under a key', () => {
  let folder: string
  let store: Store
  let keys: Keyring
  let control: ControlPlane
  let arn: string

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-secrets-'))
    store = await openStore(join(folder, 'hearth.db'))
    keys = new Keyring(join(folder, 'keys'))
    arn = keys.create({ account: key.account, region: key.region, description: '' }).arn!
    control = createControlPlane({
      store,
      keys,
      room: EMPTY_ROOM,
      revokedSignatures: new Set(),
      bus: new EventBus(),
      code: {
        put: (zip) => Promise.resolve({ sha256Base64: 'sha', size: zip.length, unzippedBytes: 1 }),
        get: () => Promise.resolve(undefined),
        prepareLayers: () => Promise.resolve(),
        signatures: () => Promise.resolve({ kind: 'unsigned' }),
      },
      images: {
        availability: () => Promise.resolve({ available: true }),
        prepare: () => Promise.resolve(),
        versionHash: () => '0'.repeat(64),
        isVersionOf: () => false,
        keepVersion: () => Promise.resolve(false),
      },
      objects: { get: () => Promise.reject(new Error('no S3 here')) },
      functionImages: {
        resolve: () => Promise.reject(new Error('no images here')),
        prepare: () => Promise.resolve({ ready: true }),
      },
      clock: () => Date.parse('2026-01-01'),
      settings: { accountConcurrency: 1000, unreservedMinimum: 100, architecture: 'x86_64' },
      log: { info: () => {}, warn: () => {}, error: () => {} },
    })
  })
  afterEach(async () => {
    await control.settled()
    await store.close()
    rmSync(folder, { recursive: true })
  })

  const create = async (kmsKeyArn: string | null = arn, variables: Record<string, string> | null = { SECRET }) => {
    await control.functions.create(key, undefined, {
      role: 'arn:aws:iam::111111111111:role/r',
      runtime: 'nodejs22.x',
      handler: 'index.handler',
      code: { zipFile: Buffer.from('PK') },
      ...(kmsKeyArn === null ? {} : { kmsKeyArn }),
      ...(variables === null ? {} : { environment: { variables } }),
    })
    await control.settled()
  }
  const update = async (input: Parameters<ControlPlane['functions']['updateConfiguration']>[2]) => {
    const answer = await control.functions.updateConfiguration(key, undefined, input)
    await control.settled()
    return answer
  }
  const view = async () => (await control.functions.get(key, undefined)).version
  const invoked = async () => {
    const target = await store.targets.find(key, '$LATEST')
    return openedForInvoke(target!.versions[0]!.version, keys).environment
  }
  const onDisk = () =>
    readdirSync(folder)
      .filter((name) => name.startsWith('hearth.db'))
      .some((name) => readFileSync(join(folder, name)).includes(SECRET))

  it('are shown and run decrypted, and never reach the database in plain text', async () => {
    await create()
    await control.versions.publish(key, undefined, {})
    expect(await view()).toMatchObject({ environment: { SECRET }, kmsKeyArn: arn })
    expect(await invoked()).toEqual({ SECRET })
    const { items } = await control.versions.list(key, {})
    expect(items.map(({ environment }) => environment)).toEqual([{ SECRET }, { SECRET }])
    expect(onDisk()).toBe(false)
  })

  it('are stored as they are without a key', async () => {
    await create(null)
    expect(onDisk()).toBe(true)
  })

  it('are replaced by the reason where the key cannot be used, and the function is still shown', async () => {
    await create()
    keys.setState(arn, 'Disabled')
    const shown = await view()
    expect(shown.environment).toBeUndefined()
    expect(shown.environmentError).toEqual({
      errorCode: 'KMSDisabledException',
      message:
        "Lambda was unable to decrypt the environment variables because the KMS key used is disabled. Please check the function's KMS key settings.",
    })
    await expect(invoked()).rejects.toMatchObject({ name: 'KMSDisabledException' })
    // What does not need the key can still be changed.
    expect((await update({ timeout: 9 })).timeout).toBe(9)
    keys.setState(arn, 'Enabled')
    expect((await view()).environment).toEqual({ SECRET })
  })

  it('refuse a key that is not there, is disabled or belongs to another region', async () => {
    const elsewhere = keys.create({ account: key.account, region: 'eu-west-1', description: '' }).arn!
    const gone = arn.replace(/.{4}$/, '0000')
    for (const [wrong, code] of [
      [elsewhere, 'NotFoundException'],
      [gone, 'NotFoundException'],
      ['arn:aws:kms:us-east-1:111111111111:alias/x', 'NotFoundException'],
    ]) {
      await expect(create(wrong)).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: expect.stringContaining(`KMS Exception: ${code} KMS Message: `),
      })
    }
    keys.setState(arn, 'Disabled')
    await expect(create(arn, null)).rejects.toMatchObject({
      message: expect.stringContaining('DisabledException'),
    })
    expect(await store.functions.find(key)).toBeUndefined()
  })

  it('move to another key, and to none, with the values they have', async () => {
    await create()
    const second = keys.create({ account: key.account, region: key.region, description: '' }).arn!
    await update({ kmsKeyArn: second })
    keys.delete(arn, 0)
    expect(await view()).toMatchObject({ environment: { SECRET }, kmsKeyArn: second })
    expect(onDisk()).toBe(false)
    const cleared = await update({ kmsKeyArn: '' })
    expect(cleared).toMatchObject({ environment: { SECRET } })
    expect(cleared.kmsKeyArn).toBeUndefined()
    keys.delete(second, 0)
    expect(await invoked()).toEqual({ SECRET })
  })

  it('cannot leave a key that cannot be used, unless they are given anew', async () => {
    await create()
    keys.delete(arn, 0)
    await expect(update({ kmsKeyArn: '' })).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
    expect(await update({ kmsKeyArn: '', environment: { variables: { A1: 'new' } } })).toMatchObject({
      environment: { A1: 'new' },
    })
  })

  it('that come to a function with a key are encrypted as well', async () => {
    await create(arn, null)
    expect((await view()).environment).toBeUndefined()
    await update({ environment: { variables: { SECRET } } })
    expect(await invoked()).toEqual({ SECRET })
    expect(onDisk()).toBe(false)
    expect((await update({ environment: {} })).environment).toBeUndefined()
  })

  it('make no new version when they are set again as they are', async () => {
    await create()
    const first = await control.versions.publish(key, undefined, {})
    await update({ environment: { variables: { SECRET } }, kmsKeyArn: arn })
    expect((await control.versions.publish(key, undefined, {})).version).toBe(first.version)
    await update({ environment: { variables: { SECRET: 'other' } } })
    expect((await control.versions.publish(key, undefined, {})).version).toBe('2')
  })
})
