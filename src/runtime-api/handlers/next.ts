/** GET /2018-06-01/runtime/invocation/next: blocks until there is an event, however long that takes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { failure, send } from '../answers.ts'
import { discardBody } from '../body.ts'
import { runtimeRefusal } from '../protocol.ts'
import type { RuntimeSession } from '../session.ts'

export function next(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  // A GET without these has no body; node:http finishes it by itself.
  const { headers } = request
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) discardBody(request)
  const { state } = session
  if (session.enter('next')) session.wait(response)
  else send(response, failure(403, 'InvalidStateTransition', runtimeRefusal(state, 'next')))
}
