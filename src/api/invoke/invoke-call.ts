/** A call of Invoke or InvokeAsync as its handler reads it, from Hono or straight from Node's server. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { shareOf } from '../../http/counted.ts'
import { readBody } from '../../http/incoming-body.ts'
import type { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { problem } from '../http/body.ts'

export interface InvokeCall {
  /** The path's, decoded: a name or an ARN. */
  readonly name: string
  readonly headers: IncomingHttpHeaders
  /** All values of a query parameter; `undefined` for none. */
  readonly query: (name: string) => readonly string[] | undefined
  readonly body: IncomingMessage | (() => Promise<ArrayBuffer>)
}

const PREFIX = '/2015-03-31/functions/'
const SUFFIX = '/invocations'
const SLASH = 0x2f

/** Bytes beyond the limit that are read, so that the client sees its refusal. */
const DISCARDED_BYTES = 256 * 1024 * 1024

/** The call that a request is; `undefined`: it is another operation, or its path is one for which the router is needed. */
export function invokeCall(request: IncomingMessage): InvokeCall | undefined {
  const { url = '', headers } = request
  if (request.method !== 'POST' || !url.startsWith(PREFIX)) return undefined
  const mark = url.indexOf('?', PREFIX.length)
  let end = mark === -1 ? url.length : mark
  // Older SDKs end some paths with a slash.
  if (url.charCodeAt(end - 1) === SLASH) end--
  const start = end - SUFFIX.length
  if (start <= PREFIX.length || !url.startsWith(SUFFIX, start)) return undefined
  const name = decoded(url.slice(PREFIX.length, start))
  if (name === undefined) return undefined
  return { name, headers, query: mark === -1 ? noQuery : queryOf(url.slice(mark + 1)), body: request }
}

export function invokeCallOf(c: Context): InvokeCall {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
  return {
    name: c.req.param('name') ?? '',
    headers: incoming?.headers ?? c.req.header(),
    query: (name) => c.req.queries(name),
    body: incoming ?? (() => c.req.arrayBuffer()),
  }
}

function decoded(text: string): string | undefined {
  if (text.includes('/')) return undefined
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const noQuery = () => undefined

function queryOf(text: string): InvokeCall['query'] {
  const parameters = new URLSearchParams(text)
  return (name) => (parameters.has(name) ? parameters.getAll(name) : undefined)
}

/**
 * The whole body, bounded while it is read: a body beyond the limit is refused before it fills the memory.
 * The limit of the synchronous payload serves for all types; the smaller one of Event is checked with the request's other rules.
 */
export async function readPayload(
  { headers, body }: InvokeCall,
  refusal: (bytes: number) => LambdaException,
): Promise<Uint8Array> {
  const announced = Number(headers['content-length'] ?? Number.NaN)
  if (announced > LIMITS.syncPayloadBytes) throw refusal(announced)
  if (typeof body === 'function') return new Uint8Array(await body())
  if (announced === 0) return new Uint8Array(0)
  return new Promise((resolve, reject) => {
    const rules = { limit: LIMITS.syncPayloadBytes, discard: DISCARDED_BYTES, share: shareOf(body) }
    readBody(
      body,
      rules,
      (bytes, release) => {
        // From here on the limits of concurrency bound how many there are.
        release()
        if (typeof bytes !== 'string') resolve(bytes)
        else if (bytes !== 'too-large') reject(problem(bytes))
      },
      (bytes) => reject(refusal(bytes)),
    )
  })
}
