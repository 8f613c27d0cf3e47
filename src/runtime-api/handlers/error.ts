/** POST /2018-06-01/runtime/invocation/{id}/error: the function failed; the caller gets the body as it is. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '../../lambda/limits.ts'
import { ACCEPTED, send } from '../answers.ts'
import { readBody, UNTIL_THE_DEADLINE } from '../body.ts'
import { errorTypeOf, withoutErrorCause } from '../error-type.ts'
import type { RuntimeSession } from '../session.ts'
import { enterCurrent, sendTooLarge } from './current.ts'

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
  readBody(
    request,
    LIMITS.responsePayloadBytes,
    (body) => {
      if (body === 'too-large') return sendTooLarge(request, response)
      if (body === 'truncated') return session.answer(invocation, { kind: 'truncated' })
      const payload = request.headers['content-type'] === CAUSE_TYPE ? withoutErrorCause(body) : body
      const errorType = errorTypeOf(request.headers[ERROR_TYPE_HEADER], request.trailers[ERROR_TYPE_HEADER], payload)
      session.answer(invocation, { kind: 'error', payload, errorType })
      send(response, ACCEPTED)
    },
    { exceeded: () => session.answer(invocation, { kind: 'too-large' }), pace: UNTIL_THE_DEADLINE },
  )
}
