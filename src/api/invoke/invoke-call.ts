/** A call of Invoke or InvokeAsync as its handler reads it, from Hono or straight from Node's server. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { Chunks } from '../../lambda/chunks.ts'
import type { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { cutOff } from '../http/body.ts'

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
    let chunks = new Chunks()
    let size = 0
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LIMITS.syncPayloadBytes) {
        chunks = new Chunks()
        body.removeAllListeners('data')
        body.resume()
        reject(refusal(size))
        return
      }
      chunks.add(chunk)
    })
    body.on('end', () => resolve(chunks.whole()))
    body.on('error', (error) => reject(cutOff(error)))
  })
}
