/** A full disk fails every request: its log must not be filled with it too. */
import type { ApiLog } from './errors.ts'

/** Milliseconds for which what was said is not said again. */
const QUIET_MS = 10_000

/**
 * A log in which what the operator has to mend (an entry with a `remedy`) stands once in ten seconds, with the number of those left out.
 * @param clock milliseconds
 */
export function withoutRepeats(log: ApiLog, clock: () => number): ApiLog {
  let said = { message: '', until: Number.NEGATIVE_INFINITY, repeats: 0 }
  return {
    error(detail, message) {
      if (!('remedy' in detail)) {
        log.error(detail, message)
        return
      }
      const now = clock()
      if (message === said.message && now < said.until) {
        said.repeats++
        return
      }
      const repeats = message === said.message ? said.repeats : 0
      said = { message, until: now + QUIET_MS, repeats: 0 }
      log.error(repeats === 0 ? detail : { ...detail, repeats }, message)
    },
  }
}
