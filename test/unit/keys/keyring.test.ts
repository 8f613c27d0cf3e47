import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Keyring } from '../../../src/keys/keyring.ts'
import { decryptRefusal, KeyProblem } from '../../../src/lambda/keys.ts'

const DAY_MS = 86_400_000
const OWNER = { account: '111122223333', region: 'eu-central-1', description: 'orders' }

describe('a keyring', () => {
  let folder: string
  let now: number
  let ring: Keyring
  let arn: string
  const path = () => join(folder, `${arn.split('/')[1]}.json`)

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'hearth-keys-')), 'keys')
    now = Date.parse('2026-01-01')
    ring = new Keyring(folder, () => now)
    arn = ring.create(OWNER).arn!
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

  const problem = (work: () => unknown): KeyProblem => {
    try {
      work()
    } catch (error) {
      if (error instanceof KeyProblem) return error
      throw error
    }
    throw new Error('the key could be used')
  }

  it('opens what it sealed, and each sealing gives another text', () => {
    const first = ring.seal(arn, 'f', '{"A":"ü"}')
    const second = ring.seal(arn, 'f', '{"A":"ü"}')
    expect(ring.open(first, 'f')).toBe('{"A":"ü"}')
    expect(ring.open(second, 'f')).toBe('{"A":"ü"}')
    expect(first.text).not.toBe(second.text)
    expect(JSON.stringify(first)).not.toContain('ü')
  })

  it('keeps each key in a file that only its owner reads, below a folder that only its owner enters', () => {
    expect(arn).toMatch(/^arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f-]{36}$/)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder)).toEqual([`${arn.split('/')[1]}.json`])
  })

  it.each([
    ['another function', (s: ReturnType<Keyring['seal']>) => [s, 'g'] as const],
    ['a changed text', (s) => [{ ...s, text: flipped(s.text) }, 'f'] as const],
    ['a changed data key', (s) => [{ ...s, dataKey: flipped(s.dataKey) }, 'f'] as const],
    ['a cut text', (s) => [{ ...s, text: s.text.slice(0, 8) }, 'f'] as const],
  ])('refuses to open for %s', (_title, change: (s: ReturnType<Keyring['seal']>) => readonly [typeof s, string]) => {
    const [sealed, context] = change(ring.seal(arn, 'f', 'secret'))
    expect(problem(() => ring.open(sealed, context))).toMatchObject({
      kind: 'access-denied',
      code: 'InvalidCiphertextException',
    })
  })

  it('refuses a disabled key until it is enabled again', () => {
    const sealed = ring.seal(arn, 'f', 'secret')
    ring.setState(arn, 'Disabled')
    expect(problem(() => ring.open(sealed, 'f')).kind).toBe('disabled')
    expect(problem(() => ring.seal(arn, 'f', 'more')).kind).toBe('disabled')
    expect(problem(() => ring.check(arn)).kind).toBe('disabled')
    ring.setState(arn, 'Enabled')
    expect(ring.open(sealed, 'f')).toBe('secret')
  })

  it('refuses a key that is to be deleted, gives it back before its day and forgets it on its day', () => {
    const sealed = ring.seal(arn, 'f', 'secret')
    ring.delete(arn, 7)
    expect(problem(() => ring.open(sealed, 'f')).kind).toBe('invalid-state')
    now += 7 * DAY_MS - 1
    ring.setState(arn, 'Enabled')
    expect(ring.open(sealed, 'f')).toBe('secret')
    ring.delete(arn, 7)
    now += 7 * DAY_MS
    expect(problem(() => ring.open(sealed, 'f')).kind).toBe('not-found')
    expect(ring.list()).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  it('deletes at once when it is told so, and only what there is', () => {
    ring.delete(arn, 0)
    expect(problem(() => ring.check(arn)).kind).toBe('not-found')
    expect(problem(() => ring.delete(arn, 0)).kind).toBe('not-found')
  })

  it('sees at once what another process changed', () => {
    new Keyring(folder, () => now).setState(arn, 'Disabled')
    expect(problem(() => ring.check(arn)).kind).toBe('disabled')
  })

  it.each(['', '{', '[]', 'null', '{"arn":"x"}'])(
    'calls a file that holds %j unreadable, and lists it as such',
    (text) => {
      writeFileSync(path(), text)
      const found = problem(() => ring.check(arn))
      expect(found.kind).toBe('access-denied')
      expect(found.remedy).toContain(path())
      expect(ring.list()).toMatchObject([{ state: 'Unreadable' }])
      ring.delete(arn, 0)
      expect(ring.list()).toEqual([])
    },
  )

  it('is not led to another file by what a request names', () => {
    for (const name of ['../../etc/passwd', 'arn:aws:kms:us-east-1:000000000000:key/../x', 'arn:aws:s3:::b', '']) {
      expect(problem(() => ring.check(name)).kind).toBe('not-found')
    }
    // The same id under another region or account is another key.
    expect(problem(() => ring.check(arn.replace('eu-central-1', 'us-east-1'))).kind).toBe('not-found')
  })

  it('leaves no half a key when the folder cannot be written', () => {
    const before = readFileSync(path(), 'utf8')
    chmodSync(folder, 0o500)
    try {
      // Root may write whatever the mode says.
      if (process.getuid?.() !== 0) expect(() => ring.setState(arn, 'Disabled')).toThrow()
    } finally {
      chmodSync(folder, 0o700)
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
    if (process.getuid?.() !== 0) expect(readFileSync(path(), 'utf8')).toBe(before)
  })

  it('has no keys where there is no folder', () => {
    expect(new Keyring(join(folder, 'none')).list()).toEqual([])
  })
})

it.each([
  ['not-found', 'KMSNotFoundException', "the KMS key was not found. Please check the function's KMS key settings."],
  ['disabled', 'KMSDisabledException', "the KMS key used is disabled. Please check the function's KMS key settings."],
  [
    'invalid-state',
    'KMSInvalidStateException',
    "the KMS key used is in an invalid state for Decrypt. Please check the function's KMS key settings.",
  ],
  [
    'access-denied',
    'KMSAccessDeniedException',
    "KMS access was denied. Please check the function's KMS key settings. KMS Exception: AccessDeniedExceptionKMS Message: why",
  ],
] as const)('a key that is %s is answered with %s', (kind, name, text) => {
  const refusal = decryptRefusal(new KeyProblem(kind, 'why', 'do this'), 'environment variables')
  expect(refusal).toMatchObject({ name, status: 502, detail: { remedy: 'do this' } })
  expect(refusal.message).toBe(`Lambda was unable to decrypt the environment variables because ${text}`)
})

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1]! ^= 1
  return bytes.toString('base64')
}
