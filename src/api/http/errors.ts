/** The only place where an exception becomes an answer. */
import { LambdaException } from '../../lambda/errors.ts'
import { OperatorError } from '../../telemetry/operator-error.ts'
import { type HttpAnswer, responseOf } from './http-answer.ts'

/** Where the API reports what its callers must not see; pino fits. */
export interface ApiLog {
  error(detail: object, message: string): void
}

/** A LambdaException as AWS sends it; anything else is our own fault: logged once, and answered without a detail. */
export function errorAnswer(error: unknown, requestId: string, log: ApiLog): HttpAnswer {
  const exception = error instanceof LambdaException ? error : unexpected(error)
  if (error instanceof OperatorError) log.error({ requestId, remedy: error.remedy }, error.message)
  // A refusal of the platform was logged with its remedy where it arose.
  else if (!(error instanceof LambdaException)) {
    log.error({ err: exception.cause ?? exception, requestId }, `a request failed: ${exception.name}`)
  }
  const body = JSON.stringify(exception.body())
  return {
    status: exception.status,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'x-amzn-RequestId': requestId,
      'x-amzn-ErrorType': exception.name,
      ...exception.detail.headers,
    },
    body,
  }
}

export function renderError(error: unknown, requestId: string, log: ApiLog): Response {
  return responseOf(errorAnswer(error, requestId, log))
}

function unexpected(error: unknown): LambdaException {
  return new LambdaException('ServiceException', 'An error occurred and the request cannot be processed.', {
    cause: error ?? new Error('something empty was thrown'),
  })
}
