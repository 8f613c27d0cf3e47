/**
 * A folder with its parents. Not with Node's `recursive`: on a file system that takes no folders (/proc, /sys) it names the wrong error, or
 * tries for ever, which hangs the process.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** @param mode of the folders that are made. @throws the error of the first folder that cannot be made */
export function makeFolder(path: string, mode = 0o777): void {
  const folder = resolve(path)
  if (isFolder(folder)) return
  // The root is always there.
  makeFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    if (!isFolder(folder)) throw error
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}
