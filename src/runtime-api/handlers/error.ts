/** POST /2018-06-01/runtime/invocation/{id}/error: the function failed; the caller gets the body as it is. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorTypeOf, withoutErrorCause } from '../error-type.ts'
import type { RuntimeSession } from '../session.ts'
import { answerWithBody, enterCurrent } from './current.ts'

export const ERROR_TYPE_HEADER = 'lambda-runtime-function-error-type'

const CAUSE_TYPE = 'application/vnd.aws.lambda.error.cause+json'

export function invocationError(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): void {
  const invocation = enterCurrent(session, 'error', request, response, requestId)
  if (invocation === undefined) return
  answerWithBody(session, invocation, request, response, (body) => {
    const payload = request.headers['content-type'] === CAUSE_TYPE ? withoutErrorCause(body) : body
    const errorType = errorTypeOf(request.headers[ERROR_TYPE_HEADER], request.trailers[ERROR_TYPE_HEADER], payload)
    return { kind: 'error', payload, errorType }
  })
}
