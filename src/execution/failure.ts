/** Bodies and log texts of the failures that the platform itself reports, byte for byte as AWS sends them (reference: invoke.md 8.2). */
import type { LaunchFailure, ProcessExit } from '../sandbox/driver.ts'

export interface Failure {
  /** e.g. `Runtime.ExitError`; shown in the REPORT line. */
  readonly errorType: string
  readonly payload: Uint8Array
  /** Lines for the function's log, before END. */
  readonly logLines: readonly string[]
}

const encoder = new TextEncoder()

/** `errorType` first, then `errorMessage`, compact. */
function platformBody(errorType: string, errorMessage: string): Uint8Array {
  return encoder.encode(JSON.stringify({ errorType, errorMessage }))
}

export function timedOut(requestId: string, timeoutSeconds: number, nowMs: number): Failure {
  const text = `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`
  return {
    errorType: 'Sandbox.Timedout',
    payload: platformBody('Sandbox.Timedout', `RequestId: ${requestId} Error: ${text}`),
    logLines: [`${new Date(nowMs).toISOString()} ${requestId} ${text}`, ''],
  }
}

/** Go's names of the signals (package syscall), because AWS's supervisor is written in Go. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'hangup',
  2: 'interrupt',
  3: 'quit',
  4: 'illegal instruction',
  5: 'trace/breakpoint trap',
  6: 'aborted',
  7: 'bus error',
  8: 'floating point exception',
  9: 'killed',
  10: 'user defined signal 1',
  11: 'segmentation fault',
  12: 'user defined signal 2',
  13: 'broken pipe',
  14: 'alarm clock',
  15: 'terminated',
}

function exitReason(exit: ProcessExit): string {
  if (exit.outOfMemory) return 'Runtime exited with error: signal: killed'
  if (exit.signal !== undefined) return `Runtime exited with error: signal: ${SIGNALS[exit.signal] ?? exit.signal}`
  if (exit.code === 0) return 'Runtime exited without providing a reason'
  return `Runtime exited with error: exit status ${exit.code}`
}

export function exited(requestId: string, exit: ProcessExit): Failure {
  const errorType = exit.outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError'
  const message = `RequestId: ${requestId} Error: ${exitReason(exit)}`
  return { errorType, payload: platformBody(errorType, message), logLines: [message, errorType] }
}

/** Go's texts of the errors that exec and chdir give. */
const ERRORS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOMEM: 'cannot allocate memory',
  ENOTDIR: 'not a directory',
}

/** e.g. `fork/exec /app/main: exec format error`, `chdir /app: no such file or directory` */
export function launchProblem({ process, errno, path }: LaunchFailure): string {
  if (process === 'bootstrap') return `Couldn't find valid bootstrap(s): [${path}]`
  return `${process === 'folder' ? 'chdir' : 'fork/exec'} ${path}: ${ERRORS[errno] ?? errno}`
}

/** @param errorType `Runtime.InvalidEntrypoint` or `Runtime.InvalidWorkingDir` */
export function notLaunched(requestId: string, errorType: string, detail: string): Failure {
  const message = `RequestId: ${requestId} Error: ${detail}`
  return { errorType, payload: platformBody(errorType, message), logLines: [message, errorType] }
}

/** The one platform body whose `errorMessage` comes first. */
export function responseTooLarge(limitBytes: number): Failure {
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`
  const errorType = 'Function.ResponseSizeTooLarge'
  return { errorType, payload: encoder.encode(JSON.stringify({ errorMessage, errorType })), logLines: [] }
}

export function truncatedResponse(requestId: string): Failure {
  const errorType = 'Runtime.TruncatedResponse'
  return {
    errorType,
    payload: platformBody(
      errorType,
      `RequestId: ${requestId} Error: The runtime's response ended before it was complete`,
    ),
    logLines: [],
  }
}

export function invalidResponseMode(requestId: string): Failure {
  const errorType = 'Runtime.InvalidResponseModeHeader'
  return {
    errorType,
    payload: platformBody(errorType, `RequestId: ${requestId} Error: Invalid function response mode`),
    logLines: [],
  }
}

/** The sandbox itself disappeared while it worked: the container was removed or the engine died. */
export function sandboxLost(requestId: string): Failure {
  const errorType = 'Sandbox.Failure'
  return {
    errorType,
    payload: platformBody(errorType, `RequestId: ${requestId} Error: The execution environment was lost`),
    logLines: [`RequestId: ${requestId} Error: The execution environment was lost`, errorType],
  }
}
