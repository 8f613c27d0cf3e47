/** GET /ping: clients and scripts ask whether the Runtime API is up. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PONG, send } from '../answers.ts'
import { discardBody } from '../body.ts'
import type { RuntimeSession } from '../session.ts'

export function ping(_session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  discardBody(request)
  send(response, PONG)
}
