/** The error type that goes into logs and metrics; the caller of the function always gets the runtime's own body, unchanged. */

/** Error bodies beyond this are forwarded but not searched for their `errorType`: parsing 6 MiB would hold up every other environment. */
const SEARCHED_BODY_BYTES = 256 * 1024

const VALID = /^(?:Runtime|Function)\.[A-Z][a-zA-Z]{1,127}$/

/** As AWS's RAPID does: a type of its form stays, everything else becomes `Function.Unknown` or `Runtime.Unknown`. */
export function normaliseErrorType(type: string): string {
  if (VALID.test(type)) return type
  return type.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown'
}

/** Header, else trailer, else the body's `errorType`; Node and Python send only the last. */
export function errorTypeOf(header: unknown, trailer: unknown, body: Uint8Array): string {
  if (typeof header === 'string' && header !== '') return normaliseErrorType(header)
  if (typeof trailer === 'string' && trailer !== '') return normaliseErrorType(trailer)
  return normaliseErrorType(bodyErrorType(body) ?? '')
}

function bodyErrorType(body: Uint8Array): string | undefined {
  const parsed = parseObject(body)
  return typeof parsed?.errorType === 'string' ? parsed.errorType : undefined
}

function parseObject(body: Uint8Array): Record<string, unknown> | undefined {
  if (body.length > SEARCHED_BODY_BYTES) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/**
 * A body of type `application/vnd.aws.lambda.error.cause+json` combines the error with its X-Ray cause; the caller gets the error
 * alone. Anything that does not parse stays as it is.
 */
export function withoutErrorCause(body: Uint8Array): Uint8Array {
  const parsed = parseObject(body)
  if (parsed === undefined || !('errorCause' in parsed)) return body
  const { errorMessage, errorType, stackTrace } = parsed
  return Buffer.from(JSON.stringify({ errorMessage, errorType, stackTrace }))
}
