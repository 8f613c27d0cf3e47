/** The data folder belongs to the user of the host alone: it holds code, logs and events of everybody who has functions here. */
import { chmod, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** Others and the group. */
const OTHERS = 0o077

/** What sandboxes mount, whose user must be able to read it, and what other programs have mounted here. */
const MOUNTED = new Set([
  'code/unpacked',
  'code/opened',
  'code/temporary',
  'layers',
  'cache',
  'tmp-volumes',
  'lost+found',
])

/**
 * Closes a folder that an older version left open to other users of the machine, with everything in it that the host alone reads.
 * @returns how many files and folders were open; 0 where there was nothing to mend
 */
export async function closeDataFolder(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isDirectory() || (found.mode & OTHERS) === 0) return 0
  const mended = await closeContent(path, '')
  // Last: who is interrupted begins anew.
  await chmod(path, FOLDER_MODE)
  return mended + 1
}

/** Links are left alone: what they lead to is somebody else's. */
async function closeContent(root: string, below: string): Promise<number> {
  let mended = 0
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (MOUNTED.has(name) || !(entry.isFile() || entry.isDirectory())) continue
    const path = join(root, name)
    if (((await lstat(path)).mode & OTHERS) !== 0) {
      await chmod(path, entry.isDirectory() ? FOLDER_MODE : FILE_MODE)
      mended++
    }
    if (entry.isDirectory()) mended += await closeContent(root, name)
  }
  return mended
}
