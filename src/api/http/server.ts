/** The API on a socket: listening, limits of the connection, and a stop that lets requests under way finish. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { LIMITS } from '../../lambda/limits.ts'
import { OperatorError } from '../../lambda/operator-error.ts'
import type { Listener } from '../listener.ts'
import { refuseBrowser } from './browser.ts'

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
export async function serveHttp(listener: Listener, at: { host: string; port: number }): Promise<HttpServer> {
  const server = createServer(CONNECTION, (request, response) => {
    const { headers } = request
    const refusal = isBrowser(headers)
      ? refuseBrowser(at.host, (name) => headers[name] as string | undefined)
      : undefined
    if (refusal === undefined) listener(request, response)
    else refuse(response, refusal)
  })
  const underWay = followRequests(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, at)))
    server.listen({ host: at.host, port: at.port, backlog: 1024 }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { url: `http://${host}:${port}`, close: (drainMs) => stop(server, underWay, drainMs) }
}

/** Browsers send neither Origin nor Sec-Fetch-Site with a page's GET of its own site when that is no secure one; all call themselves so. */
function isBrowser({ origin, 'sec-fetch-site': site, 'user-agent': agent }: IncomingHttpHeaders): boolean {
  return origin !== undefined || site !== undefined || agent?.startsWith('Mozilla/') === true
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

/** Requests of one connection that have no whole answer yet: several when a client sends the next one before it has the last answer. */
interface Connection {
  underWay: number
  last: ServerResponse | undefined
}

/**
 * Kept by connection, not as a set of the responses: a set makes itself a new table every few requests, V8 leaves the old one pointing to
 * it, and so from one that has grown old on, all of them survive with the requests they held. Without it the enqueue is 5 % faster.
 */
interface UnderWay {
  readonly connections: Map<Socket, Connection>
  requests: number
  stopping: boolean
  idle: (() => void) | undefined
}

function followRequests(server: Server): UnderWay {
  const state: UnderWay = { connections: new Map(), requests: 0, stopping: false, idle: undefined }
  function closed(this: Socket) {
    state.connections.delete(this)
  }
  server.on('connection', (socket: Socket) => {
    state.connections.set(socket, { underWay: 0, last: undefined })
    socket.on('close', closed)
  })
  function ended(this: ServerResponse) {
    const connection = state.connections.get(this.req.socket)
    if (connection !== undefined && --connection.underWay === 0) connection.last = undefined
    if (--state.requests === 0) state.idle?.()
  }
  server.on('request', (request, response) => {
    if (state.stopping) response.shouldKeepAlive = false
    const connection = state.connections.get(request.socket)
    if (connection !== undefined) {
      connection.underWay++
      connection.last = response
    }
    state.requests++
    response.on('close', ended)
  })
  return state
}

async function stop(server: Server, underWay: UnderWay, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // Node would take the next request of a connection that is in use, and busy clients would never be done.
  underWay.stopping = true
  for (const { last } of underWay.connections.values()) if (last !== undefined) last.shouldKeepAlive = false
  if (underWay.requests > 0) {
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
