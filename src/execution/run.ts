/** An invocation while an execution environment runs it. */
import type { Invocation, InvocationResult } from './invocation.ts'
import type { Ending } from './invocation-log.ts'

/** One invocation under way. */
export interface Run {
  readonly invocation: Invocation
  /** `performance.now()` at its begin. */
  readonly began: number
  /** Duration of the Init just before it. */
  readonly initDurationMs: number | undefined
  readonly answer: (result: InvocationResult) => void
}

/** What its END and REPORT lines say. */
export function endingOf({ invocation, began, initDurationMs }: Run, result?: InvocationResult): Ending {
  const { requestId, traceHeader } = invocation
  const reported = result?.ok === false ? { functionErrorType: result.errorType } : {}
  return { requestId, durationMs: performance.now() - began, initDurationMs, traceHeader, ...reported }
}
