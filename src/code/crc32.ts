/** CRC-32 as zip files use it (IEEE polynomial). */
import * as zlib from 'node:zlib'

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** Continues `crc`, the value over the bytes before, with `bytes`. */
export function crc32InJavaScript(bytes: Uint8Array, crc = 0): number {
  let value = ~crc
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ (TABLE[(value ^ (bytes[i] as number)) & 255] as number)
  return ~value >>> 0
}

/** Node has a native one since 20.15. */
export const crc32: (bytes: Uint8Array, crc?: number) => number =
  typeof zlib.crc32 === 'function' ? zlib.crc32 : crc32InJavaScript
