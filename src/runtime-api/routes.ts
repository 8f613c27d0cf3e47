/** From a request to its handler: the closed list of what the Runtime API has. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { METHOD_NOT_ALLOWED, NOT_FOUND, refusal, send } from './answers.ts'
import { discardBody } from './body.ts'
import { refuseForeignHost, refusePage } from './guard.ts'
import { invocationError } from './handlers/error.ts'
import { exitErrorOfExtension, initErrorOfExtension, nextOfExtension, register } from './handlers/extension.ts'
import { initError } from './handlers/init-error.ts'
import { next } from './handlers/next.ts'
import { ping } from './handlers/ping.ts'
import { respond } from './handlers/response.ts'
import { subscribeLogs, subscribeTelemetry } from './handlers/telemetry.ts'
import { INVOCATION_PATH } from './invocation.ts'
import type { RuntimeSession } from './session.ts'

const NEXT_PATH = `${INVOCATION_PATH}next`

/** `parameter` is what stands for `*` in the path. */
type Handler = (session: RuntimeSession, request: IncomingMessage, response: ServerResponse, parameter: string) => void

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** `*` stands for one segment. */
  readonly path: string
  readonly handler: Handler
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', path: NEXT_PATH, handler: next },
  { method: 'POST', path: '/2018-06-01/runtime/invocation/*/response', handler: respond },
  { method: 'POST', path: '/2018-06-01/runtime/invocation/*/error', handler: invocationError },
  { method: 'POST', path: '/2018-06-01/runtime/init/error', handler: initError },
  { method: 'POST', path: '/2020-01-01/extension/register', handler: register },
  { method: 'GET', path: '/2020-01-01/extension/event/next', handler: nextOfExtension },
  { method: 'POST', path: '/2020-01-01/extension/init/error', handler: initErrorOfExtension },
  { method: 'POST', path: '/2020-01-01/extension/exit/error', handler: exitErrorOfExtension },
  { method: 'PUT', path: '/2022-07-01/telemetry', handler: subscribeTelemetry },
  { method: 'PUT', path: '/2020-08-15/logs', handler: subscribeLogs },
  { method: 'GET', path: '/ping', handler: ping },
]

/** Paths that belong to the Runtime API even where no route matches; every other path is the fallback's. */
const OWN = ['/2018-06-01/runtime', '/2020-01-01/extension', '/2022-07-01/telemetry', '/2020-08-15/logs', '/ping']

/** Longer paths match no route; splitting them would only cost time. */
const MAX_PATH = 1024

export function serve(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  const { method, url } = request
  const { invocation } = session
  const page = refusePage(request.headers, session.address)
  if (page !== undefined) {
    refuse(request, response, page)
    return
  }
  // The two calls of every invocation need no search.
  if (method === 'GET' && url === NEXT_PATH) {
    next(session, request, response)
  } else if (invocation !== undefined && method === 'POST' && url === invocation.responsePath) {
    respond(session, request, response, invocation.event.requestId)
  } else {
    route(session, request, response)
  }
}

function route(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const { fallback } = session.options
  if (fallback !== undefined && !isOwn(path)) {
    const foreign = refuseForeignHost(request.headers, session.address)
    if (foreign === undefined) fallback(request, response)
    else refuse(request, response, foreign)
    return
  }

  let pathExists = false
  for (const candidate of ROUTES) {
    const parameter = match(candidate.path, path)
    if (parameter === undefined) continue
    if (candidate.method === request.method) {
      candidate.handler(session, request, response, parameter)
      return
    }
    pathExists = true
  }
  discardBody(request)
  send(response, pathExists ? METHOD_NOT_ALLOWED : NOT_FOUND)
}

function refuse(request: IncomingMessage, response: ServerResponse, message: string): void {
  discardBody(request)
  send(response, refusal(message))
}

function isOwn(path: string): boolean {
  return OWN.some((prefix) => path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'))
}

/** The segment that `*` stands for, an empty string where the path has none, or `undefined` where the path does not match. */
function match(pattern: string, path: string): string | undefined {
  const star = pattern.indexOf('*')
  if (star === -1) return path === pattern ? '' : undefined
  const suffix = pattern.slice(star + 1)
  if (path.length > MAX_PATH || !path.startsWith(pattern.slice(0, star)) || !path.endsWith(suffix)) return undefined
  const segment = path.slice(star, path.length - suffix.length)
  return segment === '' || segment.includes('/') ? undefined : segment
}
