/** The platform's lines in a function's log, text format (reference: execution-model.md 5.1). Without their newline. */

export interface ReportFields {
  readonly requestId: string
  readonly durationMs: number
  readonly memorySizeMb: number
  readonly maxMemoryBytes: number
  /** Only on the invocation that followed an Init. */
  readonly initDurationMs?: number
  readonly status?: 'error' | 'timeout'
  readonly errorType?: string
}

export function initStartLine(runtime: string, runtimeVersionArn: string): string {
  return `INIT_START Runtime Version: ${runtime}\tRuntime Version ARN: ${runtimeVersionArn}`
}

export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}`
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}`
}

const MIB = 1024 * 1024

/** Billed Duration is Duration and, since August 2025, Init Duration, rounded up to whole milliseconds. */
export function billedMs(report: Pick<ReportFields, 'durationMs' | 'initDurationMs'>): number {
  return Math.ceil(report.durationMs + (report.initDurationMs ?? 0))
}

/** Whole MB, at least one and at most MemorySize. */
export function usedMb(bytes: number, memorySizeMb: number): number {
  return Math.min(Math.max(1, Math.ceil(bytes / MIB)), memorySizeMb)
}

/** Ends with a tab on success. */
export function reportLine(report: ReportFields): string {
  const parts = [
    `REPORT RequestId: ${report.requestId}`,
    `Duration: ${report.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${billedMs(report)} ms`,
    `Memory Size: ${report.memorySizeMb} MB`,
    `Max Memory Used: ${usedMb(report.maxMemoryBytes, report.memorySizeMb)} MB`,
  ]
  if (report.initDurationMs !== undefined) parts.push(`Init Duration: ${report.initDurationMs.toFixed(2)} ms`)
  if (report.status === undefined) return `${parts.join('\t')}\t`
  parts.push(`Status: ${report.status}`)
  if (report.status === 'error' && report.errorType !== undefined) parts.push(`Error Type: ${report.errorType}`)
  return parts.join('\t')
}

/** The trace that a sampled invocation belongs to; `undefined` for one that is not sampled. */
export function sampledTrace(traceHeader: string): { readonly root: string; readonly segment: string } | undefined {
  if (!/(?:^|;)\s*sampled=1/i.test(traceHeader)) return undefined
  const root = /(?:^|;)\s*root=([^;]+)/i.exec(traceHeader)?.[1]
  const segment = /(?:^|;)\s*parent=([^;]+)/i.exec(traceHeader)?.[1]
  return root === undefined || segment === undefined ? undefined : { root, segment }
}

/** After REPORT when the invocation is sampled: the trace and this invocation's segment in it. */
export function xrayLine(traceHeader: string): string | undefined {
  const trace = sampledTrace(traceHeader)
  return trace && `XRAY TraceId: ${trace.root}\tSegmentId: ${trace.segment}\tSampled: true\t`
}

/** Printed when Init failed or took too long, one line per attempt; always for provisioned concurrency. */
export function initReportLine(fields: {
  readonly durationMs: number
  readonly phase: 'init' | 'invoke'
  readonly status: 'success' | 'error' | 'timeout'
  readonly errorType?: string
}): string {
  const error = fields.errorType === undefined ? '' : `\tError Type: ${fields.errorType}`
  return `INIT_REPORT Init Duration: ${fields.durationMs.toFixed(2)} ms\tPhase: ${fields.phase}\tStatus: ${fields.status}${error}`
}
