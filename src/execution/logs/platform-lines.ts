/** What the platform itself writes into a function's log, as lines of text (LogFormat Text; `report.ts` has the exact forms). */
import type { InitializationType } from '../boot.ts'
import { endLine, initReportLine, initStartLine, type ReportFields, reportLine, startLine, xrayLine } from './report.ts'

/** A line, or what makes it once the environment's peak memory is known: that is measured once per flush. */
export type Message = string | ((maxMemoryBytes: number) => string)

export interface InitReport {
  readonly durationMs: number
  readonly phase: 'init' | 'invoke'
  /** Absent: it went well. */
  readonly status?: 'error' | 'timeout'
  readonly errorType?: string
}

export interface InvocationReport extends Omit<ReportFields, 'maxMemoryBytes'> {
  readonly traceHeader: string
  readonly outOfMemory: boolean
  /** Type of an error that the runtime reported: the invocation ended as it should, and its result is the error. */
  readonly functionErrorType?: string
}

/** Each method gives the lines of one occasion, without newlines; none where the format or the level has none. */
export interface PlatformLines {
  initStart(): Message[]
  initReport(report: InitReport): Message[]
  start(requestId: string, traceHeader: string): Message[]
  /** What was wrong, in words, before the end of the invocation that it ended. */
  fault(lines: readonly string[]): Message[]
  end(report: InvocationReport): Message[]
  /** Output that was too much at once. */
  dropped(bytes: number): string[]
}

export interface PlatformLinesOptions {
  readonly initialization: InitializationType
  readonly functionName: string
  readonly functionVersion: string
  /** e.g. `nodejs:22`; `undefined`: the runtime is part of the function's image. */
  readonly runtimeVersion: string | undefined
  readonly runtimeVersionArn: string | undefined
}

export class TextLines implements PlatformLines {
  readonly #options: PlatformLinesOptions

  constructor(options: PlatformLinesOptions) {
    this.#options = options
  }

  initStart(): Message[] {
    const { runtimeVersion, runtimeVersionArn } = this.#options
    if (runtimeVersion === undefined || runtimeVersionArn === undefined) return []
    return [initStartLine(runtimeVersion, runtimeVersionArn)]
  }

  initReport({ status, ...report }: InitReport): Message[] {
    // Init ahead of invocations shows in no REPORT, so a successful one has a line too.
    if (status === undefined && this.#options.initialization === 'on-demand') return []
    return [initReportLine({ ...report, status: status ?? 'success' })]
  }

  start(requestId: string): Message[] {
    return [startLine(requestId, this.#options.functionVersion)]
  }

  fault(lines: readonly string[]): Message[] {
    return [...lines]
  }

  end({ outOfMemory, functionErrorType: _, traceHeader, ...report }: InvocationReport): Message[] {
    const traced = xrayLine(traceHeader)
    return [
      endLine(report.requestId),
      (measured) => reportLine({ ...report, maxMemoryBytes: outOfMemory ? Number.MAX_SAFE_INTEGER : measured }),
      ...(traced === undefined ? [] : [traced]),
    ]
  }

  dropped(bytes: number): string[] {
    return [`HEARTH dropped ${bytes} bytes of output: too much at once`]
  }
}
