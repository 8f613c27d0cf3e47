/** The files of an unpacked package as a signature covers them: what will run, not what some reader of the zip makes of it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../disk-errors.ts'
import { inParallel } from '../in-parallel.ts'
import { SignatureFault } from './fault.ts'

/** Beside a file's content what the JAR format does not know: a link's content is its target. */
export type FileKind = 'file' | 'executable' | 'link'

export interface PackageFile {
  /** Below the package's folder, with `/`. */
  readonly path: string
  readonly kind: FileKind
  /** Bytes. */
  readonly size: number
}

/** Files up to this size are read in one piece, which is faster, larger ones in chunks: eight at a time stay small in memory. */
const WHOLE_BYTES = 4 * 1024 * 1024

/** The strongest first. Weaker ones are not accepted. */
export const DIGESTS = ['SHA-512', 'SHA-384', 'SHA-256'] as const
export type Digest = (typeof DIGESTS)[number]

/** In a fixed order. Folders have no content: they are not listed. */
export async function listPackage(folder: string): Promise<PackageFile[]> {
  const paths: string[] = []
  const waiting = ['']
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) waiting.push(path)
      else paths.push(path)
    }
  }
  const files: PackageFile[] = []
  await inParallel(paths, async (path) => {
    const info = await lstat(join(folder, path))
    const kind = info.isSymbolicLink() ? 'link' : (info.mode & 0o111) === 0 ? 'file' : 'executable'
    files.push({ path, kind, size: info.size })
  })
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The bytes of a file of the package, never what a link leads to. @throws SignatureFault, the disk's errors */
export async function readPlainFile(folder: string, path: string, most: number): Promise<Buffer> {
  const full = join(folder, path)
  const info = await lstat(full).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') throw new SignatureFault(`${path} is missing`)
    throw error
  })
  if (!info.isFile()) throw new SignatureFault(`${path} must be a plain file`)
  if (info.size > most) throw new SignatureFault(`${path} must have at most ${most} bytes`)
  return readFile(full)
}

/** Base64. */
export async function digestFile(folder: string, { path, kind, size }: PackageFile, digest: Digest): Promise<string> {
  const full = join(folder, path)
  if (kind === 'link') return digestBytes(await readlink(full, { encoding: 'buffer' }), digest)
  if (size <= WHOLE_BYTES) return digestBytes(await readFile(full), digest)
  const hash = hashOf(digest)
  for await (const chunk of createReadStream(full, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
  return hash.digest('base64')
}

/** Base64. */
export function digestBytes(bytes: Uint8Array, digest: Digest): string {
  return hashOf(digest).update(bytes).digest('base64')
}

function hashOf(digest: Digest) {
  return createHash(digest.replace('-', '').toLowerCase())
}
