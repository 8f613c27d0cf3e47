/** Files that are there whole or not at all, whatever happens in between. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes to `temporary`, then renames to `path`; both must be on one file system. With `sync`, a power failure loses nothing either. Only the
 * user of the host may read them.
 */
export async function replaceFile(
  path: string,
  temporary: string,
  data: Uint8Array | string,
  sync: boolean,
): Promise<void> {
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(data)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
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
