import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { main } from '../../../src/cli/main.ts'
import { signedPackage } from '../../../src/cli/package/signed-package.ts'
import { readSignatures } from '../../../src/code/signature/read.ts'
import { readProfiles } from '../../../src/code/signature/trust.ts'
import { unpackZip } from '../../../src/code/zip.ts'
import { judge, type SignatureReading } from '../../../src/lambda/package/signature.ts'
import { type Issued, issue } from '../../support/certificates.ts'
import { buildZip, FILE, LINK } from '../code/build-zip.ts'

const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001'
const JARSIGNER = new URL('../../fixtures/jarsigner/', import.meta.url).pathname

let folder: string
let root: Issued
let signer: Issued
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-sign-test-'))
  root = await issue({ name: 'root', ca: true })
  const middle = await issue({ name: 'middle', ca: true, issuer: root })
  signer = await issue({ name: 'signer', issuer: middle })
  writeFileSync(at('root.pem'), root.pem)
  writeFileSync(at('cert.pem'), `Bag Attributes\n${signer.pem}\n${middle.pem}`)
  writeFileSync(at('key.pem'), signer.keyPem)
  writeFileSync(at('other.pem'), root.keyPem)
  mkdirSync(at('my-function/empty'), { recursive: true })
  writeFileSync(at('my-function/index.js'), 'exports.handler = 1')
  writeFileSync(at('my-function/run.sh'), '#!/bin/sh', { mode: 0o755 })
})
afterAll(() => rmSync(folder, { recursive: true }))

let said = ''
beforeEach(() => {
  said = ''
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text)
      return true
    })
  }
  return () => vi.restoreAllMocks()
})

async function readZip(zip: Uint8Array, pem: string): Promise<SignatureReading & { folder: string }> {
  const unpacked = mkdtempSync(at('unpacked-'))
  await unpackZip(zip, unpacked)
  return { ...(await readSignatures(unpacked, readProfiles({ [PROFILE]: pem }))), folder: unpacked }
}

const sign = (...rest: string[]) =>
  main(['sign', at('my-function'), '--key', at('key.pem'), '--cert', at('cert.pem'), '--profile', PROFILE, ...rest])

describe('hearth sign', () => {
  it('signs a folder so that the host trusts it through the authorities between', async () => {
    expect(await sign('--out', at('out.zip'), '--valid-days', '2', '--json')).toBe(0)
    const { jobArn, expires } = JSON.parse(said) as { jobArn: string; expires: string }
    const reading = await readZip(readFileSync(at('out.zip')), at('root.pem'))
    expect(reading).toMatchObject({
      kind: 'signed',
      signatures: [
        { signer: 'CN=signer', jobArn, expires: Date.parse(expires), trust: [{ profileVersionArn: PROFILE }] },
      ],
    })
    const verdict = judge(reading, { publishers: [PROFILE], revoked: new Set(), now: Date.now() })
    expect(verdict).toEqual({ trusted: true, signing: { profileVersionArn: PROFILE, jobArn } })
    expect(readFileSync(join(reading.folder, 'index.js'), 'utf8')).toBe('exports.handler = 1')
    expect(statSync(join(reading.folder, 'run.sh')).mode & 0o777).toBe(0o755)
  })

  it('signs a zip, its links, modes, times and empty folders included', async () => {
    const zip = buildZip([
      { name: 'bin/', mode: 0o040755 },
      { name: 'bin/tool', data: '#!/bin/sh', mode: FILE | 0o755 },
      { name: 'alias', data: 'bin/tool', mode: LINK | 0o777 },
      { name: 'empty/', mode: 0o040755 },
    ])
    writeFileSync(at('a.zip'), zip)
    const args = ['--key', at('key.pem'), '--cert', at('cert.pem'), '--profile', PROFILE, '--out', at('b.zip')]
    expect(await main(['sign', at('a.zip'), ...args])).toBe(0)
    const reading = await readZip(readFileSync(at('b.zip')), at('root.pem'))
    expect(reading.kind).toBe('signed')
    expect(statSync(join(reading.folder, 'alias')).mtime).toEqual(new Date('2024-05-06T07:08:10.000Z'))
    expect(statSync(join(reading.folder, 'empty')).isDirectory()).toBe(true)
  })

  it.each([
    ['META-INF/MANIFEST.MF', 'META-INF/MANIFEST.MF must be a plain file'],
    ['META-INF', 'META-INF must be a folder'],
  ])('never reads through a link: %s', async (name, reason) => {
    writeFileSync(at('linked.zip'), buildZip([{ name, data: at('cert.pem'), mode: LINK | 0o777 }]))
    const args = ['--key', at('key.pem'), '--cert', at('cert.pem'), '--profile', PROFILE]
    expect(await main(['sign', at('linked.zip'), ...args])).toBe(1)
    expect(said).toContain(`cannot be signed: ${reason}`)
  })

  it('says what is wrong with what it is given', async () => {
    for (const [args, message] of [
      [['--key', at('other.pem')], 'The key does not belong to the certificate'],
      [['--key', at('cert.pem')], 'The private key cannot be read from'],
      [['--cert', at('key.pem')], 'it holds no certificate in PEM form'],
      [['--cert', at('none.pem')], 'ENOENT'],
      [['--profile', 'release'], 'It must be the ARN of a signing profile version'],
      [['--valid-days', '0'], 'It must be 1 to 4185'],
    ] as const) {
      said = ''
      expect(await sign(...args)).toBe(1)
      expect(said).toContain(message)
    }
  })
})

describe('what a zip is made of', () => {
  const pack = (changes: Parameters<typeof buildZip>[0]) =>
    buildZip([{ name: 'index.js', data: 'good', mode: FILE }, ...changes])
  const signedEntries = async () => {
    const certificates = [signer.certificate]
    const request = {
      key: signer.key,
      certificates,
      profileVersionArn: PROFILE,
      jobArn: PROFILE.replace('profiles/release/0000000001', 'jobs/one'),
    }
    const { folder: signed } = await readZip(await signedPackage(pack([]), request), at('root.pem'))
    return ['MANIFEST.MF', 'HEARTH.SF', 'HEARTH.EC'].map((name) => ({
      name: `META-INF/${name}`,
      data: readFileSync(join(signed, 'META-INF', name)),
    }))
  }

  it('cannot hide what runs: of each path that is what counts which is unpacked', async () => {
    const signature = await signedEntries()
    expect((await readZip(pack(signature), at('root.pem'))).kind).toBe('signed')
    for (const entry of [
      { name: 'index.js', data: 'evil' },
      { name: './index.js', data: 'evil' },
      { name: 'x/../index.js', data: 'evil' },
      { name: 'lib\\evil.js', host: 0, data: 'evil' },
      { name: 'INDEX.js', data: 'evil' },
      { name: 'index.js\u0000', data: 'evil' },
      { name: 'link', data: 'index.js', mode: LINK | 0o777 },
      { name: 'META-INF/MANIFEST.MF', data: 'Manifest-Version: 1.0\r\n\r\n' },
    ]) {
      const refused = (error: unknown) => ({ kind: error instanceof Error ? 'refused' : 'thrown' })
      const { kind } = await readZip(pack([...signature, entry]), at('root.pem')).catch(refused)
      expect(['corrupt', 'refused'], entry.name).toContain(kind)
    }
  })
})

describe('a package that jarsigner signed', () => {
  it('is read, with the profile that its manifest names', async () => {
    const reading = await readZip(readFileSync(join(JARSIGNER, 'signed.zip')), join(JARSIGNER, 'publisher.pem'))
    expect(reading).toMatchObject({
      kind: 'signed',
      signatures: [{ signer: 'CN=publisher', profileVersionArn: PROFILE, trust: [{ profileVersionArn: PROFILE }] }],
    })
  })

  it('must not have links, which its signature does not cover', async () => {
    const { folder: unpacked } = await readZip(
      readFileSync(join(JARSIGNER, 'signed.zip')),
      join(JARSIGNER, 'publisher.pem'),
    )
    rmSync(join(unpacked, 'index.js'))
    symlinkSync('exports.handler', join(unpacked, 'index.js'))
    expect(await readSignatures(unpacked, new Map())).toMatchObject({
      kind: 'corrupt',
      reason: expect.stringContaining('is a link, which jarsigner does not cover'),
    })
  })
})
