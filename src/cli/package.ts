/** A deployment package from a folder or a zip. A folder is zipped in memory, the same files always to the same bytes. */
import { createReadStream, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fromBuffer, type ZipFile as ReadZip } from 'yauzl'
import { ZipFile } from 'yazl'
import { LIMITS } from '../lambda/limits.ts'
import { CliError } from './failure.ts'
import type { PackageFile } from './infer.ts'

export interface Package {
  readonly zip: Buffer
  readonly files: readonly PackageFile[]
  /** Name of the folder or of the zip without its ending. */
  readonly name: string
}

/** Never part of a function: version control, this host's own data, what interpreters and desktops leave behind. */
const LEFT_OUT = new Set(['.git', '.hearth', '__pycache__', '.DS_Store'])
/** One time for all entries, so that the package's SHA-256 depends on nothing but the files. */
const ENTRY_TIME = new Date(2000, 0, 1)
/** Bytes of one file that is read to find its handler. */
const CANDIDATE_BYTES = 1024 * 1024

export async function readPackage(path: string): Promise<Package> {
  const full = resolve(path)
  let folder: boolean
  try {
    folder = statSync(full).isDirectory()
  } catch {
    throw new CliError(`There is no folder or zip ${path}.`, 'Give the folder that holds the function, or its zip.')
  }
  const one = folder ? await zipFolder(full) : await readZip(full)
  if (one.zip.byteLength > LIMITS.zipBytes) {
    throw new CliError(
      `The package is ${Math.ceil(one.zip.byteLength / 1024 / 1024)} MB zipped; Lambda takes ${LIMITS.zipBytes / 1024 / 1024} MB at most.`,
      'Leave out what the function does not need at run time, for example development dependencies.',
    )
  }
  return one
}

async function zipFolder(folder: string): Promise<Package> {
  const found = listFiles(folder)
  if (found.length === 0) throw new CliError(`The folder ${folder} holds no files.`)
  const total = found.reduce((sum, file) => sum + file.size, 0)
  if (total > LIMITS.unzippedBytes) {
    throw new CliError(
      `The folder holds ${Math.ceil(total / 1024 / 1024)} MB; Lambda takes ${LIMITS.unzippedBytes / 1024 / 1024} MB at most, unzipped.`,
      'Leave out what the function does not need at run time, for example development dependencies.',
    )
  }
  const archive = new ZipFile()
  for (const file of found) {
    archive.addReadStreamLazy(
      file.path,
      { mtime: ENTRY_TIME, mode: file.executable ? 0o100755 : 0o100644, forceDosTimestamp: true },
      (give) => {
        const stream = createReadStream(file.full)
        // Without an error listener of its own, a file that vanishes meanwhile would end the process.
        stream.once('error', (error) => archive.emit('error', error))
        give(null, stream)
      },
    )
  }
  archive.end()
  const zip = await new Promise<Buffer>((done, fail) => {
    const chunks: Buffer[] = []
    archive.on('error', fail)
    archive.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk))
    archive.outputStream.once('end', () => done(Buffer.concat(chunks)))
  })
  const files = found.map((file) => ({
    path: file.path,
    executable: file.executable,
    text: () => (file.size > CANDIDATE_BYTES ? '' : readFileSync(file.full, 'utf8')),
  }))
  return { zip, files, name: basename(folder) }
}

interface Found {
  readonly path: string
  readonly full: string
  readonly size: number
  readonly executable: boolean
}

/** Regular files in a fixed order; links are followed, except back into a folder that is being read. */
function listFiles(folder: string, prefix = '', above: readonly string[] = []): Found[] {
  const real = realpathSync(folder)
  if (above.includes(real)) return []
  const files: Found[] = []
  for (const name of readdirSync(folder).sort()) {
    if (LEFT_OUT.has(name)) continue
    const full = join(folder, name)
    const info = statSync(full, { throwIfNoEntry: false })
    if (info === undefined) throw unreadable(full)
    if (info.isDirectory()) files.push(...listFiles(full, `${prefix}${name}/`, [...above, real]))
    else if (info.isFile())
      files.push({ path: `${prefix}${name}`, full, size: info.size, executable: (info.mode & 0o111) !== 0 })
  }
  return files
}

function unreadable(path: string): CliError {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined
    ? new CliError(`${path} cannot be found again: it was removed, or its name is not UTF-8.`, 'Rename or remove it.')
    : new CliError(`${path} is a link to nothing.`, 'Remove the link, or make what it points to.')
}

async function readZip(path: string): Promise<Package> {
  const size = statSync(path).size
  if (size > LIMITS.zipBytes) {
    throw new CliError(
      `${path} has ${Math.ceil(size / 1024 / 1024)} MB; Lambda takes ${LIMITS.zipBytes / 1024 / 1024} MB at most.`,
    )
  }
  const zip = readFileSync(path)
  const files = await listEntries(zip).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError(
      `${path} is not a zip that can be read: ${reason.replace(/\.+$/, '')}.`,
      'Give a folder, or a zip made of the files inside the folder.',
    )
  })
  return { zip, files, name: basename(path).replace(/\.zip$/i, '') }
}

function listEntries(zip: Buffer): Promise<PackageFile[]> {
  return new Promise((done, fail) => {
    fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
      if (error) return fail(error)
      collect(archive, done, fail)
    })
  })
}

function collect(archive: ReadZip, done: (files: PackageFile[]) => void, fail: (error: Error) => void): void {
  const files: PackageFile[] = []
  archive.on('error', fail)
  archive.on('end', () => done(files))
  archive.on('entry', (entry) => {
    const { fileName, uncompressedSize, externalFileAttributes } = entry
    const add = (text: string) => {
      files.push({ path: fileName, executable: ((externalFileAttributes >>> 16) & 0o111) !== 0, text: () => text })
      archive.readEntry()
    }
    const candidate = /^[^/]+\.([mc]?js|py)$/.test(fileName) && uncompressedSize <= CANDIDATE_BYTES
    if (fileName.endsWith('/')) return archive.readEntry()
    if (!candidate) return add('')
    archive.openReadStream(entry, (error, stream) => {
      if (error) return fail(error)
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.once('error', fail)
      stream.once('end', () => add(Buffer.concat(chunks).toString('utf8')))
    })
  })
  archive.readEntry()
}
