/** What of a folder goes into a package: its files in a fixed order, and the links that must stay links. */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CliError } from '../failure.ts'

export interface FolderFile {
  /** Relative, with `/`. */
  readonly path: string
  readonly full: string
  readonly size: number
  readonly executable: boolean
  /** Where it leads, if it goes into the package as a link. */
  readonly link?: string
}

export interface Folder {
  readonly files: readonly FolderFile[]
  /** What the person should know, one sentence each. */
  readonly notes: readonly string[]
}

/** Never part of a function: version control, this host's own data, what interpreters and desktops leave behind. */
const LEFT_OUT = new Set(['.git', '.hearth', '__pycache__', '.DS_Store'])

/** Absolute paths that mean the sandbox's own, whatever lies there on this machine: `node_modules -> /opt/nodejs/node_modules`. */
const OF_THE_SANDBOX = /^\/(opt|var\/(task|runtime|lang)|usr|s?bin|lib\w*|etc|dev|proc)(\/|$)/

/**
 * Links are followed, as `zip -r` does, except back into a folder that is being read. Those to paths of the sandbox and those to nothing
 * go into the package as links.
 */
export function listFolder(folder: string): Folder {
  const notes: string[] = []
  return { files: list(folder, '', [], notes), notes }
}

function list(folder: string, prefix: string, above: readonly string[], notes: string[]): FolderFile[] {
  const real = realpathSync(folder)
  if (above.includes(real)) return []
  const files: FolderFile[] = []
  for (const name of readdirSync(folder).sort()) {
    if (LEFT_OUT.has(name)) continue
    const full = join(folder, name)
    const path = `${prefix}${name}`
    const link = linkToKeep(full, path, notes)
    if (link !== undefined) {
      files.push({ path, full, size: Buffer.byteLength(link), executable: false, link })
      continue
    }
    const info = statSync(full)
    if (info.isDirectory()) files.push(...list(full, `${path}/`, [...above, real], notes))
    else if (info.isFile()) files.push({ path, full, size: info.size, executable: (info.mode & 0o111) !== 0 })
  }
  return files
}

/** `undefined`: no link, or one to follow. */
function linkToKeep(full: string, path: string, notes: string[]): string | undefined {
  const info = lstatSync(full, { throwIfNoEntry: false })
  if (info === undefined) {
    const message = `${full} can no longer be found: it was removed, or its name is not UTF-8.`
    throw new CliError(message, 'Rename or remove it.')
  }
  if (!info.isSymbolicLink()) return undefined
  const target = readlinkSync(full)
  if (OF_THE_SANDBOX.test(target)) return target
  if (exists(full)) return undefined
  notes.push(`${path} is a link to ${target}, which does not exist on this machine. The package contains it as a link.`)
  return target
}

/** A link in a circle leads nowhere. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}
