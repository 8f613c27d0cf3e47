import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SealedPackages } from '../../../src/code/sealed-packages.ts'
import { Keyring } from '../../../src/keys/keyring.ts'
import type { SealedPackage } from '../../../src/lambda/package/sealed.ts'
import { buildZip } from './build-zip.ts'

const MARKER = 'the-recipe-of-the-house'
const ZIP = buildZip([
  { name: 'index.js', data: MARKER },
  { name: 'lib/a.js', data: MARKER },
])
const context = 'aws:lambda:FunctionArn=arn:aws:lambda:us-east-1:111111111111:function:f'

let data: string
let keys: Keyring
let arn: string
let logged: string[]
let packages: SealedPackages

const newKey = () => keys.create({ account: '111111111111', region: 'us-east-1', description: '' }).arn!
const make = (graceMs = 0) => {
  const note = (_fields: unknown, message?: string) => void logged.push(message ?? '')
  return new SealedPackages({ directory: join(data, 'code'), keys, graceMs, log: { warn: note, error: note } })
}

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'hearth-sealed-'))
  keys = new Keyring(join(data, 'keys'))
  arn = newKey()
  logged = []
  packages = make()
  await packages.open()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** Files below the data folder that hold the marker. */
const plain = () =>
  readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(MARKER))
const opened = () => readdirSync(join(data, 'code/opened'))
const file = ({ id }: SealedPackage) => join(data, 'code/sealed', id)

async function put(keyArn = arn) {
  const stored = await packages.put(ZIP, { keyArn, context })
  const reference = { ...stored.sealed, context }
  return {
    ...stored,
    get: () => packages.get(stored.sha256Base64, reference),
    folder: () => packages.folder(stored.sha256Base64, reference),
  }
}

describe('a package under a key', () => {
  it('is given back as it was uploaded, and lies nowhere in plain text', async () => {
    const stored = await put()
    expect(plain()).toEqual([])
    expect(opened()).toEqual([])
    expect(Buffer.from((await stored.get()) ?? [])).toEqual(ZIP)
    expect(stored).toMatchObject({ size: ZIP.length, unzippedBytes: 2 * MARKER.length })
  })

  it('is open in one folder, which only the host enters, for as long as somebody uses it', async () => {
    const stored = await put()
    const [first, second] = await Promise.all([stored.folder(), stored.folder()])
    expect(second.path).toBe(first.path)
    expect(readFileSync(join(first.path, 'lib/a.js'), 'utf8')).toBe(MARKER)
    expect(statSync(join(first.path, '..')).mode & 0o777).toBe(0o700)
    await first.release()
    expect(readFileSync(join(second.path, 'index.js'), 'utf8')).toBe(MARKER)
    await second.release()
    expect([plain(), opened()]).toEqual([[], []])
    const third = await stored.folder()
    expect(readFileSync(join(third.path, 'index.js'), 'utf8')).toBe(MARKER)
  })

  it.each([
    ['disabled', () => keys.setState(arn, 'Disabled'), 'KMSDisabledException'],
    ['pending deletion', () => keys.delete(arn, 7), 'KMSInvalidStateException'],
    ['deleted', () => keys.delete(arn, 0), 'KMSNotFoundException'],
    [
      'unreadable',
      () => writeFileSync(join(data, 'keys', `${arn.split('/')[1]}.json`), 'damaged'),
      'KMSAccessDeniedException',
    ],
  ] as const)(
    'whose key is %s opens for nobody more, also while another has it open',
    async (_title, spoil: () => unknown, name: string) => {
      const stored = await put()
      const folder = await stored.folder()
      spoil()
      for (const refused of [stored.folder(), stored.get()]) {
        await expect(refused).rejects.toMatchObject({
          name,
          message: expect.stringContaining('Lambda was unable to decrypt the deployment package because '),
        })
      }
      await folder.release()
      expect(opened()).toEqual([])
    },
  )

  it('opens for the function alone that it was uploaded for', async () => {
    const { sha256Base64, sealed } = await put()
    const other = { ...sealed, context: context.replace(/f$/, 'g') }
    await expect(packages.get(sha256Base64, other)).rejects.toMatchObject({ name: 'KMSAccessDeniedException' })
  })

  it('is another one under another key', async () => {
    const [one, other] = [await put(), await put(newKey())]
    expect(other.sha256Base64).toBe(one.sha256Base64)
    keys.delete(arn, 0)
    await expect(one.get()).rejects.toThrow('the KMS key was not found')
    expect(Buffer.from((await other.get()) ?? [])).toEqual(ZIP)
  })

  it('that was damaged, exchanged or lost is reported as AWS does, and to the operator', async () => {
    const spoilers: ((one: SealedPackage, other: SealedPackage) => void)[] = [
      (one) => truncateSync(file(one), 40),
      (one) => truncateSync(file(one), 3),
      (one) => rmSync(file(one)),
      (one, other) => writeFileSync(file(one), readFileSync(file(other))),
    ]
    for (const spoil of spoilers) {
      const [one, other] = [await put(), await put()]
      spoil(one.sealed, other.sealed)
      await expect(one.folder()).rejects.toMatchObject({ name: 'InvalidZipFileException' })
    }
    expect(logged).toEqual(spoilers.map(() => expect.stringContaining('UpdateFunctionCode')))
    expect(opened()).toEqual([])
  })

  it('that is no zip is refused and leaves nothing', async () => {
    await expect(packages.put(Buffer.from(`PK${MARKER}`), { keyArn: arn, context })).rejects.toThrow('Could not unzip')
    expect([opened(), readdirSync(join(data, 'code/sealed'))]).toEqual([[], []])
  })

  it('that a killed host left open is closed by the next start', async () => {
    await (await put()).folder()
    mkdirSync(join(data, 'code/opened/half'))
    expect(plain()).toHaveLength(2)
    await make().open()
    expect([plain(), opened()]).toEqual([[], []])
  })

  it('goes when nobody names it, but not before its grace time', async () => {
    const [kept, unused] = [await put(), await put()]
    writeFileSync(`${file(kept.sealed)}.temporary`, 'half of one')
    const keep = new Set([kept.sealed.id])
    expect(await make(60_000).collect(keep)).toBe(0)
    expect(await packages.collect(keep)).toBe(2)
    expect(readdirSync(join(data, 'code/sealed'))).toEqual([kept.sealed.id])
    // Whoever still has its URL learns that it is gone; the operator has nothing to mend.
    expect(await unused.get()).toBeUndefined()
    expect(logged).toEqual([])
  })
})
