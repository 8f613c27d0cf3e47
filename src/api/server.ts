/** The API on a socket: listening, limits of the connection, and a stop that lets requests under way finish. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { LIMITS } from '../lambda/limits.ts'
import { OperatorError } from '../lambda/operator-error.ts'
import type { Api } from './app.ts'
import { refuseBrowser } from './browser.ts'
import type { Caller } from './caller.ts'

export interface HttpServer {
  /** e.g. `http://127.0.0.1:9000` */
  readonly url: string
  /** Takes no new requests and waits for those under way, at most `drainMs`; what is left then is cut off. */
  close(drainMs: number): Promise<void>
}

/** AWS sends nothing until the result is ready, up to 15 minutes: no timeout of ours may end a connection that waits for an answer. */
const CONNECTION = {
  maxHeaderSize: LIMITS.requestHeaderBytes,
  keepAliveTimeout: 75_000,
  headersTimeout: 60_000,
  requestTimeout: 0,
  noDelay: true,
}

/** @throws Error that says what to do when the port cannot be had. */
export async function serveHttp(api: Api, at: { host: string; port: number }): Promise<HttpServer> {
  // The adapter's own Response (put in place of the global one) keeps bytes as bytes: Node's costs a third of the rate.
  const serve = getRequestListener((request, env) => api.fetch(request, env as object))
  const server = createServer(CONNECTION, (request, response) => {
    const { headers } = request
    const browser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
    const refusal = browser ? refuseBrowser(at.host, (name) => headers[name] as string | undefined) : undefined
    if (refusal === undefined) void serve(request, response)
    else refuse(response, refusal)
  })
  const underWay = countRequests(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, at)))
    server.listen({ host: at.host, port: at.port, backlog: 1024 }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { url: `http://${host}:${port}`, close: (drainMs) => stop(server, underWay, drainMs) }
}

/** Serves the API on requests that came another way, as a caller who is known already: a function's own account. */
export function inProcess(api: Api): (caller: Caller, request: IncomingMessage, response: ServerResponse) => void {
  const callers = new WeakMap<IncomingMessage, Caller>()
  const listener = getRequestListener((request, env) =>
    api.fetch(request, { ...env, caller: callers.get((env as { incoming: IncomingMessage }).incoming) }),
  )
  return ({ account, region }, request, response) => {
    callers.set(request, { account, region })
    void listener(request, response)
  }
}

function refuse(response: ServerResponse, message: string): void {
  const headers = { 'Content-Type': 'application/json', 'x-amzn-ErrorType': 'AccessDeniedException' }
  response.writeHead(403, headers).end(JSON.stringify({ Message: message }))
}

function explain(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  const reasons: Record<string, [string, string]> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is in use.`,
      'Stop the other program, or choose another port with --port or HEARTH_PORT.',
    ],
    EACCES: [`Port ${port} needs more rights.`, 'Choose one above 1023 with --port or HEARTH_PORT.'],
    EADDRNOTAVAIL: [`${host} is not an address of this machine.`, 'Choose one with --host or HEARTH_HOST.'],
  }
  const [message, remedy] = reasons[error.code ?? ''] ?? [
    `Hearth cannot listen on ${host}:${port}: ${error.message}`,
    'Choose another address with --host and --port.',
  ]
  return new OperatorError(message, remedy, { cause: error })
}

interface UnderWay {
  count: number
  idle: (() => void) | undefined
}

function countRequests(server: Server): UnderWay {
  const state: UnderWay = { count: 0, idle: undefined }
  server.on('request', (_request, response) => {
    state.count++
    response.once('close', () => {
      state.count--
      if (state.count === 0) state.idle?.()
    })
  })
  return state
}

async function stop(server: Server, underWay: UnderWay, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  if (underWay.count > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, drainMs)
      underWay.idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  server.closeAllConnections()
  await closed
}
