/** POST /2018-06-01/runtime/invocation/{id}/response, buffered or streamed: either way the outcome is one payload. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { INVALID_RESPONSE_MODE, send } from '../answers.ts'
import type { InvocationOutcome } from '../api.ts'
import { discardBody } from '../body.ts'
import { normaliseErrorType } from '../error-type.ts'
import type { RuntimeSession } from '../session.ts'
import { answerWithBody, enterCurrent } from './current.ts'

export function respond(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): void {
  const invocation = enterCurrent(session, 'response', request, response, requestId)
  if (invocation === undefined) return

  const mode = request.headers['lambda-runtime-function-response-mode']
  if (mode !== undefined && mode !== '' && String(mode).toLowerCase() !== 'streaming') {
    discardBody(request)
    session.answer(invocation, { kind: 'invalid-response-mode' })
    send(response, INVALID_RESPONSE_MODE)
    return
  }
  answerWithBody(session, invocation, request, response, (body) => outcomeOf(request, body))
}

/** A stream that failed half-way ends with trailers; Go announces them on every request and sends them only then. */
function outcomeOf(request: IncomingMessage, payload: Uint8Array): InvocationOutcome {
  const errorType = request.trailers['lambda-runtime-function-error-type']
  if (!errorType) return { kind: 'response', payload }
  const errorBody = Buffer.from(request.trailers['lambda-runtime-function-error-body'] ?? '', 'base64')
  return { kind: 'stream-error', payload, errorType: normaliseErrorType(errorType), errorBody }
}
