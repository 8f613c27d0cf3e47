/** The answers of the Runtime API as bytes: status, headers and body exactly as AWS's own emulator sends them. */
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../lambda/limits.ts'

export interface Answer {
  readonly status: number
  /** Name, value, name, value, …: the form that node:http writes without building an object. */
  readonly headers: readonly string[]
  readonly body: string
}

function json(status: number, body: unknown): Answer {
  const text = `${JSON.stringify(body)}\n`
  return {
    status,
    headers: ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))],
    body: text,
  }
}

function text(status: number, body: string): Answer {
  return {
    status,
    headers: ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))],
    body,
  }
}

/** Member order as recorded: the message comes first. */
export function failure(status: number, errorType: string, errorMessage: string): Answer {
  return json(status, { errorMessage, errorType })
}

/** In the forms of the Runtime API and of the Lambda API at once: it is not known for whom the caller took this. */
export function refusal(message: string): Answer {
  const answer = json(403, { errorMessage: message, errorType: 'AccessDeniedException', Message: message })
  return { ...answer, headers: [...answer.headers, 'x-amzn-ErrorType', 'AccessDeniedException'] }
}

export const ACCEPTED = json(202, { status: 'OK' })
export const PONG = text(200, 'pong')
export const NOT_FOUND = text(404, '404 page not found\n')
export const METHOD_NOT_ALLOWED: Answer = { status: 405, headers: ['Content-Length', '0'], body: '' }

export const INVALID_REQUEST_ID = failure(400, 'InvalidRequestID', 'Invalid request ID')
export const INVALID_RESPONSE_MODE = failure(400, 'InvalidFunctionResponseMode', 'Invalid function response mode')
export const TRUNCATED = failure(400, 'TruncatedHTTPRequest', 'HTTP request detected as truncated')
export const STALE_INVOCATION = failure(410, 'InvokeTimeout', 'Invoke timeout')
export const TOO_LARGE = failure(
  413,
  'RequestEntityTooLarge',
  `Exceeded maximum allowed payload size (${LIMITS.responsePayloadBytes} bytes).`,
)
export const TELEMETRY_NOT_SUPPORTED = failure(202, 'Telemetry.NotSupported', 'Telemetry API is not supported')
export const LOGS_NOT_SUPPORTED = failure(202, 'Logs.NotSupported', 'Logs API is not supported')

/** Writes the answer; a response whose connection is gone is left alone. */
export function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return
  response.sendDate = false
  response.writeHead(answer.status, answer.headers as string[])
  response.end(answer.body)
}

/** The same answer for a connection whose request could not be parsed, so that node:http made no response object for it. */
export function rawAnswer(answer: Answer): string {
  let head = `HTTP/1.1 ${answer.status} Bad Request\r\n`
  for (let i = 0; i < answer.headers.length; i += 2) head += `${answer.headers[i]}: ${answer.headers[i + 1]}\r\n`
  return `${head}Connection: close\r\n\r\n${answer.body}`
}
