/** Telemetry API and Logs API: answered as AWS's own emulator does, 202 with a body that says there is none. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LOGS_NOT_SUPPORTED, send, TELEMETRY_NOT_SUPPORTED } from '../answers.ts'
import { discardBody } from '../body.ts'
import type { RuntimeSession } from '../session.ts'

export function subscribeTelemetry(_session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  discardBody(request)
  send(response, TELEMETRY_NOT_SUPPORTED)
}

export function subscribeLogs(_session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  discardBody(request)
  send(response, LOGS_NOT_SUPPORTED)
}
