/** Checks of what the caller sent: size, JSON, client context. The bytes themselves are handed on untouched. */
import { isUtf8 } from 'node:buffer'
import { LambdaException } from '../lambda/errors.ts'
import { LIMITS } from '../lambda/limits.ts'
import { describeJsonError } from './json-error.ts'

const EMPTY_OBJECT = new TextEncoder().encode('{}')

export function tooLarge(
  invocationType: 'RequestResponse' | 'Event',
  bytes: number,
  limit: number = invocationType === 'Event' ? LIMITS.asyncPayloadBytes : LIMITS.syncPayloadBytes,
): LambdaException {
  const message =
    invocationType === 'Event'
      ? `${bytes} byte payload is too large for the Event invocation type (limit ${limit} bytes)`
      : `Request must be smaller than ${limit} bytes for the InvokeFunction operation`
  return new LambdaException('RequestEntityTooLargeException', message)
}

/**
 * The payload for the runtime: the caller's bytes, or `{}` for none.
 * @throws InvalidRequestContentException when it is not JSON, as far as known in the words of AWS's parser
 */
export function checkedPayload(payload: Uint8Array): Uint8Array {
  if (payload.length === 0) return EMPTY_OBJECT
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  let refusal: unknown
  if (isUtf8(bytes)) {
    try {
      // Whether it is JSON is decided by its ASCII characters, and what is beyond them stands in strings: one byte each is quicker.
      JSON.parse(bytes.toString('latin1'))
      return payload
    } catch (error) {
      // V8's text is not AWS's, and may quote the payload.
      refusal = error
    }
  }
  throw new LambdaException(
    'InvalidRequestContentException',
    `Could not parse request body into json: Could not parse payload into json: ${describeJsonError(bytes, refusal)}`,
  )
}

/**
 * Client context: base64 of a JSON object, decoded.
 * @throws InvalidRequestContentException
 */
export function decodedClientContext(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined
  if (header.length > LIMITS.clientContextBytes) {
    throw new LambdaException(
      'InvalidRequestContentException',
      `Client context must be at most ${LIMITS.clientContextBytes} bytes of base64-encoded data.`,
    )
  }
  const bytes = Buffer.from(header, 'base64')
  try {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(header) || !isUtf8(bytes)) throw new Error('not base64 of UTF-8')
    const text = bytes.toString('utf8')
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
    return text
  } catch (cause) {
    throw new LambdaException(
      'InvalidRequestContentException',
      'Client context must be a valid Base64-encoded JSON object.',
      { type: null, cause },
    )
  }
}
