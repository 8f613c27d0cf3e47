/**
 * What an execution environment sees of the Runtime API: one Session per environment, bound to one listening socket.
 * `session.ts` and `listener.ts` implement it. The wire contract of the clients is in docs/runtime-api.md.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** One event for the runtime, answered on its waiting GET …/invocation/next. */
export interface InvocationEvent {
  readonly requestId: string
  /** Unix milliseconds. */
  readonly deadlineMs: number
  readonly invokedFunctionArn: string
  readonly traceHeader: string
  /** Decoded client context JSON, if the caller sent one. */
  readonly clientContext?: string
  readonly payload: Uint8Array
}

/** How the runtime's answer begins. */
export interface AnswerHead {
  /** The runtime declared that it sends its answer piece by piece. */
  readonly streaming: boolean
  readonly contentType: string | undefined
}

/** Takes the body of the runtime's answer as it comes. Nothing of it throws. */
export interface AnswerBody {
  /** Bytes that an answer may have; one with more gets 413. */
  readonly limitBytes: number
  /** It keeps the whole body until the end: what it has counts as memory of the sandbox. */
  readonly keeps: boolean
  /** Called once, before the first chunk. */
  begin(head: AnswerHead): void
  /** A promise: nothing more is read from the runtime before it resolves. It never rejects. */
  chunk(bytes: Uint8Array): Promise<void> | undefined
}

/** How the runtime's answer ended. Decided by which endpoint was called, never by looking into the body. */
export type InvocationOutcome =
  | { readonly kind: 'response' }
  /** `errorType`: header, else trailer, else the body's `errorType`, normalised for logs as AWS does. */
  | { readonly kind: 'error'; readonly payload: Uint8Array; readonly errorType: string }
  /** More than the answer may have; the runtime got 413. */
  | { readonly kind: 'too-large' }
  /** The body was shorter than announced or the connection broke within it. */
  | { readonly kind: 'truncated' }
  /** A streamed response that ended with the error trailers. */
  | { readonly kind: 'stream-error'; readonly errorType: string; readonly errorBody: Uint8Array }
  /** Header Lambda-Runtime-Function-Response-Mode with a value other than `streaming`; the runtime got 400. */
  | { readonly kind: 'invalid-response-mode' }

export interface InitError {
  readonly payload: Uint8Array
  readonly errorType: string
}

export interface SessionObserver {
  /** The runtime called …/invocation/next: after boot this ends Init, after a response it ends the invocation. */
  ready(): void
  /** The runtime posted …/init/error. */
  initError(error: InitError): void
  /** The runtime answered the current invocation (its `next` may still be outstanding). Called once per invocation. */
  outcome(requestId: string, outcome: InvocationOutcome): void
}

export interface Session {
  /** `host:port` for AWS_LAMBDA_RUNTIME_API. */
  readonly address: string
  /** Hands the event to the waiting `next`, or to the next one that comes. Only one invocation at a time. `answer` takes its answer. */
  invoke(event: InvocationEvent, answer: AnswerBody): void
  /** The runtime was killed: drops its connections and forgets its state, ready for a new boot on the same address. */
  reset(): void
  /** Closes the socket's connections and gives the listener back. */
  close(): void
}

/** What an extension is told when it registers. */
export interface FunctionIdentity {
  readonly functionName: string
  readonly functionVersion: string
  readonly handler: string
}

export interface SessionOptions {
  /** Address to listen on, from `Place.hostAddress`. */
  readonly hostAddress: string
  /** Only this address may connect; `undefined`: anybody who reaches the port. */
  readonly peerAddress: string | undefined
  readonly observer: SessionObserver
  readonly identity?: FunctionIdentity
  /** Requests that are not of the Runtime API: what else exists inside the sandbox. Without it nothing else does. */
  readonly fallback?: (request: IncomingMessage, response: ServerResponse) => void
}

export interface Listeners {
  open(options: SessionOptions): Promise<Session>
  close(): Promise<void>
}
