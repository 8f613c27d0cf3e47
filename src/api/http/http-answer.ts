/** An answer of the API, before it is known who sends it: Hono as a Response, or Node's server at once. */
import type { ServerResponse } from 'node:http'
import { answerWritten } from '../../http/counted.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export function responseOf({ status, headers, body }: HttpAnswer): Response {
  return new Response((body ?? null) as string | Uint8Array<ArrayBuffer> | null, { status, headers })
}

/** Does nothing when the client is gone. */
export function send({ status, headers, body }: HttpAnswer, response: ServerResponse): void {
  if (response.destroyed) return
  const length = body === undefined || headers['Content-Length'] ? undefined : Buffer.byteLength(body)
  if (length !== undefined) response.setHeader('Content-Length', length)
  response.writeHead(status, headers as Record<string, string>)
  if (body === undefined) {
    response.end()
    return
  }
  response.end(body)
  answerWritten(response, body.length)
}
