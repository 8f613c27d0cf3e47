/** Log groups and streams as file names, reversibly: `/aws/lambda/hello` is `%2Faws%2Flambda%2Fhello`. */
import { createHash } from 'node:crypto'

/** Bytes of a file name on Linux are 255; the rest is for the segment number and the suffix. */
const MAX_ENCODED = 200

/**
 * Letters, digits, `-` and `_` stay; everything else becomes `%XX`, the dot too, so that no name is `.` or `..` and a dot can separate.
 * A name that gets too long is cut and ends in `~` and a hash.
 */
export function encodeName(name: string): string {
  let encoded = ''
  for (const byte of Buffer.from(name, 'utf8')) {
    const character = String.fromCharCode(byte)
    encoded += /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  if (encoded.length <= MAX_ENCODED) return encoded === '' ? '%' : encoded
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return `${encoded.slice(0, MAX_ENCODED - hash.length - 1).replace(/%.?$/, '')}~${hash}`
}

/** The name, or for one that was cut its readable beginning. */
export function decodeName(encoded: string): string {
  if (encoded === '%') return ''
  const readable = encoded.split('~')[0] ?? ''
  try {
    return decodeURIComponent(readable)
  } catch {
    return readable
  }
}
