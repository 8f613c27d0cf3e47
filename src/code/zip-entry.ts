/** What one entry of a zip's central directory means: its place, kind and permissions. Pure; throws an Error that says what is wrong. */
import { type Entry, getFileNameLowLevel } from 'yauzl'

export type PlannedKind = 'file' | 'directory' | 'link'

export interface PlannedEntry {
  /** Segments below the root, none of them empty, `.` or `..`. */
  readonly path: readonly string[]
  readonly kind: PlannedKind
  /** Permission bits of a file or folder, if functions may read all. */
  readonly mode: number
  /** As the zip gives them, without the right to write. The owner is this host, which must be able to read. */
  readonly exactMode: number
  /** Unix seconds. */
  readonly modified: number
  readonly entry: Entry
}

/** Upper byte of "version made by": the systems whose external attributes carry a Unix mode. */
const UNIX = 3
const OS_X = 19
/** The systems whose zip tools write backslashes between segments: FAT, NTFS, VFAT. */
const WINDOWS = new Set([0, 10, 14])

const TYPE_MASK = 0o170000
const TYPE_FILE = 0o100000
const TYPE_DIRECTORY = 0o040000
const TYPE_LINK = 0o120000

/** Bytes of one name and of a whole path on Linux. */
const NAME_BYTES = 255
const PATH_BYTES = 4096 - 512
/** Folders within folders; ours, so that a small zip cannot ask for millions of them. */
const MAX_DEPTH = 100

/** Bits of the general purpose flag. */
const UTF8_FLAG = 0x800
const ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Of folders, unless a package says otherwise and is believed. */
export const FOLDER_MODE = 0o755

/** Whether functions cannot read it where permissions are exact, as on AWS: they run as another user than the files' owner. */
export function isUnreadable({ kind, exactMode }: PlannedEntry): boolean {
  const needed = kind === 'directory' ? 0o005 : 0o004
  return kind !== 'link' && (exactMode & needed) !== needed
}

/** `undefined`: the entry is the root folder itself. */
export function planEntry(entry: Entry): PlannedEntry | undefined {
  const host = entry.versionMadeBy >>> 8
  const name = nameOf(entry, host)
  if (entry.generalPurposeBitFlag & ENCRYPTED_FLAGS) throw new Error(`${quote(name)} is encrypted`)
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw new Error(`${quote(name)} uses compression method ${entry.compressionMethod}, neither stored nor deflate`)
  }
  const path = segments(name)
  const unixMode = host === UNIX || host === OS_X ? entry.externalFileAttributes >>> 16 : 0
  const kind = kindOf(name, unixMode)
  if (kind === 'directory' && entry.uncompressedSize > 0) throw new Error(`the folder ${quote(name)} has content`)
  if (path.length === 0) {
    if (kind !== 'directory') throw new Error(`${quote(name)} names no file`)
    return undefined
  }
  const mode = kind === 'directory' ? FOLDER_MODE : permissions(unixMode)
  const hasMode = host === UNIX || host === OS_X
  const exactMode = !hasMode ? mode : kind === 'directory' ? 0o700 | (unixMode & 0o055) : 0o600 | (unixMode & 0o155)
  return { path, kind, mode, exactMode, modified: modifiedOf(entry), entry }
}

/**
 * Executable bits stay, everybody may read, nobody but the owner may write, and setuid, setgid and sticky go. Without a Unix mode (a zip made on
 * Windows) a file is not executable, as on AWS, `bootstrap` included.
 */
export function permissions(unixMode: number): number {
  return 0o644 | (unixMode & 0o111)
}

function nameOf(entry: Entry, host: number): string {
  const raw = entry.fileNameRaw
  if (entry.generalPurposeBitFlag & UTF8_FLAG) {
    try {
      strictUtf8.decode(raw)
    } catch (error) {
      throw new Error('a file name is not valid UTF-8', { cause: error })
    }
  }
  const name = getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, true)
  return WINDOWS.has(host) ? name.replaceAll('\\', '/') : name
}

function segments(name: string): string[] {
  if (name === '') throw new Error('a file name is empty')
  if (name.includes('\0')) throw new Error(`${quote(name)} contains a NUL`)
  if (name.startsWith('/') || /^[a-zA-Z]:[/\\]/.test(name)) throw new Error(`${quote(name)} is an absolute path`)
  if (Buffer.byteLength(name) > PATH_BYTES) throw new Error(`the path ${quote(name)} is too long`)
  const path = name.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (path.length > MAX_DEPTH) throw new Error(`the path ${quote(name)} is too deep`)
  for (const segment of path) {
    if (segment === '..') throw new Error(`${quote(name)} leads out of the package`)
    if (Buffer.byteLength(segment) > NAME_BYTES) throw new Error(`a name in ${quote(name)} is too long`)
  }
  return path
}

function kindOf(name: string, unixMode: number): PlannedKind {
  const type = unixMode & TYPE_MASK
  if (type !== 0 && type !== TYPE_FILE && type !== TYPE_DIRECTORY && type !== TYPE_LINK) {
    throw new Error(`${quote(name)} is neither a file, a folder nor a link`)
  }
  if (type === TYPE_LINK) return 'link'
  return type === TYPE_DIRECTORY || name.endsWith('/') ? 'directory' : 'file'
}

/** Kept because Python trusts a compiled file only if its source has the time it was compiled with. */
function modifiedOf(entry: Entry): number {
  const seconds = Math.floor(entry.getLastModDate({ timezone: 'UTC' }).getTime() / 1000)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : 0
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}
