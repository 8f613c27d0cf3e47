/**
 * What destinations and dead-letter queues get: the invocation record and the attributes of a dead letter, as AWS sends them (reference:
 * execution-model.md 8.1, 8.2).
 */
import { functionArn } from '../arn.ts'
import type { FunctionKey } from '../function.ts'
import type { DestinationKind } from './destination.ts'
import type { EventCondition } from './event-invoke.ts'

/** How an event ended. */
export interface EndedEvent {
  readonly function: FunctionKey
  /** As the caller gave it. */
  readonly qualifier: string | undefined
  readonly requestId: string
  readonly payload: Uint8Array
  readonly condition: EventCondition
  /** How often the function was invoked. */
  readonly invokeCount: number
  /** What the function answered last; absent when it did not run in the last attempt. */
  readonly response?: {
    readonly executedVersion: string
    /** Absent: success. */
    readonly functionError?: string
    readonly payload: Uint8Array
  }
  /** Why it did not run. */
  readonly refusal?: { readonly status: number; readonly message: string }
}

/** Bytes of a message that the services take; payloads are left out of the record before it is refused for its size. */
const RECORD_BYTES: Readonly<Record<DestinationKind, number>> = {
  sqs: 1024 * 1024,
  sns: 256 * 1024,
  // An entry's other members count too.
  events: 256 * 1024 - 2048,
  lambda: 1024 * 1024,
  s3: Number.POSITIVE_INFINITY,
}

/** The JSON of the record. @param now Unix milliseconds */
export function invocationRecord(event: EndedEvent, now: number, kind: DestinationKind): Uint8Array {
  for (const leave of [[], ['responsePayload'], ['requestPayload'], ['responsePayload', 'requestPayload']]) {
    const record = Buffer.from(recordText(event, now, leave))
    if (record.length <= RECORD_BYTES[kind]) return record
  }
  throw new Error('a record without payloads is small')
}

function recordText(event: EndedEvent, now: number, leave: readonly string[]): string {
  const { response } = event
  const members: Record<string, string> = {
    version: '"1.0"',
    timestamp: JSON.stringify(new Date(now).toISOString()),
    requestContext: JSON.stringify({
      requestId: event.requestId,
      functionArn: functionArn(event.function, event.qualifier ?? '$LATEST'),
      condition: event.condition,
      approximateInvokeCount: event.invokeCount,
    }),
    requestPayload: jsonText(event.payload),
  }
  if (response !== undefined) {
    members.responseContext = JSON.stringify({
      statusCode: 200,
      executedVersion: response.executedVersion,
      ...(response.functionError === undefined ? {} : { functionError: response.functionError }),
    })
    members.responsePayload = jsonText(response.payload)
  }
  const kept = Object.entries(members).filter(([name]) => !leave.includes(name))
  return `{${kept.map(([name, json]) => `"${name}":${json}`).join(',')}}`
}

/** The text as it is where it is JSON, so that no number changes; anything else becomes a JSON string. */
function jsonText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    JSON.parse(text)
    return text.trim()
  } catch {
    return JSON.stringify(text)
  }
}

/** Characters of ErrorMessage. Source: developer guide, "the first 1 KB of the error message". */
const ERROR_MESSAGE_BYTES = 1024

export interface DeadLetterAttributes {
  readonly RequestID: string
  /** A number as text, like an HTTP status. */
  readonly ErrorCode: string
  readonly ErrorMessage: string
}

export function deadLetterAttributes(event: EndedEvent): DeadLetterAttributes {
  const { response, refusal } = event
  return {
    RequestID: event.requestId,
    ErrorCode: String(response === undefined ? (refusal?.status ?? 500) : 200),
    ErrorMessage: shortened(
      response === undefined ? (refusal?.message ?? event.condition) : errorMessage(response.payload),
    ),
  }
}

/** `errorMessage` of the error that the function sent, or what it sent. An attribute must not be empty. */
function errorMessage(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  try {
    const { errorMessage: message } = JSON.parse(text) as { errorMessage?: unknown }
    if (typeof message === 'string' && message !== '') return message
  } catch {
    // Not JSON: the text itself says most.
  }
  return text || 'Unhandled'
}

function shortened(text: string): string {
  // SQS takes XML's characters only.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const allowed = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  const bytes = Buffer.from(allowed)
  // Through bytes, because half a surrogate pair is no text for the other side.
  if (bytes.length <= ERROR_MESSAGE_BYTES) return bytes.toString('utf8')
  return bytes
    .subarray(0, ERROR_MESSAGE_BYTES)
    .toString('utf8')
    .replace(/\ufffd+$/, '')
}
