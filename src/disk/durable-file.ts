/** Files that are there whole or not at all, whatever happens in between. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Replacement {
  /** A power failure loses nothing either, once the file is written. */
  readonly sync: boolean
  /** Who may read it; the user of the host alone if not given. */
  readonly mode?: number
}

/** Writes to `temporary`, which must not exist, then renames to `path`; both must be on one file system. */
export async function replaceFile(
  path: string,
  temporary: string,
  data: Uint8Array | string,
  { sync, mode = 0o600 }: Replacement,
): Promise<void> {
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(data)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  if (sync) await syncFolder(dirname(path))
}

/** Makes renames within the folder survive a power failure. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
