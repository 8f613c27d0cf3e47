/**
 * What the platform writes into a function's log with LogFormat JSON: records in the form of the Telemetry API, one JSON object a line, each
 * with a level (reference: execution-model.md 4.2 and 5.2). Those below SystemLogLevel are left out.
 */
import type { SystemLogLevel } from '../../lambda/function.ts'
import type { InitReport, InvocationReport, Message, PlatformLines, PlatformLinesOptions } from './platform-lines.ts'
import { billedMs, sampledTrace, usedMb } from './report.ts'

const RANK: Readonly<Record<SystemLogLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2 }

export interface RecordOptions extends PlatformLinesOptions {
  readonly level: SystemLogLevel
  /** Unix milliseconds. */
  readonly clock: () => number
}

export class JsonRecords implements PlatformLines {
  readonly #options: RecordOptions

  constructor(options: RecordOptions) {
    this.#options = options
  }

  initStart(): Message[] {
    const { functionName, functionVersion, runtimeVersion, runtimeVersionArn } = this.#options
    return this.#record(runtimeVersion === undefined ? 'DEBUG' : 'INFO', 'platform.initStart', {
      initializationType: this.#options.initialization,
      phase: 'init',
      functionName,
      functionVersion,
      runtimeVersion,
      runtimeVersionArn,
    })
  }

  initReport({ durationMs, phase, status, errorType }: InitReport): Message[] {
    const { initialization } = this.#options
    // Init ahead of invocations shows in no other record.
    const reportLevel = initialization === 'on-demand' ? 'DEBUG' : 'INFO'
    const failed = status === undefined ? undefined : 'WARN'
    const common = { initializationType: initialization, phase, status: status ?? 'success', errorType }
    return [
      ...this.#record(failed ?? 'DEBUG', 'platform.initRuntimeDone', common),
      ...this.#record(failed ?? reportLevel, 'platform.initReport', {
        ...common,
        metrics: { durationMs: rounded(durationMs) },
      }),
    ]
  }

  start(requestId: string, traceHeader: string): Message[] {
    const { functionVersion: version } = this.#options
    return this.#record('INFO', 'platform.start', { requestId, version, tracing: tracingOf(traceHeader) })
  }

  fault(lines: readonly string[]): Message[] {
    const text = lines.filter((line) => line !== '').join('\n')
    return text === '' ? [] : this.#record('WARN', 'platform.fault', text)
  }

  end(report: InvocationReport): Message[] {
    const { requestId, durationMs, initDurationMs, memorySizeMb, outOfMemory, traceHeader } = report
    const errorType = report.errorType ?? report.functionErrorType
    const status = report.status ?? (errorType === undefined ? 'success' : 'error')
    const level = status === 'success' ? undefined : 'WARN'
    const common = { requestId, status, errorType }
    const tracing = tracingOf(traceHeader)
    const done = { ...common, metrics: { durationMs: rounded(durationMs) }, tracing }
    if (!this.#keeps(level ?? 'INFO')) return this.#record(level ?? 'DEBUG', 'platform.runtimeDone', done)
    const time = this.#time()
    return [
      ...this.#record(level ?? 'DEBUG', 'platform.runtimeDone', done),
      (measured) =>
        line(time, 'platform.report', {
          ...common,
          metrics: {
            durationMs: rounded(durationMs),
            billedDurationMs: billedMs(report),
            memorySizeMB: memorySizeMb,
            maxMemoryUsedMB: usedMb(outOfMemory ? Number.MAX_SAFE_INTEGER : measured, memorySizeMb),
            initDurationMs: initDurationMs === undefined ? undefined : rounded(initDurationMs),
          },
          tracing,
        }),
    ]
  }

  dropped(bytes: number): string[] {
    return this.#record('WARN', 'platform.logsDropped', { droppedBytes: bytes, reason: 'too much output at once' })
  }

  #record(level: SystemLogLevel, type: string, record: object | string): string[] {
    return this.#keeps(level) ? [line(this.#time(), type, record)] : []
  }

  #keeps(level: SystemLogLevel): boolean {
    return RANK[level] >= RANK[this.#options.level]
  }

  #time(): string {
    return new Date(this.#options.clock()).toISOString()
  }
}

function line(time: string, type: string, record: object | string): string {
  return JSON.stringify({ time, type, record })
}

/** Like the XRAY line of the text format: only for sampled invocations. */
function tracingOf(traceHeader: string): object | undefined {
  const trace = sampledTrace(traceHeader)
  return trace && { spanId: trace.segment, type: 'X-Amzn-Trace-Id', value: traceHeader }
}

/** Milliseconds with three decimals, as AWS's records show them. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
