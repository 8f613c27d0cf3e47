/**
 * The files of one log group and their size. A stream's events are appended to `<stream>.jsonl`; when that has grown to an eighth of what the group may
 * hold, it becomes `<stream>.<number>.jsonl`. When the group holds too much, its oldest files go.
 */
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface LogGroupLimits {
  /** Bytes of all files of a group. */
  readonly groupBytes: number
  /** Files of a group: one per execution environment. */
  readonly groupFiles: number
}

interface LogFile {
  bytes: number
  /** Unix milliseconds of the last write. */
  written: number
  /** Its end is no half line, as an earlier process or an append that failed may have left it. */
  checked: boolean
}

const SUFFIX = '.jsonl'

export class LogGroup {
  readonly #directory: string
  readonly #limits: LogGroupLimits
  #files: Map<string, LogFile> | undefined
  #bytes = 0

  constructor(directory: string, limits: LogGroupLimits) {
    this.#directory = directory
    this.#limits = limits
  }

  /** Paths with the time of their last write, oldest first. */
  async files(): Promise<{ path: string; stream: string; written: number }[]> {
    const files = await this.#load()
    return [...files]
      .sort(([, a], [, b]) => a.written - b.written)
      .map(([name, { written }]) => ({
        path: join(this.#directory, name),
        stream: name.slice(0, name.indexOf('.')),
        written,
      }))
  }

  /** Appends lines, each ending in a newline, to the file of a stream given by its encoded name. One call at a time. */
  async append(stream: string, lines: string): Promise<void> {
    try {
      await this.#append(stream, lines)
    } catch (error) {
      if (!isMissing(error)) throw error
      // Somebody removed files or the folder: look again what there is.
      this.#files = undefined
      await this.#append(stream, lines)
    }
  }

  async #append(stream: string, lines: string): Promise<void> {
    const files = await this.#load()
    const name = `${stream}${SUFFIX}`
    let file = files.get(name)
    if (file !== undefined && file.bytes > this.#limits.groupBytes / 8) {
      await this.#rotate(stream, name, file)
      file = undefined
    }
    if (file === undefined) {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      file = { bytes: 0, written: 0, checked: true }
      files.set(name, file)
    }
    const path = join(this.#directory, name)
    const text = file.checked || (await endsWithNewline(path)) ? lines : `\n${lines}`
    // An append that a full disk cuts off leaves half a line.
    file.checked = false
    await appendFile(path, text, { mode: 0o600 })
    file.checked = true
    const bytes = Buffer.byteLength(text)
    file.bytes += bytes
    file.written = Date.now()
    this.#bytes += bytes
    await this.#trim(name)
  }

  async #rotate(stream: string, name: string, file: LogFile): Promise<void> {
    const files = await this.#load()
    let number = 1
    while (files.has(`${stream}.${number}${SUFFIX}`)) number++
    const rotated = `${stream}.${number}${SUFFIX}`
    await rename(join(this.#directory, name), join(this.#directory, rotated))
    files.delete(name)
    files.set(rotated, file)
  }

  /** Removes the oldest files until the group is within its limits, never the one just written. */
  async #trim(current: string): Promise<void> {
    const files = await this.#load()
    if (this.#bytes <= this.#limits.groupBytes && files.size <= this.#limits.groupFiles) return
    for (const [name, file] of [...files].sort(([, a], [, b]) => a.written - b.written)) {
      // A tenth less than allowed, so that this is not done again at every line.
      if (this.#bytes <= this.#limits.groupBytes * 0.9 && files.size <= this.#limits.groupFiles * 0.9) return
      if (name === current) continue
      await rm(join(this.#directory, name), { force: true })
      files.delete(name)
      this.#bytes -= file.bytes
    }
  }

  async #load(): Promise<Map<string, LogFile>> {
    if (this.#files !== undefined) return this.#files
    const files = new Map<string, LogFile>()
    let bytes = 0
    const names = await readdir(this.#directory).catch((error) => {
      if (isMissing(error)) return []
      throw error
    })
    for (const name of names) {
      if (!name.endsWith(SUFFIX)) continue
      const { size, mtimeMs } = await stat(join(this.#directory, name))
      files.set(name, { bytes: size, written: mtimeMs, checked: false })
      bytes += size
    }
    // Another call may have been as far in the meantime.
    if (this.#files === undefined) {
      this.#files = files
      this.#bytes = bytes
    }
    return this.#files
  }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) return true
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    return buffer[0] === 0x0a
  } finally {
    await file.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
