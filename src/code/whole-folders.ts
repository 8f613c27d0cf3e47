/**
 * Folders that are there whole or not at all, each under an id. Below the directory:
 *
 *     <kind>/<id>/       the content
 *     <kind>/<id>.json   marker: the folder is complete (marker.ts)
 *     temporary/         what was being made when the host was killed; emptied at start
 *
 * Everything is made in `temporary` and renamed into place, the marker last.
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../disk/durable-file.ts'
import { codeOf } from './disk-errors.ts'
import { type Marker, markerFor, validMarker } from './marker.ts'
import type { PackagePermissions, Unpacked } from './zip.ts'

/** What nobody names is kept for so long: the function that it is for may not be written yet. Milliseconds. */
export const DEFAULT_GRACE_MS = 15 * 60 * 1000

export class WholeFolders {
  readonly #folders: string
  readonly #temporary: string
  readonly #permissions: PackagePermissions | undefined
  #prepared: Promise<void> | undefined

  constructor(directory: string, kind: string, permissions?: PackagePermissions) {
    this.#permissions = permissions
    this.#folders = join(directory, kind)
    this.#temporary = join(directory, 'temporary')
  }

  /** To be awaited before anything is written; does its work once. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  /** Where the folder is, whether it is there or not. */
  path(id: string): string {
    return join(this.#folders, id)
  }

  /** `undefined`: there is no such folder, or it is damaged or has other permissions. */
  find(id: string): Promise<Marker | undefined> {
    return validMarker(this.#marker(id), this.path(id), this.#permissions)
  }

  /** Puts a new folder in place of whatever is there. */
  make(id: string, fill: (folder: string) => Promise<Unpacked>): Promise<Unpacked> {
    return newFolder(this.newTemporary(), async (made) => {
      const unpacked = await fill(made)
      const marker = await markerFor(made, unpacked, this.#permissions)
      // What was there stays in `temporary` until the next start: sandboxes that still run may have it mounted.
      await this.#takeAway(id)
      await rename(made, this.path(id))
      await replaceFile(this.#marker(id), this.newTemporary(), JSON.stringify(marker), { sync: false })
      return unpacked
    })
  }

  /** Nothing happens when there is none. */
  async remove(id: string): Promise<void> {
    const gone = await this.#takeAway(id)
    if (gone !== undefined) await rm(gone, { recursive: true, force: true })
  }

  /** Of all that there are, whole or not. */
  async ids(): Promise<Set<string>> {
    return new Set((await readdir(this.#folders)).map((name) => name.replace(/\.json$/, '')))
  }

  /** Unix milliseconds; `undefined`: there is no whole one. */
  async madeAt(id: string): Promise<number | undefined> {
    const marker = await stat(this.#marker(id)).catch(() => undefined)
    return marker && Math.floor(marker.mtimeMs)
  }

  /** As if it was made now. */
  async renew(id: string): Promise<void> {
    const now = new Date()
    await utimes(this.#marker(id), now, now)
  }

  /** A path for what will be renamed into place. */
  newTemporary(): string {
    return join(this.#temporary, randomUUID())
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#folders, { recursive: true })
    await mkdir(this.#temporary, { recursive: true })
    await emptyFolder(this.#temporary)
  }

  /** Moves the folder out of the way and says where to. The marker goes first: half a removal must not look like a whole folder. */
  async #takeAway(id: string): Promise<string | undefined> {
    await rm(this.#marker(id), { force: true })
    const gone = this.newTemporary()
    try {
      await rename(this.path(id), gone)
      return gone
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  #marker(id: string): string {
    return join(this.#folders, `${id}.json`)
  }
}

/** Makes a folder that everybody may enter, whatever the umask is, and fills it; after an error nothing is left of it. */
export async function newFolder<T>(path: string, fill: (path: string) => Promise<T>): Promise<T> {
  try {
    await mkdir(path)
    await chmod(path, 0o755)
    return await fill(path)
  } catch (error) {
    await rm(path, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

/** Removes what is in it and not the folder, which may be a mount. */
export async function emptyFolder(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
}
