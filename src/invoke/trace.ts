/** X-Amzn-Trace-Id: taken over from the caller or made new (reference: invoke.md 10). */
import { randomFillSync } from 'node:crypto'

/** Characters of a trace header that we accept; longer ones are replaced, because they travel into logs and headers. */
const MAX_LENGTH = 1024

/** The header for one invocation: the caller's if it has a usable `Root`, otherwise a new, unsampled trace. */
export function traceHeader(given: string | undefined, nowMs: number): string {
  if (given !== undefined && given.length <= MAX_LENGTH && /(^|;)\s*root=1-[0-9a-f]{8}-[0-9a-f]{24}/i.test(given)) {
    return /(^|;)\s*sampled=/i.test(given) ? given : `${given};Sampled=0`
  }
  const random = randomDigits()
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')
  return `Root=1-${seconds}-${random.slice(0, 24)};Parent=${random.slice(24, 40)};Sampled=0;Lineage=1:${random.slice(40)}:0`
}

/** Random bytes of one header. */
const BYTES = 24

/** For many headers, because asking for random bytes takes longer than all the rest. */
const pool = Buffer.allocUnsafe(BYTES * 128)
let used = pool.length

function randomDigits(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES
  return pool.toString('hex', used - BYTES, used)
}
