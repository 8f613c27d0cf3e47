/**
 * Whether an unpacked folder is still what was unpacked, found out with a few dozen `lstat` calls: a cold start waits for it.
 * The marker lies beside the folder, not in it, because the function sees the folder.
 */
import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackagePermissions, Unpacked } from './zip.ts'

export interface Marker extends Unpacked {
  readonly format: 1
  /**
   * Boot of the machine on which it was unpacked. The folder's files are not synced one by one (10,000 of them would take a minute), so after a
   * power failure they may be empty: a folder of an earlier boot is unpacked again, once.
   */
  readonly boot: string
  /** What the permissions of its files were made from. */
  readonly permissions?: PackagePermissions
  /** Hash over the first entries of the folder, see `fingerprint`. */
  readonly fingerprint: string
}

/** Entries looked at: all of a small function, the upper levels of one with thousands of modules. */
const CHECKED_ENTRIES = 64

export async function markerFor(
  folder: string,
  unpacked: Unpacked,
  permissions: PackagePermissions = 'readable',
): Promise<Marker> {
  return { format: 1, boot: await bootId(), permissions, fingerprint: await fingerprint(folder), ...unpacked }
}

/** The marker, if it and the folder are undamaged and its files have the permissions that are asked for. */
export async function validMarker(
  file: string,
  folder: string,
  permissions: PackagePermissions = 'readable',
): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(file, 'utf8')) as Partial<Marker>
    if (marker.format !== 1 || marker.boot !== (await bootId())) return undefined
    if ((marker.permissions ?? 'readable') !== permissions) return undefined
    if (typeof marker.bytes !== 'number' || typeof marker.entries !== 'number') return undefined
    return marker.fingerprint === (await fingerprint(folder)) ? (marker as Marker) : undefined
  } catch {
    return undefined
  }
}

/** Path, type, permissions, size and time of the first entries, breadth first in alphabetical order, and how many names each folder has. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const folders = ['']
  let left = CHECKED_ENTRIES
  for (let path = folders.shift(); path !== undefined && left > 0; path = folders.shift()) {
    const names = (await readdir(join(folder, path))).sort()
    hash.update(`${path}\0${names.length}\n`)
    const checked = names.slice(0, left)
    left -= checked.length
    const found = await Promise.all(checked.map((name) => lstat(join(folder, path, name))))
    for (const [i, { mode, size, mtimeMs }] of found.entries()) {
      const isFolder = (mode & 0o170000) === 0o040000
      // Size and time of a folder depend on the file system, and change with what is in it, which is looked at itself.
      hash.update(`${checked[i]}\0${mode}\0${isFolder ? '' : `${size}\0${mtimeMs}`}\n`)
      if (isFolder) folders.push(join(path, checked[i] as string))
    }
  }
  return hash.digest('hex')
}

let boot: Promise<string> | undefined

/** Linux tells; elsewhere an empty text, and a power failure goes unnoticed. */
function bootId(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
  return boot
}
