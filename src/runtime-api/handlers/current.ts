/** What …/response and …/error have in common: they name the invocation in progress, come in the right state and bring its outcome. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { failure, INVALID_REQUEST_ID, STALE_INVOCATION, send, TOO_LARGE } from '../answers.ts'
import { discardBody } from '../body.ts'
import type { Invocation } from '../invocation.ts'
import { type RuntimeCall, runtimeRefusal } from '../protocol.ts'
import type { RuntimeSession } from '../session.ts'

/** The invocation that the call answers, its state entered; `undefined`: refused, and the refusal is sent. */
export function enterCurrent(
  session: RuntimeSession,
  call: RuntimeCall,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Invocation | undefined {
  const { invocation, state } = session
  if (invocation === undefined || invocation.event.requestId !== requestId) {
    discardBody(request)
    send(response, INVALID_REQUEST_ID)
    return undefined
  }
  // Clients from before July 2026 do not echo it. An asynchronous retry has the same request id, so only this shows a late answer.
  const echoed = request.headers['lambda-runtime-invocation-id']
  if (echoed !== undefined && echoed !== '' && echoed !== invocation.id) {
    discardBody(request)
    send(response, STALE_INVOCATION)
    return undefined
  }
  if (!session.enter(call)) {
    discardBody(request)
    send(response, failure(403, 'InvalidStateTransition', runtimeRefusal(state, call)))
    return undefined
  }
  return invocation
}

/** The refusal of a body over the limit; where even the reading was given up, the connection ends with it. */
export function sendTooLarge(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  if (!request.complete) response.once('finish', () => socket.destroy())
  send(response, TOO_LARGE)
}
