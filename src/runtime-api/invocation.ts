/** One event made ready for the wire, before the runtime asks for it. */
import { randomUUID } from 'node:crypto'
import type { AnswerBody, InvocationEvent } from './api.ts'

export const INVOCATION_PATH = '/2018-06-01/runtime/invocation/'

export class Invocation {
  readonly event: InvocationEvent
  /** Takes its answer. */
  readonly answer: AnswerBody
  /** Differs for every attempt of an asynchronous event, while the request id stays. Clients echo it. */
  readonly id: string = randomUUID()
  /** Headers of the answer to `next`: name, value, name, value, … */
  readonly headers: string[]
  /** Paths compared before anything is parsed. */
  readonly responsePath: string
  /** The observer has its outcome. */
  answered = false

  constructor(event: InvocationEvent, answer: AnswerBody) {
    this.event = event
    this.answer = answer
    this.responsePath = `${INVOCATION_PATH}${event.requestId}/response`
    const headers = [
      'Content-Type',
      'application/json',
      'Lambda-Runtime-Aws-Request-Id',
      event.requestId,
      'Lambda-Runtime-Deadline-Ms',
      String(event.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn',
      event.invokedFunctionArn,
      'Lambda-Runtime-Invocation-Id',
      this.id,
    ]
    // An empty value breaks the Rust client.
    if (event.traceHeader !== '') headers.push('Lambda-Runtime-Trace-Id', headerValue(event.traceHeader))
    if (event.clientContext) headers.push('Lambda-Runtime-Client-Context', headerValue(event.clientContext))
    headers.push('Content-Length', String(event.payload.byteLength))
    this.headers = headers
  }
}

/**
 * Text as a header value: its UTF-8 bytes, one character each, line breaks and other control characters replaced by a blank as Go's server does.
 * The caller's client context may be JSON printed over several lines.
 */
function headerValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not reach the wire
  const plain = text.replace(/[\0-\x08\x0a-\x1f\x7f]/g, ' ')
  return Buffer.from(plain, 'utf8').toString('latin1')
}
