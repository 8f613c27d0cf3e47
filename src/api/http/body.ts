/** Request bodies of the control plane: bounded, then JSON. Invoke reads its own. */
import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'

const MIB = 1024 * 1024

/** Bytes of a request, where it is not OTHER_BYTES. */
const REQUEST_BYTES: Readonly<Record<string, number>> = {
  CreateFunction: LIMITS.createFunctionRequestBytes,
  UpdateFunctionCode: LIMITS.createFunctionRequestBytes,
  PublishLayerVersion: LIMITS.createFunctionRequestBytes,
  UpdateFunctionConfiguration: LIMITS.updateConfigurationRequestBytes,
}

/** Generous for JSON without code; AWS names no limit. */
const OTHER_BYTES = 1 * MIB

/**
 * A request that is too large is read to its end, because clients report a broken connection instead of the answer when it is closed
 * while they still send. Beyond this many bytes it is closed all the same.
 */
const DISCARDED_BYTES_MAX = 256 * MIB

/** Bytes that the body of a request may have: those it announces, or the operation's limit. */
export function bodyBytes(c: Context, operation: string): number {
  const limit = REQUEST_BYTES[operation] ?? OTHER_BYTES
  return Math.min(Number(c.req.header('content-length') ?? limit) || 0, limit)
}

/** @throws LambdaException RequestEntityTooLargeException, InvalidRequestContentException */
export async function readJson(c: Context, operation: string): Promise<unknown> {
  const bytes = await readBytes(c.req.raw, operation, REQUEST_BYTES[operation] ?? OTHER_BYTES)
  if (bytes.length === 0) return {}
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw notJson(error instanceof Error ? error.message : String(error))
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw notJson('the body must be an object')
  return json
}

function notJson(detail: string): LambdaException {
  return new LambdaException('InvalidRequestContentException', `Could not parse request body into json: ${detail}`)
}

async function readBytes(request: Request, operation: string, limit: number): Promise<Uint8Array> {
  const tooLarge = new LambdaException(
    'RequestEntityTooLargeException',
    `Request must be smaller than ${limit} bytes for the ${operation} operation`,
  )
  if (Number(request.headers.get('content-length') ?? 0) > DISCARDED_BYTES_MAX) throw tooLarge
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > DISCARDED_BYTES_MAX) break
      if (size > limit) chunks.length = 0
      else chunks.push(chunk)
    }
  } catch (error) {
    throw cutOff(error)
  }
  if (size > limit) throw tooLarge
  return Buffer.concat(chunks)
}

/** Milliseconds for which the rest of a refused request is read. */
const DISCARD_MS = 10_000

/** Reads what is left of a request that was answered before its end, within bounds; see DISCARDED_BYTES_MAX. */
export function discardRest(request: IncomingMessage): void {
  let bytes = 0
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes > DISCARDED_BYTES_MAX) close()
  }
  const close = () => {
    request.off('data', count)
    request.socket.destroySoon()
  }
  const timer = setTimeout(close, DISCARD_MS)
  request.on('data', count)
  request.on('close', () => clearTimeout(timer))
  request.resume()
}

/** The client went away, or its connection broke, before the end of the body: its failure, not one of this host. */
export function cutOff(cause: unknown): LambdaException {
  return new LambdaException('InvalidRequestContentException', 'The connection ended before the request body did.', {
    cause,
  })
}
