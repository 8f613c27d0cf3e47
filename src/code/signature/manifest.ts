/** Manifests as the JAR File Specification has them: sections of `Name: value` lines, folded after 72 bytes, UTF-8. */
import { LIMITS } from '../../lambda/limits.ts'
import { quoted, SignatureFault } from './fault.ts'

/** Bytes of a manifest or signature file: 50,000 files have some 8 MiB. Ours: reading it stops everything else for that long. */
export const MANIFEST_BYTES = 16 * 1024 * 1024

const LINE_BYTES = 72
/** A manifest of nothing but line ends would take seconds. */
const LINES = 10 * LIMITS.zipEntries

const HEADER = /^([A-Za-z0-9][A-Za-z0-9_-]{0,69}): /

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Attributes of one section. Names are the same in capitals and small letters. */
export class Attributes {
  readonly #rows = new Map<string, readonly [name: string, value: string]>()

  constructor(rows: Iterable<readonly [name: string, value: string]> = []) {
    for (const [name, value] of rows) this.set(name, value)
  }

  get(name: string): string | undefined {
    return this.#rows.get(name.toLowerCase())?.[1]
  }

  set(name: string, value: string): void {
    this.#rows.set(name.toLowerCase(), [name, value])
  }

  delete(name: string): void {
    this.#rows.delete(name.toLowerCase())
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    yield* this.#rows.values()
  }
}

export interface Manifest {
  readonly main: Attributes
  /** By the name of the file that the section is about. */
  readonly sections: ReadonlyMap<string, Attributes>
}

/** @throws SignatureFault */
export function parseManifest(bytes: Buffer): Manifest {
  const sections = new Map<string, Attributes>()
  let main: Attributes | undefined
  for (const section of readSections(bytes)) {
    if (main === undefined) {
      main = section
      continue
    }
    const name = section.get('Name')
    if (name === undefined) throw new SignatureFault('a section of a manifest has no Name')
    if (sections.has(name)) throw new SignatureFault(`a manifest names ${quoted(name)} twice`)
    sections.set(name, section)
  }
  return { main: main ?? new Attributes(), sections }
}

/** The main section alone, which is all that is needed of a signature file. @throws SignatureFault */
export function parseMainSection(bytes: Buffer): Attributes {
  for (const section of readSections(bytes)) return section
  return new Attributes()
}

export function sectionBytes(section: Attributes): Buffer {
  const lines = [...section].map(([name, value]) => folded(`${name}: ${value}`))
  return Buffer.concat([...lines, Buffer.from('\r\n')])
}

function* readSections(bytes: Buffer): Generator<Attributes> {
  let section: Attributes | undefined
  for (const header of unfoldedLines(bytes)) {
    if (header === '') {
      if (section !== undefined) yield section
      section = undefined
      continue
    }
    const name = HEADER.exec(header)?.[1]
    if (name === undefined) throw new SignatureFault('a line of a manifest is not "Name: value"')
    section ??= new Attributes()
    if (section.get(name) !== undefined) throw new SignatureFault(`a section of a manifest has ${name} twice`)
    section.set(name, decoded(header.slice(name.length + 2)))
  }
  if (section !== undefined) yield section
}

/** Lines with their continuations, one character for each byte: a fold may lie within a character. */
function* unfoldedLines(bytes: Buffer): Generator<string> {
  const all = bytes.toString('latin1')
  const end = /\r\n|\r|\n|$/g
  let header: string | undefined
  let lines = 0
  for (let start = 0; start < all.length; start = end.lastIndex) {
    if (++lines > LINES) throw new SignatureFault('a manifest has too many lines')
    end.lastIndex = start
    const found = end.exec(all)!
    const line = all.slice(start, found.index)
    // At the end of the text the expression matches nothing and does not advance.
    end.lastIndex = found.index + Math.max(found[0].length, 1)
    if (line.startsWith(' ')) {
      if (!header) throw new SignatureFault('a manifest continues a line that is not there')
      header += line.slice(1)
      continue
    }
    if (header !== undefined) yield header
    header = line
  }
  if (header !== undefined) yield header
}

function decoded(latin1: string): string {
  try {
    return strictUtf8.decode(Buffer.from(latin1, 'latin1'))
  } catch (error) {
    throw new SignatureFault('a manifest is not UTF-8', { cause: error })
  }
}

function folded(header: string): Buffer {
  const bytes = Buffer.from(header)
  const pieces: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const prefix = start === 0 ? '' : ' '
    const length = LINE_BYTES - 2 - prefix.length
    pieces.push(Buffer.from(prefix), bytes.subarray(start, start + length), Buffer.from('\r\n'))
    start += length
  }
  return Buffer.concat(pieces)
}
