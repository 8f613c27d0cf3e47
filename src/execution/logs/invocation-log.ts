/** The platform's lines around one invocation: START, END and REPORT, and the tail for whoever asked for it. */
import type { FunctionVersion } from '../../lambda/function.ts'
import type { Sandbox } from '../../sandbox/driver.ts'
import type { EnvironmentLog } from './environment-log.ts'
import type { PlatformLines } from './platform-lines.ts'

/** Milliseconds that the end of an invocation waits for its last output at most; the supervisor's marker comes in about one, on a busy machine in many. */
const OUTPUT_WAIT_MS = 1000
/** Milliseconds between the end of an invocation and its END line, so that output still in the pipe comes before it. */
const OUTPUT_SETTLE_MS = 20

export interface Ending {
  readonly requestId: string
  readonly durationMs: number
  /** Duration of the Init that preceded this invocation, if one did. */
  readonly initDurationMs: number | undefined
  readonly traceHeader: string
  /** Set when the platform ended the invocation; an error that the runtime reported is an ordinary end. */
  readonly failure?: { readonly errorType: string; readonly outOfMemory: boolean }
  /** Type of the error that the runtime reported. */
  readonly functionErrorType?: string
}

export class InvocationLog {
  readonly #log: EnvironmentLog
  readonly #version: FunctionVersion
  readonly #lines: PlatformLines
  #pending: { readonly ending: Ending; readonly timer: NodeJS.Timeout } | undefined

  constructor(log: EnvironmentLog, version: FunctionVersion, lines: PlatformLines) {
    this.#log = log
    this.#version = version
    this.#lines = lines
  }

  /** A new invocation begins: what is still to be said of the one before is said now. */
  begin(tail: boolean): void {
    this.writePending()
    if (tail) this.#log.beginTail()
  }

  started(requestId: string, traceHeader: string): void {
    this.#log.write(this.#lines.start(requestId, traceHeader))
  }

  /** END and REPORT, a moment later: output takes its time through the pipe, and its lines belong before END. */
  endLater(ending: Ending): void {
    this.#pending = { ending, timer: setTimeout(() => this.writePending(), OUTPUT_SETTLE_MS) }
  }

  writePending(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    clearTimeout(pending.timer)
    this.#end(pending.ending)
  }

  /** END and REPORT after the last output and these lines. */
  async endAfterOutput(sandbox: Sandbox | undefined, ending: Ending, lines: readonly string[] = []): Promise<void> {
    await sandbox?.flush(OUTPUT_WAIT_MS)
    this.#log.endPartialLine()
    this.#log.write(this.#lines.fault(lines))
    this.#end(ending)
  }

  /** The last 4 KB since `begin(true)`, END and REPORT included. */
  async tail(sandbox: Sandbox | undefined): Promise<Uint8Array> {
    return this.#log.endTail((await sandbox?.maxMemoryBytes()) ?? 0)
  }

  /** The memory that REPORT names is measured when the log is flushed: once for all invocations since the last flush. */
  #end({ requestId, durationMs, initDurationMs, traceHeader, failure, functionErrorType }: Ending): void {
    this.#log.write(
      this.#lines.end({
        requestId,
        durationMs,
        traceHeader,
        memorySizeMb: this.#version.memorySize,
        outOfMemory: failure?.outOfMemory ?? false,
        ...(initDurationMs === undefined ? {} : { initDurationMs }),
        ...(functionErrorType === undefined ? {} : { functionErrorType }),
        ...(failure === undefined ? {} : statusOf(failure.errorType)),
      }),
    )
  }
}

function statusOf(errorType: string): { status: 'timeout' | 'error'; errorType: string } {
  return { status: errorType === 'Sandbox.Timedout' ? 'timeout' : 'error', errorType }
}
