/**
 * Why bytes are not JSON: in the words of AWS's parser where those are recorded (reference: invoke.md 4), in plain words where they are
 * not. Clients match only what stands before. Only ever called for bytes that `JSON.parse` refused.
 */
import { isUtf8 } from 'node:buffer'

const VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"

/** Bytes at the beginning that are looked at for a first word. */
const WORD_BYTES = 1024
/** Characters of a word that are shown. */
const WORD_SHOWN = 256

/** @param refusal what `JSON.parse` threw for the bytes as Latin-1 text; absent for what is not UTF-8 */
export function describeJsonError(bytes: Uint8Array, refusal: unknown): string {
  const { text, at } = beginning(bytes) ?? broken(bytes, refusal)
  if (at === undefined) return text
  return `${text}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); ${place(bytes, at)}]`
}

interface Defect {
  readonly text: string
  /** Index of the byte that the parser had reached. */
  readonly at?: number
}

/** What begins like no value at all, or like a number that a letter follows: all of it recorded. */
function beginning(bytes: Uint8Array): Defect | undefined {
  let start = 0
  while (SPACE.has(bytes[start] ?? 0)) start++
  const first = bytes[start]
  if (first === undefined || '{["-'.includes(String.fromCharCode(first))) return undefined
  const text = Buffer.from(bytes.subarray(start, start + WORD_BYTES)).toString()
  if (first >= 0x30 && first <= 0x39) {
    const number = /^\d+(?=[A-Za-z_$])/.exec(text)?.[0]
    if (number === undefined) return undefined
    const at = start + number.length
    return { text: `Unexpected character (${shown(bytes[at] ?? 0)}): Expected space separating root-level values`, at }
  }
  const word = /^[\p{L}\p{N}\p{Sc}\p{Pc}\p{M}]+/u.exec(text)?.[0]
  if (word === undefined) {
    return { text: `Unexpected character (${shown(first)}): expected a valid value (${VALUES})`, at: start }
  }
  const at = start + Buffer.byteLength(word)
  const next = bytes[at] ?? 0
  if (next >= 0x80 && sequenceLength(next) === 0) return invalidStart(next, at)
  if (['null', 'true', 'false'].includes(word)) return undefined
  return { text: `Unrecognized token '${word.slice(0, WORD_SHOWN)}': was expecting (${VALUES})`, at }
}

const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/** What is wrong further on: nothing of it is recorded but bytes that are not UTF-8. */
function broken(bytes: Uint8Array, refusal: unknown): Defect {
  if (refusal === undefined) return notUtf8(bytes)
  const told = refusal instanceof Error ? refusal.message : ''
  if (/^(Unexpected end|Unterminated)/.test(told)) {
    return { text: 'Unexpected end-of-input: the JSON value is not complete', at: bytes.length }
  }
  const position = /position (\d{1,8})/.exec(told)?.[1]
  const text = 'The payload is not valid JSON'
  return position === undefined ? { text } : { text, at: Number(position) }
}

function notUtf8(bytes: Uint8Array): Defect {
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!)
    if (length === 0) return invalidStart(bytes[at]!, at)
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) return { text: 'The payload is not UTF-8', at }
    at += length
  }
  return { text: 'The payload is not UTF-8' }
}

/** The parser has read the byte when it complains. */
function invalidStart(byte: number, at: number): Defect {
  return { text: `Invalid UTF-8 start byte 0x${byte.toString(16).padStart(2, '0')}`, at: at + 1 }
}

/** Bytes of the UTF-8 sequence that starts with this one; 0: none does. */
function sequenceLength(byte: number): number {
  if (byte < 0x80) return 1
  if (byte < 0xc0 || byte >= 0xf8) return 0
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
}

function place(bytes: Uint8Array, at: number): string {
  let line = 1
  let lineStart = 0
  for (let index = 0; index < at; index++) {
    if (bytes[index] !== 0x0a) continue
    line++
    lineStart = index + 1
  }
  return `line: ${line}, column: ${at - lineStart + 1}`
}

function shown(byte: number): string {
  const control = byte < 0x20 || (byte >= 0x7f && byte < 0xa0)
  return control ? `(CTRL-CHAR, code ${byte})` : `'${String.fromCharCode(byte)}' (code ${byte})`
}
