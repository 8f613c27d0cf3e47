/**
 * Deployment packages: validated and unpacked. A zip is hostile input: nothing it says about itself is believed.
 *
 * First the central directory is read and turned into a plan (`zip-plan.ts`); only what passes is written, into a folder that is empty before. What a
 * file inflates to must have exactly the size and the CRC that the directory says, and the sizes are added up before, so a bomb is refused without
 * being inflated.
 *
 * A link may lead anywhere, as on AWS: it means a path of the sandbox, which sees the package read-only. On this machine no link of a package is ever
 * followed: nothing lies below one, and links are made last, so nothing is written through one.
 */
import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { LambdaException } from '../lambda/errors.ts'
import { LIMITS } from '../lambda/limits.ts'
import { crc32 } from './crc32.ts'
import { inParallel } from './in-parallel.ts'
import { FOLDER_MODE, type PlannedEntry, planEntry } from './zip-entry.ts'
import { corruptZip, emptyZip, tooManyEntries, unzippedTooLarge } from './zip-errors.ts'
import { ZipPlan } from './zip-plan.ts'

export interface Unpacked {
  /** Files, folders and links made. */
  readonly entries: number
  /** Bytes of all files. */
  readonly bytes: number
  /** The first files and folders that functions could not read on AWS. */
  readonly unreadable?: readonly string[]
}

/** readable: functions may read every file. exact: what the zip says, as on AWS. */
export type PackagePermissions = 'readable' | 'exact'

/** Names that a warning shows. */
const UNREADABLE_SHOWN = 5

/** Files up to this size are inflated in one piece, larger ones in chunks, so that eight at a time stay small in memory. */
const WHOLE_BYTES = 4 * 1024 * 1024

/** Bytes of a link's target on Linux. */
const LINK_BYTES = 4095

const inflateWhole = promisify(
  (data: Uint8Array, maxOutputLength: number, done: (error: Error | null, result: Buffer) => void) =>
    zlib.inflateRaw(data, { maxOutputLength }, done),
)

/**
 * Unpacks into `folder`, which must exist and be empty. Throws the LambdaException that AWS answers a bad package with; errors of the disk
 * pass through as they are. What was made before an error is left for the caller to remove.
 */
export async function unpackZip(
  zip: Uint8Array,
  folder: string,
  permissions: PackagePermissions = 'readable',
): Promise<Unpacked> {
  if (zip.byteLength === 0) throw emptyZip()
  // Objects of S3 may be larger than an upload, but not than what they unpack to.
  if (zip.byteLength > LIMITS.unzippedBytes) throw unzippedTooLarge()
  const buffer = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength)
  const archive = await fromBufferPromise(buffer, { decodeStrings: false, strictFileNames: true }).catch((error) => {
    throw corruptZip(error)
  })
  try {
    const plan = await readPlan(archive)
    return await write({ buffer, archive, plan, folder, permissions })
  } catch (error) {
    if (error instanceof LambdaException || isSystemError(error)) throw error
    throw corruptZip(error)
  }
}

async function readPlan(archive: ZipFile): Promise<ZipPlan> {
  if (archive.entryCount === 0) throw emptyZip()
  if (archive.entryCount > LIMITS.zipEntries) throw tooManyEntries()
  const plan = new ZipPlan()
  let bytes = 0
  for await (const entry of archive.eachEntry()) {
    bytes += entry.uncompressedSize
    if (bytes > LIMITS.unzippedBytes) throw unzippedTooLarge()
    const planned = planEntry(entry)
    if (planned !== undefined) plan.add(planned)
  }
  return plan
}

interface Work {
  readonly buffer: Buffer
  readonly archive: ZipFile
  readonly plan: ZipPlan
  readonly folder: string
  readonly permissions: PackagePermissions
}

async function write({ buffer, archive, plan, folder, permissions }: Work): Promise<Unpacked> {
  const modeOf = (planned: PlannedEntry) => (permissions === 'exact' ? planned.exactMode : planned.mode)
  await setFolderMode(folder, FOLDER_MODE)
  for (const [path, planned] of plan.directories()) {
    const made = join(folder, ...path)
    await mkdir(made)
    await setFolderMode(made, planned === undefined ? FOLDER_MODE : modeOf(planned))
  }
  const files = plan.files()
  await inParallel(files, async (planned) => {
    const source = await content(buffer, archive, planned.entry)
    await writeFile(source, { path: planned.path, mode: modeOf(planned), modified: planned.modified }, folder)
  })

  for (const link of plan.links()) {
    await symlink(await linkTarget(buffer, archive, link.entry), join(folder, ...link.path))
  }

  const unreadable = plan.unreadable(UNREADABLE_SHOWN)
  const bytes = files.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0)
  return { entries: plan.size, bytes, ...(unreadable.length === 0 ? {} : { unreadable }) }
}

/** The entry's bytes as they lie in the zip. The local header must agree with the directory, or two readers would see two packages. */
async function content(buffer: Buffer, archive: ZipFile, entry: Entry): Promise<{ data: Buffer; entry: Entry }> {
  const local = await archive.readLocalFileHeaderPromise(entry)
  if (!local.fileName.equals(entry.fileNameRaw) || local.compressionMethod !== entry.compressionMethod) {
    throw new Error('a local header contradicts the central directory')
  }
  return { data: buffer.subarray(local.fileDataStart, local.fileDataStart + entry.compressedSize), entry }
}

async function writeFile(
  source: { data: Buffer; entry: Entry },
  planned: Pick<PlannedEntry, 'path' | 'mode' | 'modified'>,
  folder: string,
): Promise<void> {
  const path = join(folder, ...planned.path)
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    let size = 0
    let crc = 0
    for await (const chunk of inflated(source.data, source.entry)) {
      size += chunk.length
      if (size > source.entry.uncompressedSize) break
      crc = crc32(chunk, crc)
      await file.writeFile(chunk)
    }
    if (size !== source.entry.uncompressedSize)
      throw new Error(`${planned.path.join('/')} has another size than announced`)
    if (crc !== source.entry.crc32) throw new Error(`${planned.path.join('/')} has a wrong CRC`)
    await file.chmod(planned.mode)
    await file.utimes(planned.modified, planned.modified)
  } finally {
    await file.close()
  }
}

async function* inflated(data: Buffer, entry: Entry): AsyncGenerator<Buffer> {
  if (entry.compressionMethod === 0) {
    yield data
  } else if (entry.uncompressedSize <= WHOLE_BYTES) {
    // One byte more than announced is enough to find out that it lies.
    yield await inflateWhole(data, entry.uncompressedSize + 1)
  } else {
    const stream = zlib.createInflateRaw({ chunkSize: 256 * 1024 })
    stream.end(data)
    yield* stream as AsyncIterable<Buffer>
  }
}

async function linkTarget(buffer: Buffer, archive: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.uncompressedSize === 0 || entry.uncompressedSize > LINK_BYTES)
    throw new Error('a link has an impossible target')
  const { data } = await content(buffer, archive, entry)
  const target = entry.compressionMethod === 0 ? data : await inflateWhole(data, entry.uncompressedSize + 1)
  if (target.length !== entry.uncompressedSize || crc32(target) !== entry.crc32)
    throw new Error('a link has a wrong CRC')
  if (target.includes(0)) throw new Error("a link's target contains a NUL")
  return target
}

/** Whatever the host's umask is. */
async function setFolderMode(path: string, mode: number): Promise<void> {
  if (((await lstat(path)).mode & 0o7777) !== mode) await chmod(path, mode)
}

/** The disk's errors (ENOSPC, EIO, EACCES) have a system call; zlib's and ours have none. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
