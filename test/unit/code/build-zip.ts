/** Builds zips byte by byte, so that each of their fields can lie. */
import { deflateRawSync } from 'node:zlib'
import { crc32 } from '../../../src/code/crc32.ts'

export interface EntrySpec {
  readonly name: string | Buffer
  readonly data?: string | Buffer
  /** Whole Unix mode with its type bits; absent: a file or folder that everybody may read. */
  readonly mode?: number
  /** Upper byte of "version made by": 3 Unix (default), 0 FAT, 10 NTFS. */
  readonly host?: number
  readonly method?: number
  readonly flags?: number
  readonly externalAttributes?: number
  /** What the headers say, where it is not the truth. */
  readonly crc?: number
  readonly size?: number
  readonly compressedSize?: number
  readonly localName?: string
  readonly localMethod?: number
  readonly offset?: number
  /** DOS date and time; default 2024-05-06 07:08:10. */
  readonly date?: number
  readonly time?: number
  readonly extra?: Buffer
}

export interface ZipSpec {
  readonly count?: number
  readonly directoryOffset?: number
  readonly comment?: string
}

export const FILE = 0o100000
export const DIRECTORY = 0o040000
export const LINK = 0o120000

const DATE = ((2024 - 1980) << 9) | (5 << 5) | 6
const TIME = (7 << 11) | (8 << 5) | 5

function usualMode({ name, externalAttributes }: EntrySpec): number {
  if (externalAttributes !== undefined) return 0
  return String(name).endsWith('/') ? DIRECTORY | 0o755 : FILE | 0o644
}

export function buildZip(entries: readonly EntrySpec[], zip: ZipSpec = {}): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name as string)
    const data = Buffer.from((entry.data ?? '') as string)
    const method = entry.method ?? 8
    const stored = method === 8 ? deflateRawSync(data) : data
    const flags = entry.flags ?? 0x800
    const fields = Buffer.alloc(16)
    fields.writeUInt16LE(entry.time ?? TIME, 0)
    fields.writeUInt16LE(entry.date ?? DATE, 2)
    fields.writeUInt32LE(entry.crc ?? crc32(data), 4)
    fields.writeUInt32LE(entry.compressedSize ?? stored.length, 8)
    fields.writeUInt32LE(entry.size ?? data.length, 12)
    const extra = entry.extra ?? Buffer.alloc(0)

    const localName = entry.localName === undefined ? name : Buffer.from(entry.localName)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(entry.localMethod ?? method, 8)
    fields.copy(local, 10)
    local.writeUInt16LE(localName.length, 26)
    parts.push(local, localName, stored)

    const header = Buffer.alloc(46)
    header.writeUInt32LE(0x02014b50, 0)
    header.writeUInt16LE(((entry.host ?? 3) << 8) | 20, 4)
    header.writeUInt16LE(20, 6)
    header.writeUInt16LE(flags, 8)
    header.writeUInt16LE(method, 10)
    fields.copy(header, 12)
    header.writeUInt16LE(name.length, 28)
    header.writeUInt16LE(extra.length, 30)
    header.writeUInt32LE(entry.externalAttributes ?? ((entry.mode ?? usualMode(entry)) << 16) >>> 0, 38)
    header.writeUInt32LE(entry.offset ?? offset, 42)
    central.push(header, name, extra)
    offset += local.length + localName.length + stored.length
  }
  const directory = Buffer.concat(central)
  const comment = Buffer.from(zip.comment ?? '')
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE((zip.count ?? entries.length) & 0xffff, 8)
  end.writeUInt16LE((zip.count ?? entries.length) & 0xffff, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(zip.directoryOffset ?? offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, directory, end, comment])
}
