/**
 * What the signatures of an unpacked package are worth: each must cover every file and link that is there, and nothing that is not.
 *
 * A block (CMS) signs NAME.SF, which has the digest of MANIFEST.MF, which has the digest of each file: the form of signed JAR files, so that
 * `jarsigner` can make them. The folder is read and not the zip: it is what runs, however the zip was made.
 */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  SIGNING_JOB,
  SIGNING_PROFILE_VERSION,
  type Signature,
  type SignatureReading,
} from '../../lambda/package/signature.ts'
import { codeOf } from '../disk-errors.ts'
import { inParallel } from '../in-parallel.ts'
import { quoted, SignatureFault } from './fault.ts'
import { DIGESTS, type Digest, digestBytes, digestFile, listPackage, type PackageFile, readPlainFile } from './files.ts'
import { EXPIRES, FOLDER, JOB, KIND, MANIFEST, PROFILE, type SignatureFiles, signatureFiles } from './layout.ts'
import { type Attributes, MANIFEST_BYTES, type Manifest, parseMainSection, parseManifest } from './manifest.ts'
import { type TrustedProfiles, trustOf } from './trust.ts'

/** Bytes of a block: with a chain of certificates and a timestamp it has some 10 KiB. Ours. */
const BLOCK_BYTES = 256 * 1024
/** Of a certificate's subject, which may be as long as the block. */
const SHOWN_CHARACTERS = 200

/** @param folder of the unpacked package. Errors of the disk pass through. */
export async function readSignatures(folder: string, profiles: TrustedProfiles): Promise<SignatureReading> {
  try {
    const files = signatureFiles(await metaInf(folder))
    if (files.length === 0) return { kind: 'unsigned' }
    const manifestBytes = await readPlainFile(folder, MANIFEST, MANIFEST_BYTES)
    const manifest = parseManifest(manifestBytes)
    const signatures: Signature[] = []
    for (const one of files) signatures.push(await readSignature(folder, one, manifestBytes, manifest, profiles))
    const own = new Set([MANIFEST, ...files.flatMap(({ content, block }) => [content, block])])
    await checkFiles(folder, manifest, own)
    return { kind: 'signed', signatures }
  } catch (error) {
    if (error instanceof SignatureFault) return { kind: 'corrupt', reason: error.message }
    throw error
  }
}

async function metaInf(folder: string): Promise<string[]> {
  const path = join(folder, FOLDER)
  try {
    return (await lstat(path)).isDirectory() ? await readdir(path) : []
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

async function readSignature(
  folder: string,
  files: SignatureFiles,
  manifestBytes: Buffer,
  { main }: Manifest,
  profiles: TrustedProfiles,
): Promise<Signature> {
  const content = await readPlainFile(folder, files.content, MANIFEST_BYTES)
  const { readBlock } = await import('./cms.ts')
  const signed = await readBlock(await readPlainFile(folder, files.block, BLOCK_BYTES), content)
  const [digest, expected] = strongest(parseMainSection(content), '-Digest-Manifest') ?? []
  if (digest === undefined) throw new SignatureFault(`${files.content} does not cover the whole manifest`)
  if (digestBytes(manifestBytes, digest) !== expected) throw new SignatureFault(`${MANIFEST} was changed`)
  return {
    signer: signed.signer.subject.replaceAll('\n', ', ').slice(0, SHOWN_CHARACTERS),
    profileVersionArn: claimed(main, PROFILE, SIGNING_PROFILE_VERSION),
    jobArn: claimed(main, JOB, SIGNING_JOB),
    expires: expiryOf(main),
    trust: trustOf(signed, profiles),
  }
}

async function checkFiles(folder: string, { sections }: Manifest, own: ReadonlySet<string>): Promise<void> {
  const files = await listPackage(folder)
  const covered = new Set<string>()
  await inParallel(files, async (file) => {
    if (!own.has(file.path)) {
      await checkFile(folder, file, sections.get(file.path))
      covered.add(file.path)
    } else if (file.kind !== 'file') throw new SignatureFault(`${file.path} must be a plain file`)
  })
  for (const [name, section] of sections) {
    // Sections without a digest tell about folders, of which nothing runs.
    if (!covered.has(name) && strongest(section, '-Digest') !== undefined) {
      throw new SignatureFault(`${quoted(name)} is missing`)
    }
  }
}

async function checkFile(folder: string, file: PackageFile, section: Attributes | undefined): Promise<void> {
  const name = quoted(file.path)
  const [digest, expected] = (section && strongest(section, '-Digest')) ?? []
  if (section === undefined || digest === undefined) throw new SignatureFault(`${name} is not covered by the signature`)
  const kind = section.get(KIND)
  if (kind === undefined && file.kind === 'link') {
    throw new SignatureFault(`${name} is a link, which jarsigner does not cover: use hearth sign`)
  }
  if (kind !== undefined && kind !== file.kind) throw new SignatureFault(`${name} was signed as another kind of file`)
  if ((await digestFile(folder, file, digest)) !== expected) throw new SignatureFault(`${name} was changed`)
}

function strongest(section: Attributes, suffix: string): readonly [digest: Digest, value: string] | undefined {
  for (const digest of DIGESTS) {
    const value = section.get(`${digest}${suffix}`)
    if (value !== undefined) return [digest, value]
  }
  return undefined
}

/** What a signature says of itself is shown: it must be what it is called. */
function claimed(main: Attributes, name: string, form: RegExp): string | undefined {
  const value = main.get(name)
  if (value === undefined || form.test(value)) return value
  throw new SignatureFault(`${name} of its manifest is not such an ARN`)
}

function expiryOf(main: Attributes): number | undefined {
  const text = main.get(EXPIRES)
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new SignatureFault(`${EXPIRES} of its manifest is no date`)
  return time
}
