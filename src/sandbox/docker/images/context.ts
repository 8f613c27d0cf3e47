/** A build context as the engine takes it, a tar stream, made from files, npm packages and folders without touching the disk. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import * as tar from 'tar-stream'
import type { RecipeFile } from './identity.ts'

/** One time for every entry: the same files make the same context. 2020, because zip cannot say 1970. */
const MTIME = new Date('2020-01-01T00:00:00Z')

type Part = (pack: tar.Pack) => Promise<void>

function write(pack: tar.Pack, header: Partial<tar.Header> & { name: string }, data?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve())
    const fixed = { uid: 0, gid: 0, mtime: MTIME, ...header }
    if (data) pack.entry(fixed, data, done)
    else pack.entry(fixed, done)
  })
}

export class BuildContext {
  readonly #parts: Part[] = []

  file(name: string, data: Buffer | string, mode = 0o644): this {
    this.#parts.push((pack) => write(pack, { name, mode }, Buffer.from(data)))
    return this
  }

  files(prefix: string, files: readonly RecipeFile[]): this {
    for (const file of files) this.file(prefix + file.name, file.data, file.executable ? 0o755 : 0o644)
    return this
  }

  /** Entries of a tar (`.tgz`: gzipped) under the names that `rename` gives them; `undefined` leaves an entry out. */
  tarball(path: string, rename: (name: string) => string | undefined): this {
    this.#parts.push(async (pack) => {
      const extract = tar.extract()
      const source = createReadStream(path)
      const reading = path.endsWith('.tgz') ? pipeline(source, createGunzip(), extract) : pipeline(source, extract)
      // Awaited below; without this a broken file would be an unhandled rejection before we get there.
      reading.catch(() => {})
      for await (const entry of extract) {
        const { type, mode, size, linkname } = entry.header
        const name = rename(entry.header.name)
        if (name === undefined || (type !== 'file' && type !== 'symlink')) {
          entry.resume()
        } else if (type === 'symlink') {
          entry.resume()
          await write(pack, { name, type, linkname, mode })
        } else {
          await new Promise<void>((resolve, reject) => {
            const fixed = { name, size, mode: (mode ?? 0o644) | 0o444, uid: 0, gid: 0, mtime: MTIME }
            const sink = pack.entry(fixed, (error) => (error ? reject(error) : resolve()))
            entry.on('error', reject)
            entry.pipe(sink)
          })
        }
      }
      await reading
    })
    return this
  }

  /** Everything below a folder that `keep` lets through; `keep` sees paths relative to it, with `/`. */
  folder(path: string, prefix: string, keep: (name: string) => boolean): this {
    this.#parts.push((pack) => addFolder(pack, path, prefix, '', keep))
    return this
  }

  /** Hands the context to an engine call. Where making it fails, the call is aborted and the failure is thrown. */
  async send<T>(call: (stream: Readable, signal: AbortSignal) => Promise<T>): Promise<T> {
    const pack = tar.pack()
    const stream = new PassThrough()
    const abort = new AbortController()
    let failure: unknown
    const fail = (error: unknown): void => {
      failure ??= error
      abort.abort()
    }
    pack.on('error', fail)
    pack.pipe(stream)
    const fill = async (): Promise<void> => {
      for (const part of this.#parts) await part(pack)
      pack.finalize()
    }
    fill().catch(fail)
    try {
      return await call(stream, abort.signal)
    } catch (error) {
      throw failure ?? error
    }
  }
}

/** One file out of a tar, executable, under the path `to`. */
export async function extractFile(archive: string, name: string, to: string): Promise<void> {
  const extract = tar.extract()
  const reading = pipeline(createReadStream(archive), extract)
  reading.catch(() => {})
  let found = false
  for await (const entry of extract) {
    if (entry.header.name === name && entry.header.type === 'file') {
      found = true
      await pipeline(entry, createWriteStream(to, { mode: 0o755 }))
    } else entry.resume()
  }
  await reading
  if (!found) throw new Error(`${archive} has no file ${name}`)
}

async function addFolder(
  pack: tar.Pack,
  root: string,
  prefix: string,
  below: string,
  keep: (name: string) => boolean,
): Promise<void> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = below + entry.name
    if (!keep(name)) continue
    if (entry.isDirectory()) await addFolder(pack, root, prefix, `${name}/`, keep)
    else if (entry.isSymbolicLink()) {
      const linkname = await readlink(join(root, name))
      await write(pack, { name: prefix + name, type: 'symlink', linkname })
    } else if (entry.isFile()) await write(pack, { name: prefix + name, mode: 0o644 }, await readFile(join(root, name)))
  }
}
