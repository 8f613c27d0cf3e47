import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readProfiles, trustOf } from '../../../../src/code/signature/trust.ts'
import { type Issued, issue } from '../../../support/certificates.ts'

const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001'

describe('the certificates of signing profiles', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-trust-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are all those of a PEM file, whatever is written between them', async () => {
    const [one, two] = [await issue({ name: 'one' }), await issue({ name: 'two' })]
    const path = join(folder, 'a.pem')
    writeFileSync(path, `subject=CN=one\n${one.pem}\nfriendlyName: zwei\r\n${two.pem}`)
    const certificates = readProfiles({ [PROFILE]: path }).get(PROFILE)
    expect(certificates?.map(({ subject }) => subject)).toEqual(['CN=one', 'CN=two'])
  })

  it('that cannot be read end the start, with the file and what to do', () => {
    const path = join(folder, 'a.pem')
    const read = () => readProfiles({ [PROFILE]: path })
    const remedy = expect.stringContaining('HEARTH_SIGNING_PROFILES')
    const refusal = (message: RegExp) => expect.objectContaining({ message: expect.stringMatching(message), remedy })
    expect(read).toThrow(refusal(/of the signing profile arn:.* cannot be read from .*a\.pem: ENOENT/))
    for (const [content, reason] of [
      ['', /holds no certificate in PEM form/],
      ['-----BEGIN PRIVATE KEY-----', /holds no certificate in PEM form/],
      ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /cannot be read from/],
      ['x'.repeat(1024 * 1024 + 1), /too large/],
    ] as const) {
      writeFileSync(path, content)
      expect(read).toThrow(refusal(reason))
    }
  })
})

const trust = (signer: Issued, between: readonly Issued[], ...anchors: Issued[]) =>
  trustOf(
    { signer: signer.certificate, certificates: [signer, ...between].map(({ certificate }) => certificate) },
    new Map([[PROFILE, anchors.map(({ certificate }) => certificate)]]),
  )

describe('a signer', () => {
  it('is trusted through authorities, for the time in which all certificates are valid', async () => {
    const root = await issue({ name: 'root', ca: true, serial: 1, until: new Date('2030-01-01') })
    const middle = await issue({ name: 'middle', ca: true, serial: 2, issuer: root, from: new Date('2025-01-01') })
    const leaf = await issue({ name: 'leaf', serial: 3, issuer: middle })
    expect(trust(leaf, [middle], root)).toEqual([
      {
        profileVersionArn: PROFILE,
        validFrom: Date.parse('2025-01-01'),
        validUntil: Date.parse('2030-01-01'),
        serials: ['3', '2', '1'],
      },
    ])
    expect(trust(leaf, [], root)).toEqual([])
    expect(trust(leaf, [], middle)).toHaveLength(1)
    expect(trust(root, [], leaf)).toEqual([])
  })

  it('is not trusted through a certificate that is no authority, or only has the name of one', async () => {
    const notCa = await issue({ name: 'root' })
    expect(trust(await issue({ name: 'leaf', issuer: notCa }), [], notCa)).toEqual([])
    const [root, namesake] = [await issue({ name: 'root', ca: true }), await issue({ name: 'root', ca: true })]
    expect(trust(await issue({ name: 'leaf', issuer: namesake }), [namesake], root)).toEqual([])
  })

  it('is not trusted with a certificate for other purposes', async () => {
    const root = await issue({ name: 'root', ca: true })
    const server = await issue({ name: 'server', issuer: root, purposes: ['1.3.6.1.5.5.7.3.1'] })
    expect(trust(server, [], root)).toEqual([])
    const signer = await issue({ name: 'signer', issuer: root, purposes: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.3'] })
    expect(trust(signer, [], root)).toHaveLength(1)
  })

  it('is found out about in bounded time, though all authorities issued each other', async () => {
    // Sixteen authorities of one name and key: each could be the issuer of each other one.
    const first = await issue({ name: 'same', ca: true })
    const all = [first]
    for (let serial = 1; serial < 16; serial++) {
      all.push(await issue({ name: 'same', ca: true, issuer: first, serial, key: first }))
    }
    const leaf = await issue({ name: 'leaf', issuer: first })
    expect(trust(leaf, all, await issue({ name: 'stranger', ca: true }))).toEqual([])
    expect(trust(leaf, all.slice(1), first)).toHaveLength(1)
  })
})
