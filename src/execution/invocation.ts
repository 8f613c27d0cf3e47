/** One invocation as an execution environment runs it, and what comes back. */

export interface Invocation {
  readonly requestId: string
  /** Unqualified when the caller gave no qualifier, otherwise with exactly the caller's (never rewritten to the version). */
  readonly invokedFunctionArn: string
  readonly traceHeader: string
  readonly clientContext?: string
  readonly payload: Uint8Array
  /** LogType=Tail: the answer waits, bounded, for the last lines. */
  readonly tail: boolean
}

/** A function's own failure is a result, never an exception. */
export type InvocationResult =
  | { readonly ok: true; readonly payload: Uint8Array; readonly logTail?: Uint8Array }
  | {
      readonly ok: false
      readonly functionError: 'Unhandled'
      readonly errorType: string
      readonly payload: Uint8Array
      readonly logTail?: Uint8Array
    }
