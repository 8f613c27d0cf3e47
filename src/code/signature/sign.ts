/** Makes the signature of an unpacked package: one that `read.ts` and `jarsigner -verify` take. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { inParallel } from '../in-parallel.ts'
import { makeBlock } from './cms.ts'
import { SignatureFault } from './fault.ts'
import { type Digest, digestBytes, digestFile, listPackage, readPlainFile } from './files.ts'
import { EXPIRES, FOLDER, isSignatureFile, JOB, KIND, MANIFEST, PROFILE } from './layout.ts'
import { Attributes, MANIFEST_BYTES, type Manifest, parseManifest, sectionBytes } from './manifest.ts'

export interface Signer {
  readonly key: KeyObject
  /** The signer's own first, then those between it and the trusted one. */
  readonly certificates: readonly X509Certificate[]
  readonly profileVersionArn: string
  readonly jobArn: string
  /** Unix milliseconds. */
  readonly expires?: number
}

export interface SignatureFile {
  readonly path: string
  readonly bytes: Buffer
}

const DIGEST: Digest = 'SHA-256'
const NAME = `${FOLDER}/HEARTH`
const BLOCK_ENDINGS: Readonly<Record<string, string>> = { rsa: 'RSA', ec: 'EC' }

/**
 * The files that sign what lies in the folder; they replace its MANIFEST.MF and every signature that it had.
 * @throws Error, SignatureFault: a key that cannot sign, a manifest that cannot be read
 */
export async function signPackage(folder: string, signer: Signer): Promise<SignatureFile[]> {
  const manifest = await manifestOf(folder, signer)
  const main = sectionBytes(manifest.main)
  const sections = [...manifest.sections].map(([name, section]) => ({ name, bytes: sectionBytes(section) }))
  const manifestBytes = Buffer.concat([main, ...sections.map(({ bytes }) => bytes)])
  if (manifestBytes.length > MANIFEST_BYTES) throw new Error('the package has too many files to be signed')
  const content = Buffer.concat([
    sectionBytes(
      new Attributes([
        ['Signature-Version', '1.0'],
        ['Created-By', 'hearth'],
        [`${DIGEST}-Digest-Manifest`, digestBytes(manifestBytes, DIGEST)],
      ]),
    ),
    // Hearth needs no more than the digest of the whole; jarsigner -verify shows as signed what has a section.
    ...sections.map(({ name, bytes }) =>
      sectionBytes(
        new Attributes([
          ['Name', name],
          [`${DIGEST}-Digest`, digestBytes(bytes, DIGEST)],
        ]),
      ),
    ),
  ])
  const block = await makeBlock(content, signer.key, signer.certificates)
  const ending = BLOCK_ENDINGS[signer.key.asymmetricKeyType ?? ''] ?? 'RSA'
  return [
    { path: MANIFEST, bytes: manifestBytes },
    { path: `${NAME}.SF`, bytes: content },
    { path: `${NAME}.${ending}`, bytes: block },
  ]
}

/** What the package's own manifest says besides, a JAR's Main-Class for example, stays. */
async function manifestOf(folder: string, { profileVersionArn, jobArn, expires }: Signer): Promise<Manifest> {
  const files = await listPackage(folder)
  if (files.some(({ path }) => path === FOLDER)) throw new SignatureFault(`${FOLDER} must be a folder`)
  const before = files.some(({ path }) => path === MANIFEST)
    ? parseManifest(await readPlainFile(folder, MANIFEST, MANIFEST_BYTES))
    : { main: new Attributes(), sections: new Map<string, Attributes>() }
  const main = new Attributes([['Manifest-Version', '1.0'], ...before.main])
  main.set(PROFILE, profileVersionArn)
  main.set(JOB, jobArn)
  main.delete(EXPIRES)
  if (expires !== undefined) main.set(EXPIRES, new Date(expires).toISOString())
  const signed = files.filter(({ path }) => !isSignatureFile(path))
  const digests = new Map<string, string>()
  await inParallel(signed, async (file) => void digests.set(file.path, await digestFile(folder, file, DIGEST)))
  const sections = new Map<string, Attributes>()
  for (const file of signed) {
    const kept = [...(before.sections.get(file.path) ?? [])].filter(([name]) => !/-Digest$/i.test(name))
    const section = new Attributes([['Name', file.path], ...kept])
    section.set(KIND, file.kind)
    section.set(`${DIGEST}-Digest`, digests.get(file.path)!)
    sections.set(file.path, section)
  }
  for (const [name, section] of before.sections) if (name.endsWith('/')) sections.set(name, section)
  return { main, sections }
}
