/** POST /2018-06-01/runtime/invocation/{id}/response, buffered or streamed: either way its body goes on as it comes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ACCEPTED, INVALID_RESPONSE_MODE, send } from '../answers.ts'
import type { InvocationOutcome } from '../api.ts'
import { discardBody, readBody, UNTIL_THE_DEADLINE } from '../body.ts'
import { normaliseErrorType } from '../error-type.ts'
import type { RuntimeSession } from '../session.ts'
import { enterCurrent, sendTooLarge } from './current.ts'

export function respond(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): void {
  const invocation = enterCurrent(session, 'response', request, response, requestId)
  if (invocation === undefined) return

  const mode = String(request.headers['lambda-runtime-function-response-mode'] ?? '').toLowerCase()
  if (mode !== '' && mode !== 'streaming') {
    discardBody(request)
    session.answer(invocation, { kind: 'invalid-response-mode' })
    send(response, INVALID_RESPONSE_MODE)
    return
  }
  const { answer } = invocation
  answer.begin({ streaming: mode === 'streaming', contentType: request.headers['content-type'] })
  readBody(
    request,
    answer.limitBytes,
    (body) => {
      if (body === 'too-large') return sendTooLarge(request, response)
      session.answer(invocation, body === 'truncated' ? { kind: 'truncated' } : outcomeOf(request))
      if (body !== 'truncated') send(response, ACCEPTED)
    },
    {
      exceeded: () => session.answer(invocation, { kind: 'too-large' }),
      pace: UNTIL_THE_DEADLINE,
      take: (chunk) => answer.chunk(chunk),
      passesOn: !answer.keeps,
    },
  )
}

/** A stream that failed half-way ends with trailers; Go announces them on every request and sends them only then. */
function outcomeOf(request: IncomingMessage): InvocationOutcome {
  const errorType = request.trailers['lambda-runtime-function-error-type']
  if (!errorType) return { kind: 'response' }
  const errorBody = Buffer.from(request.trailers['lambda-runtime-function-error-body'] ?? '', 'base64')
  return { kind: 'stream-error', errorType: normaliseErrorType(errorType), errorBody }
}
