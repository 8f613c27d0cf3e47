import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readSignatures } from '../../../../src/code/signature/read.ts'
import { signPackage } from '../../../../src/code/signature/sign.ts'
import type { TrustedProfiles } from '../../../../src/code/signature/trust.ts'
import type { Signature } from '../../../../src/lambda/package/signature.ts'
import { type Issued, issue } from '../../../support/certificates.ts'

const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001'
const OTHER = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/other/0000000001'
const JOB = 'arn:aws:signer:us-east-1:000000000000:/signing-jobs/one'

let publisher: Issued
let stranger: Issued
beforeAll(async () => {
  publisher = await issue({ name: 'publisher', rsaBits: 2048 })
  stranger = await issue({ name: 'stranger' })
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-signature-'))
  write('index.js', 'exports.handler = 1')
  write('lib/größer als 72 Zeichen, damit der Name im Manifest auf zwei Zeilen steht.txt', 'x')
  write('bin/tool', '#!/bin/sh')
  chmodSync(join(folder, 'bin/tool'), 0o755)
  symlinkSync('tool', join(folder, 'bin/alias'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(path: string, data: string | Buffer): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), data)
}

const text = (path: string) => readFileSync(join(folder, path), 'utf8')

async function sign(by: Issued = publisher, { name = 'HEARTH', expires }: { name?: string; expires?: number } = {}) {
  const signer = { key: by.key, certificates: [by.certificate], profileVersionArn: PROFILE, jobArn: JOB, expires }
  for (const { path, bytes } of await signPackage(folder, signer)) write(path.replace('HEARTH', name), bytes)
}

const read = (profiles: TrustedProfiles = new Map([[PROFILE, [publisher.certificate]]])) =>
  readSignatures(folder, profiles)

async function signatures(profiles?: TrustedProfiles): Promise<readonly Signature[]> {
  const reading = await read(profiles)
  if (reading.kind !== 'signed') throw new Error(JSON.stringify(reading))
  return reading.signatures
}

async function expectCorrupt(reason: RegExp | string): Promise<void> {
  expect(await read()).toEqual({ kind: 'corrupt', reason: expect.stringMatching(reason) })
}

describe('a signed package', () => {
  it('tells who signed it, for which profile and until when', async () => {
    await sign(publisher, { expires: 1_900_000_000_000 })
    expect(await signatures()).toEqual([
      {
        signer: 'CN=publisher',
        profileVersionArn: PROFILE,
        jobArn: JOB,
        expires: 1_900_000_000_000,
        trust: [
          {
            profileVersionArn: PROFILE,
            validFrom: Date.parse('2020-01-01'),
            validUntil: Date.parse('2049-01-01'),
            serials: ['1267'],
          },
        ],
      },
    ])
  })

  it('is trusted by no profile that does not have its certificate', async () => {
    await sign(stranger)
    expect((await signatures())[0]?.trust).toEqual([])
  })

  it('may be signed again: its old signature goes, and what else its manifest said stays', async () => {
    write('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\nMain-Class: a.B\r\n\r\n')
    await sign(stranger)
    rmSync(join(folder, 'META-INF/HEARTH.EC'))
    await sign()
    expect(await signatures()).toHaveLength(1)
    expect(text('META-INF/MANIFEST.MF')).toMatch(/^Manifest-Version: 1\.0\r\nMain-Class: a\.B\r\n/)
  })

  it('may have two signers, each of whom is told', async () => {
    await sign()
    const { key, certificate } = stranger
    const first = text('META-INF/MANIFEST.MF')
    const both = await signPackage(folder, {
      key,
      certificates: [certificate],
      profileVersionArn: PROFILE,
      jobArn: JOB,
    })
    expect(both[0]?.bytes.toString()).toBe(first)
    for (const { path, bytes } of both.slice(1)) write(path.replace('HEARTH', 'OTHER'), bytes)
    const found = await signatures(new Map([[OTHER, [stranger.certificate]]]))
    expect(found.map(({ signer, trust }) => [signer, trust.length])).toEqual([
      ['CN=publisher', 0],
      ['CN=stranger', 1],
    ])
  })

  it('without META-INF, or with nothing of a signature in it, is not signed', async () => {
    expect(await read()).toEqual({ kind: 'unsigned' })
    write('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\n\r\n')
    expect(await read()).toEqual({ kind: 'unsigned' })
    rmSync(join(folder, 'META-INF'), { recursive: true })
    write('META-INF', 'a file')
    expect(await read()).toEqual({ kind: 'unsigned' })
  })
})

describe('a package that is not what was signed', () => {
  beforeEach(() => sign())

  it('has a changed file', async () => {
    write('index.js', 'exports.handler = 2')
    await expectCorrupt('"index.js" was changed')
  })

  it('has one more file, wherever it lies', async () => {
    for (const path of [
      'evil.js',
      'lib/evil.js',
      'META-INF/evil.js',
      'META-INF/SIG-EVIL',
      'META-INF/deep/X.SF',
      'meta-inf/X.SF',
    ]) {
      write(path, 'x')
      await expectCorrupt(/not covered by the signature$/)
      rmSync(join(folder, path))
    }
    expect((await read()).kind).toBe('signed')
  })

  it('has a file less', async () => {
    rmSync(join(folder, 'index.js'))
    await expectCorrupt('"index.js" is missing')
  })

  it('has another link, a link for a file, or a file for a link', async () => {
    rmSync(join(folder, 'bin/alias'))
    symlinkSync('../index.js', join(folder, 'bin/alias'))
    await expectCorrupt('"bin/alias" was changed')
    rmSync(join(folder, 'bin/alias'))
    write('bin/alias', 'tool')
    await expectCorrupt('"bin/alias" was signed as another kind of file')
    rmSync(join(folder, 'bin/alias'))
    symlinkSync('tool', join(folder, 'bin/alias'))
    rmSync(join(folder, 'index.js'))
    symlinkSync('exports.handler = 1', join(folder, 'index.js'))
    await expectCorrupt('"index.js" was signed as another kind of file')
  })

  it('has a file that became executable', async () => {
    chmodSync(join(folder, 'index.js'), 0o755)
    await expectCorrupt('"index.js" was signed as another kind of file')
  })

  it('has a manifest that was changed with the file', async () => {
    const digest = /SHA-256-Digest: (\S+)\r\n\r\nName: lib/.exec(text('META-INF/MANIFEST.MF'))![1]!
    const { createHash } = await import('node:crypto')
    write('index.js', 'evil')
    const other = createHash('sha256').update('evil').digest('base64')
    write('META-INF/MANIFEST.MF', text('META-INF/MANIFEST.MF').replace(digest, other))
    await expectCorrupt('META-INF/MANIFEST.MF was changed')
  })

  it('has a signature file that was changed with the manifest', async () => {
    write('META-INF/HEARTH.SF', text('META-INF/HEARTH.SF').replace('Created-By: hearth', 'Created-By: nobody'))
    await expectCorrupt('its signature does not match')
  })

  it('has a signature file of another package', async () => {
    const [content, block] = [text('META-INF/HEARTH.SF'), readFileSync(join(folder, 'META-INF/HEARTH.RSA'))]
    rmSync(join(folder, 'META-INF'), { recursive: true })
    write('index.js', 'evil')
    await sign(stranger, { name: 'STRANGER' })
    write('META-INF/HEARTH.SF', content)
    write('META-INF/HEARTH.RSA', block)
    await expectCorrupt('META-INF/MANIFEST.MF was changed')
  })

  it('lacks a part of its signature', async () => {
    const block = readFileSync(join(folder, 'META-INF/HEARTH.RSA'))
    rmSync(join(folder, 'META-INF/HEARTH.RSA'))
    await expectCorrupt('META-INF/HEARTH.SF must have one signature block')
    write('META-INF/HEARTH.RSA', block)
    write('META-INF/hearth.ec', block)
    await expectCorrupt('META-INF/HEARTH.SF must have one signature block')
    rmSync(join(folder, 'META-INF/hearth.ec'))
    rmSync(join(folder, 'META-INF/HEARTH.SF'))
    await expectCorrupt('META-INF/HEARTH.RSA is a signature block of nothing')
    await sign()
    rmSync(join(folder, 'META-INF/MANIFEST.MF'))
    await expectCorrupt('META-INF/MANIFEST.MF is missing')
  })

  it('has a signature block that is none, or more than one', async () => {
    const block = readFileSync(join(folder, 'META-INF/HEARTH.RSA'))
    for (const [bytes, reason] of [
      ['', 'cannot be read'],
      ['not DER', 'cannot be read'],
      // Sequences within each other, as deep as a block may be long.
      [Buffer.from('3080'.repeat(128 * 1024), 'hex'), 'cannot be read'],
      [block.subarray(0, -1), 'cannot be read|does not match'],
      [Buffer.concat([block, Buffer.from('#!/bin/sh')]), 'more than a signature'],
      [Buffer.alloc(300 * 1024), 'at most 262144 bytes'],
    ] as const) {
      write('META-INF/HEARTH.RSA', bytes as Buffer)
      await expectCorrupt(new RegExp(reason))
    }
  })

  it('has links or executables for its signature', async () => {
    chmodSync(join(folder, 'META-INF/HEARTH.RSA'), 0o755)
    await expectCorrupt('META-INF/HEARTH.RSA must be a plain file')
    chmodSync(join(folder, 'META-INF/HEARTH.RSA'), 0o644)
    write('manifest', text('META-INF/MANIFEST.MF'))
    rmSync(join(folder, 'META-INF/MANIFEST.MF'))
    symlinkSync('../manifest', join(folder, 'META-INF/MANIFEST.MF'))
    await expectCorrupt('META-INF/MANIFEST.MF must be a plain file')
  })

  it('has a manifest or signatures without bounds', async () => {
    write('META-INF/MANIFEST.MF', Buffer.alloc(17 * 1024 * 1024))
    await expectCorrupt('META-INF/MANIFEST.MF must have at most 16777216 bytes')
    write('META-INF/MANIFEST.MF', Buffer.alloc(16 * 1024 * 1024, '\n'))
    await expectCorrupt('a manifest has too many lines')
    for (let i = 0; i < 9; i++) write(`META-INF/S${i}.SF`, '')
    await expectCorrupt('it has too many signatures')
  })
})

it('what a signature says of itself must be what it is called', async () => {
  const { key, certificate } = publisher
  const good = { key, certificates: [certificate], profileVersionArn: PROFILE, jobArn: JOB }
  for (const [changes, reason] of [
    [{ jobArn: 'x'.repeat(100_000) }, 'Hearth-Signing-Job of its manifest is not such an ARN'],
    [{ profileVersionArn: '<script>' }, 'Hearth-Signing-Profile-Version of its manifest is not such an ARN'],
  ] as const) {
    for (const { path, bytes } of await signPackage(folder, { ...good, ...changes })) write(path, bytes)
    await expectCorrupt(reason)
  }
})

describe('the signer', () => {
  it('must have a key that counts today', async () => {
    await sign(await issue({ name: 'weak', rsaBits: 1024 }))
    await expectCorrupt('its RSA key must have 2048 bits at least')
  })
})
