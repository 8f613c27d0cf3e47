/** Which key a function's package lies under, with a real store, a real keyring and packages on a real disk. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Packages } from '../../../src/code/packages.ts'
import { type ControlPlane, createControlPlane } from '../../../src/control/control-plane.ts'
import { Keyring } from '../../../src/keys/keyring.ts'
import { openedForInvoke } from '../../../src/lambda/keys.ts'
import { EMPTY_ROOM } from '../../../src/lambda/machine-room.ts'
import { packageId, packageOf } from '../../../src/lambda/package/package.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { EventBus } from '../../../src/telemetry/events.ts'
import { buildZip } from '../code/build-zip.ts'

const key = { account: '111111111111', region: 'us-east-1', name: 'f' }
const zipOf = (text: string) => buildZip([{ name: 'index.js', data: text }])

let folder: string
let store: Store
let keys: Keyring
let packages: Packages
let control: ControlPlane

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-package-keys-'))
  store = await openStore(join(folder, 'hearth.db'))
  keys = new Keyring(join(folder, 'keys'))
  packages = new Packages({
    directory: join(folder, 'code'),
    keys,
    graceMs: 0,
    log: { warn: () => {}, error: () => {} },
  })
  await packages.open()
  control = createControlPlane({
    store,
    keys,
    room: EMPTY_ROOM,
    revokedSignatures: new Set(),
    bus: new EventBus(),
    code: {
      put: (zip, seal) => packages.put(zip, seal),
      get: (reference) => packages.get(reference),
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

const newKey = () => keys.create({ account: key.account, region: key.region, description: '' }).arn!
const create = async (settings: { kmsKeyArn?: string; sourceKmsKeyArn?: string }, name = key.name, text = 'one') => {
  const { kmsKeyArn, sourceKmsKeyArn } = settings
  await control.functions.create({ ...key, name }, undefined, {
    role: 'arn:aws:iam::111111111111:role/r',
    runtime: 'nodejs22.x',
    handler: 'index.handler',
    code: { zipFile: zipOf(text), ...(sourceKmsKeyArn === undefined ? {} : { sourceKmsKeyArn }) },
    ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
  })
  await control.settled()
}
const upload = async (sourceKmsKeyArn?: string, text = 'one') => {
  await control.functions.updateCode(key, undefined, {
    zipFile: zipOf(text),
    ...(sourceKmsKeyArn === undefined ? {} : { sourceKmsKeyArn }),
  })
  await control.settled()
}
const setKey = async (kmsKeyArn: string) => {
  await control.functions.updateConfiguration(key, undefined, { kmsKeyArn })
  await control.settled()
}
const view = (name = key.name) => control.functions.get({ ...key, name }, undefined)
const sealedUnder = async () => (await view()).version.sealedPackage?.dataKey.key
const collect = async () => packages.collect(await store.functions.codeInUse())
const files = (of: string) => readdirSync(join(folder, 'code', of)).filter((name) => !name.endsWith('.json'))
const publish = async () => (await control.versions.publish(key, undefined, {})).version

describe('the key of a package', () => {
  it('is the one of its upload, else the one of the function, else none', async () => {
    const [source, own] = [newKey(), newKey()]
    await create({ kmsKeyArn: own, sourceKmsKeyArn: source })
    expect([await sealedUnder(), (await view()).version.sourceKmsKeyArn]).toEqual([source, source])
    await upload()
    expect([await sealedUnder(), (await view()).version.sourceKmsKeyArn]).toEqual([own, undefined])
    await setKey('')
    expect(await sealedUnder()).toBe(own)
    await upload()
    expect(await sealedUnder()).toBeUndefined()
    expect(Buffer.from((await packages.get(packageOf((await view()).version)))!)).toEqual(zipOf('one'))
  })

  it('that a function gains later holds for the next upload, and the plain package goes', async () => {
    await create({})
    await setKey(newKey())
    expect(await sealedUnder()).toBeUndefined()
    await upload()
    expect(files('zips')).toHaveLength(1)
    await collect()
    expect([files('zips'), files('unpacked')]).toEqual([[], []])
    expect(files('sealed')).toHaveLength(1)
  })

  it('leaves functions with the same zip as they are', async () => {
    await create({}, 'plain')
    const [one, other] = [newKey(), newKey()]
    await create({ sourceKmsKeyArn: one }, 'one')
    await create({ sourceKmsKeyArn: other }, 'other')
    await collect()
    keys.delete(one, 0)
    const read = async (name: string) => packages.get(packageOf((await view(name)).version))
    expect(Buffer.from((await read('plain'))!)).toEqual(zipOf('one'))
    expect(Buffer.from((await read('other'))!)).toEqual(zipOf('one'))
    await expect(read('one')).rejects.toMatchObject({ name: 'KMSNotFoundException' })
    await control.functions.delete({ ...key, name: 'plain' }, undefined)
    await control.functions.delete({ ...key, name: 'one' }, undefined)
    await collect()
    expect([files('zips'), files('sealed')]).toEqual([[], [packageId((await view('other')).version)]])
  })

  it('that cannot be used is refused before anything is stored', async () => {
    const disabled = newKey()
    keys.setState(disabled, 'Disabled')
    const elsewhere = keys.create({ account: key.account, region: 'eu-west-1', description: '' }).arn!
    for (const [wrong, code] of [
      [disabled, 'DisabledException'],
      [elsewhere, 'NotFoundException'],
    ] as const) {
      await expect(create({ sourceKmsKeyArn: wrong })).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: expect.stringMatching(
          `^Lambda was unable to encrypt the deployment package because the KMS key is invalid for GenerateDataKey\\. .* KMS Exception: ${code} KMS Message: `,
        ),
      })
    }
    expect(files('sealed')).toEqual([])
    await create({ kmsKeyArn: newKey() })
    keys.setState((await view()).version.kmsKeyArn!, 'Disabled')
    await expect(upload()).rejects.toMatchObject({ message: expect.stringContaining('DisabledException') })
  })

  it('that was lost keeps a function only until its code comes with another one', async () => {
    const lost = newKey()
    await create({ kmsKeyArn: lost })
    keys.delete(lost, 0)
    expect((await view()).packageError).toEqual({
      errorCode: 'KMSNotFoundException',
      message:
        "Lambda was unable to decrypt the deployment package because the KMS key was not found. Please check the function's KMS key settings.",
    })
    await setKey('')
    await upload()
    expect((await view()).packageError).toBeUndefined()
  })

  it('and that of the function are both needed to start an environment', async () => {
    const [source, own] = [newKey(), newKey()]
    await create({ kmsKeyArn: own, sourceKmsKeyArn: source })
    const start = async () => openedForInvoke((await view()).version, keys)
    await expect(start()).resolves.toBeDefined()
    keys.setState(own, 'Disabled')
    await expect(start()).rejects.toMatchObject({ name: 'KMSDisabledException' })
  })

  it('is part of what a version is, the upload is not', async () => {
    const one = newKey()
    await create({ sourceKmsKeyArn: one })
    expect(await publish()).toBe('1')
    await upload(one)
    expect(await publish()).toBe('1')
    await collect()
    // The version keeps the package of the upload before.
    expect(files('sealed')).toHaveLength(2)
    await upload(newKey())
    expect(await publish()).toBe('2')
    await upload()
    expect(await publish()).toBe('3')
  })
})
