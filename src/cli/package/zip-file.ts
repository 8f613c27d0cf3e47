/** A zip that somebody else made: what is in it, and what of it fails on AWS. */
import { readFileSync, statSync } from 'node:fs'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'
import { LIMITS } from '../../lambda/limits.ts'
import { CliError } from '../failure.ts'
import { CANDIDATE, CANDIDATE_BYTES, type PackageFile } from './infer.ts'

export interface ZipContent {
  readonly zip: Buffer
  readonly files: readonly PackageFile[]
  readonly notes: readonly string[]
}

/** Names that a remark shows. */
const SHOWN = 3
/** Upper byte of "version made by": the systems whose entries carry a Unix mode. */
const UNIX_HOSTS = [3, 19]

export async function readZip(path: string): Promise<ZipContent> {
  const size = statSync(path).size
  if (size > LIMITS.zipBytes) {
    throw new CliError(
      `${path} has ${Math.ceil(size / 1024 / 1024)} MB; Lambda takes ${LIMITS.zipBytes / 1024 / 1024} MB at most.`,
    )
  }
  const zip = readFileSync(path)
  const unreadable: string[] = []
  const files = await listEntries(zip, unreadable).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError(
      `${path} is not a zip that can be read: ${reason.replace(/\.+$/, '')}.`,
      'Give a folder, or a zip made of the files inside the folder.',
    )
  })
  return { zip, files, notes: unreadable.length === 0 ? [] : [unreadableNote(unreadable)] }
}

function unreadableNote(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return (
    `The zip has files that only their owner may read: ${names.slice(0, SHOWN).join(', ')}${more}. On AWS the function fails with ` +
    '"Permission denied"; here it runs unless HEARTH_PACKAGE_PERMISSIONS is exact. Make the zip again after chmod -R a+rX.'
  )
}

/** Whether the function's user cannot read it on AWS: there an entry keeps the permissions that the zip gives it. */
function isUnreadable({ versionMadeBy, externalFileAttributes, fileName }: Entry): boolean {
  if (!UNIX_HOSTS.includes(versionMadeBy >>> 8)) return false
  const needed = fileName.endsWith('/') ? 0o005 : 0o004
  return ((externalFileAttributes >>> 16) & needed) !== needed
}

function listEntries(zip: Buffer, unreadable: string[]): Promise<PackageFile[]> {
  return new Promise((done, fail) => {
    fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
      if (error) return fail(error)
      collect(archive, unreadable, done, fail)
    })
  })
}

function collect(
  archive: ZipFile,
  unreadable: string[],
  done: (files: PackageFile[]) => void,
  fail: (error: Error) => void,
): void {
  const files: PackageFile[] = []
  archive.on('error', fail)
  archive.on('end', () => done(files))
  archive.on('entry', (entry: Entry) => {
    const { fileName, uncompressedSize, externalFileAttributes } = entry
    if (isUnreadable(entry)) unreadable.push(fileName)
    const add = (text: string) => {
      files.push({ path: fileName, executable: ((externalFileAttributes >>> 16) & 0o111) !== 0, text: () => text })
      archive.readEntry()
    }
    if (fileName.endsWith('/')) return archive.readEntry()
    if (!CANDIDATE.test(fileName) || uncompressedSize > CANDIDATE_BYTES) return add('')
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
