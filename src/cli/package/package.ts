/** A deployment package from a folder or a zip. A folder is zipped in memory, the same files always to the same bytes. */
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { ZipFile } from 'yazl'
import { LIMITS } from '../../lambda/limits.ts'
import { CliError } from '../failure.ts'
import type { Content } from './content.ts'
import { type FolderFile, listFolder } from './folder.ts'
import { CANDIDATE_BYTES, type Given, type Inferred, type PackageFile } from './infer.ts'
import { missingRequirements } from './requirements.ts'
import { bundled, onlyTypeScript } from './typescript.ts'
import { readZip } from './zip-file.ts'

export interface Package {
  readonly zip: Buffer
  readonly files: readonly PackageFile[]
  /** Name of the folder or of the zip without its ending. */
  readonly name: string
  /** Of a function whose files were bundled. */
  readonly function?: Inferred
  /** What the person should know, one sentence each. */
  readonly notes: readonly string[]
}

/** One time for all entries, so that the package's SHA-256 depends on nothing but the files. */
const ENTRY_TIME = new Date(2000, 0, 1)
const MODES = { file: 0o100644, executable: 0o100755, link: 0o120777 } as const

export async function readPackage(path: string, given: Given = {}): Promise<Package> {
  const full = resolve(path)
  let folder: boolean
  try {
    folder = statSync(full).isDirectory()
  } catch {
    throw new CliError(`There is no folder or zip ${path}.`, 'Give the folder that holds the function, or its zip.')
  }
  const one = folder ? await zipFolder(full, given) : await fromZip(full, given)
  if (one.zip.byteLength > LIMITS.zipBytes) {
    throw new CliError(
      `The package is ${Math.ceil(one.zip.byteLength / 1024 / 1024)} MB zipped; Lambda takes ${LIMITS.zipBytes / 1024 / 1024} MB at most.`,
      'Leave out what the function does not need at run time, for example development dependencies.',
    )
  }
  return { ...one, notes: [...one.notes, ...(one.function === undefined ? missingRequirements(one.files, given) : [])] }
}

async function fromZip(full: string, given: Given): Promise<Package> {
  const content = await readZip(full)
  const typescript = onlyTypeScript(content.files, given)
  if (typescript !== undefined) {
    throw new CliError(
      `The zip holds ${typescript} and no JavaScript for it: Node.js functions cannot load TypeScript.`,
      'Deploy the folder instead of the zip, so that Hearth bundles it, or zip the output of your compiler.',
    )
  }
  return { ...content, name: basename(full).replace(/\.zip$/i, '') }
}

async function zipFolder(folder: string, given: Given): Promise<Package> {
  const { files, notes } = listFolder(folder)
  if (files.length === 0) throw new CliError(`The folder ${folder} holds no files.`)
  const own = files.map(contentOf)
  const bundle = await bundled(folder, own, given)
  const contents = bundle?.contents ?? own
  const total = contents.reduce((sum, file) => sum + file.size, 0)
  if (total > LIMITS.unzippedBytes) {
    throw new CliError(
      `The folder holds ${Math.ceil(total / 1024 / 1024)} MB; Lambda takes ${LIMITS.unzippedBytes / 1024 / 1024} MB at most, unzipped.`,
      'Leave out what the function does not need at run time, for example development dependencies.',
    )
  }
  const zip = await zipOf(contents)
  return {
    zip,
    files: contents.map(packageFile),
    name: basename(folder),
    function: bundle?.function,
    notes: [...notes, ...(bundle?.notes ?? [])],
  }
}

function contentOf(file: FolderFile): Content {
  const { path, executable, size, link } = file
  const from = link === undefined ? { file: file.full } : { bytes: Buffer.from(link), isLink: true }
  return { path, executable, size, from }
}

function packageFile({ path, executable, size, from }: Content): PackageFile {
  const text = () => {
    if (size > CANDIDATE_BYTES) return ''
    return 'file' in from ? readFileSync(from.file, 'utf8') : from.bytes.toString('utf8')
  }
  return { path, executable, text }
}

async function zipOf(contents: readonly Content[]): Promise<Buffer> {
  const archive = new ZipFile()
  for (const { path, executable, from } of contents) {
    const mode = 'isLink' in from && from.isLink ? MODES.link : executable ? MODES.executable : MODES.file
    const options = { mtime: ENTRY_TIME, mode, forceDosTimestamp: true }
    if ('bytes' in from) {
      archive.addBuffer(from.bytes, path, options)
      continue
    }
    archive.addReadStreamLazy(path, options, (give) => {
      const stream = createReadStream(from.file)
      // Without an error listener of its own, a file that vanishes meanwhile would end the process.
      stream.once('error', (error) => archive.emit('error', error))
      give(null, stream)
    })
  }
  archive.end()
  return new Promise<Buffer>((done, fail) => {
    const chunks: Buffer[] = []
    archive.on('error', fail)
    archive.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk))
    archive.outputStream.once('end', () => done(Buffer.concat(chunks)))
  })
}
