/**
 * Folders that can always be made again, each there whole or not at all. Below a directory:
 *
 *     <name>/<id>/        the folder
 *     <name>/<id>.json    marker: the folder is complete (marker.ts)
 *     temporary/          what was being made when the host was killed; emptied at start
 *
 * Everything is made in `temporary` and renamed into place, the marker last, so a kill at any instruction leaves a folder or none.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './disk-errors.ts'
import { replaceFile } from './durable-file.ts'
import { type Marker, markerFor, validMarker } from './marker.ts'
import type { Unpacked } from './zip.ts'

/** Milliseconds for which what was stored is never collected: the function that it is for may not be written yet. */
export const DEFAULT_GRACE_MS = 15 * 60 * 1000

export class FolderCache {
  readonly #folders: string
  readonly #temporary: string
  #prepared: Promise<void> | undefined

  constructor(directory: string, name: string) {
    this.#folders = join(directory, name)
    this.#temporary = join(directory, 'temporary')
  }

  /** Makes what is missing and empties `temporary`, once; every other method but `valid` needs it. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  path(id: string): string {
    return join(this.#folders, id)
  }

  marker(id: string): string {
    return join(this.#folders, `${id}.json`)
  }

  /** A place on the same file system, for what will be renamed. */
  temporary(): string {
    return join(this.#temporary, randomUUID())
  }

  /** `undefined`: the folder is missing or damaged. */
  valid(id: string): Promise<Marker | undefined> {
    return validMarker(this.marker(id), this.path(id))
  }

  /** Of whatever is there, damaged ones included. */
  async ids(): Promise<string[]> {
    return [...new Set((await readdir(this.#folders)).map((name) => name.replace(/\.json$/, '')))]
  }

  /** Puts what `fill` makes, in a folder that does not exist yet, in place of whatever is there. Rejects with what `fill` throws. */
  async make(id: string, fill: (folder: string) => Promise<Unpacked>): Promise<Unpacked> {
    const made = this.temporary()
    try {
      const unpacked = await fill(made)
      const marker = await markerFor(made, unpacked)
      // What was there stays in `temporary` until the next start: sandboxes that still run may have it mounted.
      await this.#takeAway(id)
      await rename(made, this.path(id))
      await replaceFile(this.marker(id), this.temporary(), JSON.stringify(marker), false)
      return unpacked
    } catch (error) {
      await rm(made, { recursive: true, force: true }).catch(() => {})
      throw error
    }
  }

  async remove(id: string): Promise<void> {
    const gone = await this.#takeAway(id)
    if (gone !== undefined) await rm(gone, { recursive: true, force: true })
  }

  /** Moves the folder out of the way and says where to. The marker goes first: half a removal must not look like a whole folder. */
  async #takeAway(id: string): Promise<string | undefined> {
    await rm(this.marker(id), { force: true })
    const gone = this.temporary()
    try {
      await rename(this.path(id), gone)
      return gone
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async #prepare(): Promise<void> {
    for (const path of [this.#folders, this.#temporary]) await mkdir(path, { recursive: true })
    for (const name of await readdir(this.#temporary)) {
      await rm(join(this.#temporary, name), { recursive: true, force: true })
    }
  }
}
