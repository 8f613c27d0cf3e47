/** Failures of the engine and of its machine -> SandboxError, each with what the operator can do. */
import { SandboxError, type SandboxErrorKind } from '../../driver.ts'
import { withCallSignal } from './call-signal.ts'

interface Row {
  readonly matches: (failure: Failure) => boolean
  readonly kind: SandboxErrorKind
  readonly remedy: string
}

interface Failure {
  /** HTTP status as text, errno, or a word of ours. */
  readonly code: string
  readonly message: string
}

const says = (pattern: RegExp) => (failure: Failure) => pattern.test(failure.message)
const is =
  (...codes: string[]) =>
  (failure: Failure) =>
    codes.includes(failure.code)

/** The first row that matches decides. */
const ROWS: readonly Row[] = [
  {
    // With status 403.
    matches: says(/active endpoints/i),
    kind: 'unexpected',
    remedy:
      'Disconnect the containers that `docker network inspect` shows on it. If it shows none that exist, restart the engine: it still counts containers that are gone.',
  },
  {
    matches: is('EACCES', 'EPERM', '401', '403'),
    kind: 'access-denied',
    remedy:
      "Let the user that Hearth runs as use the engine: add it to the group 'docker' and log in again, or run Hearth as root.",
  },
  {
    matches: (failure) => failure.code === '404' && /no such image/i.test(failure.message),
    kind: 'image-missing',
    remedy: 'Build or pull the image of this runtime again. Hearth also does this at its next start.',
  },
  {
    matches: says(/bind source path does not exist|error mounting .* to rootfs at "?\/(var\/task|opt)/i),
    kind: 'code-missing',
    remedy:
      'Restore the data directory or upload the function code again; the engine must see the data directory under the same path as Hearth.',
  },
  {
    matches: is('ENOSPC', 'EDQUOT'),
    kind: 'throttled',
    remedy: "Free space on the disk of Hearth's data directory.",
  },
  {
    matches: says(/no space left on device|disk quota exceeded/i),
    kind: 'throttled',
    remedy: "Free space on the disks of the engine and of Hearth's data directory, e.g. with 'docker system prune'.",
  },
  {
    matches: says(/address(es)? pool|no available ip|address already in use|exchange full|no free subnet/i),
    kind: 'throttled',
    remedy: 'Remove networks that nobody uses (docker network prune) or give Hearth another subnet pool.',
  },
  {
    matches: says(/loop device|could not find any device/i),
    kind: 'throttled',
    remedy: 'Free loop devices (losetup -a) or raise their number (kernel parameter max_loop).',
  },
  {
    matches: (failure) =>
      ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'].includes(failure.code) ||
      /too many open files|cannot allocate memory|resource temporarily unavailable|fork\/exec/i.test(failure.message),
    kind: 'throttled',
    remedy:
      'The machine has no room for another sandbox: lower the concurrency, or give it more memory, files or processes.',
  },
  {
    matches: is('ETIMEDOUT', '429', '503', '504'),
    kind: 'throttled',
    remedy:
      'The engine is overloaded: lower the number of parallel starts, and look at its log (journalctl -u docker).',
  },
  {
    matches: is('ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EHOSTUNREACH'),
    kind: 'unexpected',
    remedy: 'Start the container engine (systemctl start docker) or set DOCKER_HOST to where it listens.',
  },
  {
    matches: is('ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'),
    kind: 'unexpected',
    remedy: 'The engine closed the connection, probably because it restarted: look at its log (journalctl -u docker).',
  },
]

const OTHERWISE = 'Look at the log of the container engine (journalctl -u docker).'

/** `doing` completes "Could not …", e.g. `start a sandbox`. */
export function sandboxError(error: unknown, doing: string): SandboxError {
  if (error instanceof SandboxError) return error
  const failure = failureOf(error)
  const row = ROWS.find((one) => one.matches(failure))
  const message = `Could not ${doing}: ${failure.message}`
  return new SandboxError(row?.kind ?? 'unexpected', failure.code, message, row?.remedy ?? OTHERWISE, error)
}

/** HTTP status of an answer of the engine; `undefined` when there was none. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode
  return typeof status === 'number' ? status : undefined
}

/** Whether the engine said no: else it may have begun, and may go on with, what it was asked for. */
export function isAnswer(error: unknown): boolean {
  return statusOf(error instanceof SandboxError ? error.cause : error) !== undefined
}

/**
 * Runs one call with a time limit. After it the call fails with ETIMEDOUT, and every request that it made of the engine is destroyed (see
 * call-signal.ts); whatever it was about may still happen, so callers clean up by name.
 */
export async function bounded<T>(
  limitMs: number,
  doing: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer within ${limitMs / 1000} s`), { code: 'ETIMEDOUT' }))
      controller.abort()
    }, limitMs)
  })
  try {
    const work = withCallSignal(controller.signal, () => call(controller.signal))
    work.catch(() => undefined)
    return await Promise.race([work, late])
  } catch (error) {
    throw sandboxError(error, doing)
  } finally {
    clearTimeout(timer)
  }
}

/** What an error says, on one line of at most so many characters. */
export function sentenceOf(error: unknown, characters: number): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().replace(/\s+/g, ' ').slice(0, characters)
}

function failureOf(error: unknown): Failure {
  const given = error as { code?: unknown; message?: unknown; json?: unknown }
  const status = statusOf(error)
  const code = status !== undefined ? String(status) : typeof given?.code === 'string' ? given.code : 'Unknown'
  const json = given?.json as { message?: unknown } | undefined
  const text = typeof json?.message === 'string' ? json.message : String(given?.message ?? error)
  return { code, message: sentenceOf(text, 1000) }
}
