/** One invocation as an execution environment runs it, and how it ends. */

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

interface Failed {
  readonly ok: false
  readonly functionError: 'Unhandled'
  readonly errorType: string
  /** The error, in the place of an answer. */
  readonly payload: Uint8Array
  readonly logTail?: Uint8Array
}

/** How an answer ended. A function's own failure is an ending, never an exception. */
export type InvocationEnding = { readonly ok: true; readonly logTail?: Uint8Array } | Failed

/** An ending with the whole answer. */
export type InvocationResult =
  | { readonly ok: true; readonly payload: Uint8Array; readonly logTail?: Uint8Array }
  | Failed
