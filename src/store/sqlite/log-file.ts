/** SQLite's write-ahead log as a file to flush. */
import { close, fdatasync, fdatasyncSync, open } from 'node:fs'
import { promisify } from 'node:util'

const openFile = promisify(open)
const closeFile = promisify(close)
const flushFile = promisify(fdatasync)

/**
 * Of its own for each who flushes: the kernel tells each descriptor once that it could not write, so that of two who share one the second
 * would hear of success. SQLite keeps its locks on the database file, so that closing this one releases none.
 */
export class LogFile {
  readonly #path: string
  #opening: Promise<number> | undefined
  #descriptor: number | undefined

  /** @param path opened by the first flush, because SQLite makes the file with the first commit */
  constructor(path: string) {
    this.#path = path
  }

  async flush(): Promise<void> {
    this.#opening ??= openFile(this.#path, 'r')
    this.#descriptor = await this.#opening
    await flushFile(this.#descriptor)
  }

  /** On the event loop. `false`: not done, the file is not open yet. */
  flushHere(): boolean {
    if (this.#descriptor === undefined) return false
    fdatasyncSync(this.#descriptor)
    return true
  }

  async close(): Promise<void> {
    const descriptor = await this.#opening?.catch(() => undefined)
    this.#descriptor = undefined
    if (descriptor !== undefined) await closeFile(descriptor)
  }
}
