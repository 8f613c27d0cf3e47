/** X-Amzn-Trace-Id: taken over from the caller or made new (reference: invoke.md 10). */
import { randomUUID } from 'node:crypto'

/** Characters of a trace header that we accept; longer ones are replaced, because they travel into logs and headers. */
const MAX_LENGTH = 1024

/** The header for one invocation: the caller's if it has a usable `Root`, otherwise a new, unsampled trace. */
export function traceHeader(given: string | undefined, nowMs: number): string {
  if (given !== undefined && given.length <= MAX_LENGTH && /(^|;)\s*root=1-[0-9a-f]{8}-[0-9a-f]{24}/i.test(given)) {
    return /(^|;)\s*sampled=/i.test(given) ? given : `${given};Sampled=0`
  }
  const random = randomUUID().replaceAll('-', '')
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')
  return `Root=1-${seconds}-${random.slice(0, 24)};Parent=${randomUUID().replaceAll('-', '').slice(16)};Sampled=0;Lineage=1:${random.slice(24)}:0`
}
