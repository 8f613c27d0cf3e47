/** Request bodies of the API: bounded, then JSON. */
import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { shareOf } from '../../http/counted.ts'
import { type BodyProblem, readBody } from '../../http/incoming-body.ts'
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

/** A body up to this size is not counted while it is worked on: what is made of it is small. */
const SMALL_BYTES = 1 * MIB

export interface JsonBody {
  readonly json: unknown
  /** The body and what was made of it are not needed any more. */
  readonly release: () => void
}

/** @throws LambdaException RequestEntityTooLargeException, InvalidRequestContentException, TooManyRequestsException */
export async function readJson(c: Context, operation: string): Promise<JsonBody> {
  const { bytes, release } = await readBytes(c, operation, REQUEST_BYTES[operation] ?? OTHER_BYTES)
  if (bytes.length <= SMALL_BYTES) release()
  try {
    return { json: parsed(bytes), release }
  } catch (error) {
    release()
    throw error
  }
}

function parsed(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    // The parser's own message quotes the body, which may hold a secret.
    throw notJson(error instanceof SyntaxError ? 'the body is not valid JSON' : 'the body is not UTF-8')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw notJson('the body must be an object')
  return json
}

/** Bytes of a form of the query protocol: what this host answers there has no members of its own. */
const FORM_BYTES = 64 * 1024

/** @throws LambdaException RequestEntityTooLargeException, InvalidRequestContentException */
export async function formText(c: Context): Promise<string> {
  const { bytes, release } = await readBytes(c, 'query', FORM_BYTES)
  release()
  return Buffer.from(bytes).toString()
}

function notJson(detail: string): LambdaException {
  return new LambdaException('InvalidRequestContentException', `Could not parse request body into json: ${detail}`)
}

/** A body, and the function that says that it is not held any more. */
interface Bytes {
  readonly bytes: Uint8Array
  readonly release: () => void
}

async function readBytes(c: Context, operation: string, limit: number): Promise<Bytes> {
  const tooLarge = () =>
    new LambdaException(
      'RequestEntityTooLargeException',
      `Request must be smaller than ${limit} bytes for the ${operation} operation`,
    )
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
  if (incoming !== undefined) return readIncoming(incoming, limit, tooLarge)
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.length > limit) throw tooLarge()
  return { bytes, release: () => {} }
}

/** @param refusal of a body that is larger than the limit */
export function readIncoming(
  request: IncomingMessage,
  limit: number,
  refusal: (bytes: number) => LambdaException,
): Promise<Bytes> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > DISCARDED_BYTES_MAX) throw refusal(announced)
  const rules = { limit, discard: DISCARDED_BYTES_MAX - limit, share: shareOf(request) }
  return new Promise((resolve, reject) => {
    readBody(request, rules, (bytes, release) => {
      if (typeof bytes !== 'string') resolve({ bytes, release })
      else if (bytes === 'too-large') reject(refusal(limit + 1))
      else reject(problem(bytes))
    })
  })
}

/** The client's failure, not one of this host. */
export function problem(body: Exclude<BodyProblem, 'too-large'>): LambdaException {
  switch (body) {
    case 'truncated':
      return new LambdaException('InvalidRequestContentException', 'The connection ended before the request body did.')
    case 'too-slow':
      return new LambdaException(
        'InvalidRequestContentException',
        'The request body arrived too slowly. Send the whole body at once, over a faster connection.',
      )
    case 'no-room':
      return new LambdaException(
        'TooManyRequestsException',
        'The host has no room for more large requests at the moment. Try again later.',
        { members: { Reason: 'CallerRateLimitExceeded' } },
      )
  }
}

/** Milliseconds for which the rest of a refused request is read. */
const DISCARD_MS = 10_000

/** Reads what is left of a request that was answered before its end, within bounds; see DISCARDED_BYTES_MAX. */
export function discardRest(request: IncomingMessage): void {
  let bytes = 0
  const pieces = shareOf(request)?.pieces
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length
    if (pieces?.take(chunk.length) === false) request.socket.destroy()
    else if (bytes > DISCARDED_BYTES_MAX) close()
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
