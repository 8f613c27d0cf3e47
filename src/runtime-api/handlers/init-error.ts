/** POST /2018-06-01/runtime/init/error: the runtime could not load the function and is about to exit. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '../../lambda/limits.ts'
import { ACCEPTED, failure, send } from '../answers.ts'
import { discardBody, readBody } from '../body.ts'
import { errorTypeOf } from '../error-type.ts'
import { runtimeRefusal } from '../protocol.ts'
import type { RuntimeSession } from '../session.ts'
import { sendTooLarge } from './current.ts'
import { ERROR_TYPE_HEADER } from './error.ts'

export function initError(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  const { state } = session
  if (!session.enter('initError')) {
    discardBody(request)
    send(response, failure(403, 'InvalidStateTransition', runtimeRefusal(state, 'initError')))
    return
  }
  const { extensions } = session
  readBody(request, LIMITS.responsePayloadBytes, (body) => {
    // A reset came in between (it replaces the extensions): this is the word of a runtime that no longer exists.
    if (session.extensions !== extensions) return
    // The process died within its own report; its exit tells the rest.
    if (body === 'truncated') return
    if (body === 'too-large') {
      session.options.observer.initError({ payload: TOO_LARGE_PAYLOAD, errorType: 'Function.ResponseSizeTooLarge' })
      return sendTooLarge(request, response)
    }
    const errorType = errorTypeOf(request.headers[ERROR_TYPE_HEADER], request.trailers[ERROR_TYPE_HEADER], body)
    session.options.observer.initError({ payload: body, errorType })
    send(response, ACCEPTED)
  })
}

const TOO_LARGE_PAYLOAD = Buffer.from(
  JSON.stringify({
    errorMessage: `Response payload size exceeded maximum allowed payload size (${LIMITS.responsePayloadBytes} bytes).`,
    errorType: 'Function.ResponseSizeTooLarge',
  }),
)
