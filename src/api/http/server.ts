/** The API on a socket: listening, limits of the connection, and a stop that lets requests under way finish. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
import { Budget, type BudgetRules } from '../../http/budget.ts'
import { type ConnectionRules, Connections, type Peer } from '../../http/connections.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { OperatorError } from '../../telemetry/operator-error.ts'
import type { Listener } from '../listener.ts'
import { Guard } from './guard.ts'

const MIB = 1024 * 1024

export interface HttpServer {
  /** e.g. `http://127.0.0.1:9000` */
  readonly url: string
  /** Takes no new requests and waits for those under way, at most `drainMs`; what is left then is cut off. */
  close(drainMs: number): Promise<void>
}

export interface ServerOptions {
  readonly host: string
  readonly port: number
  /** Names besides `host` that clients may call this host by. */
  readonly names?: readonly string[]
  /** Origins whose pages may use the API. */
  readonly origins?: readonly string[]
  /** Whether an address is one of a sandbox: those have a door of their own. */
  readonly isSandbox?: (address: string) => boolean
  /** Ports that functions may reach: not this one. */
  readonly functionReach?: readonly number[]
  readonly budget?: Budget
  readonly connections?: ConnectionRules
}

/** Seconds that a request may take to arrive whole; a body is also bounded by its pace (Budget). */
const REQUEST_TIMEOUT_MS = 600_000

/** AWS sends nothing until the result is ready, up to 15 minutes: no timeout of ours may end a connection that waits for an answer. */
const CONNECTION = {
  maxHeaderSize: LIMITS.requestHeaderBytes,
  keepAliveTimeout: 75_000,
  headersTimeout: 60_000,
  requestTimeout: REQUEST_TIMEOUT_MS,
  noDelay: true,
}

/** Half of the connections are for one address at most: a load test and a proxy are one address. No client sends requests ahead. */
const CONNECTIONS: ConnectionRules = { most: 4096, mostOfPeer: 2048, pipelined: 8, replaces: true }

/** Bytes of the bodies and unread answers of all clients. What is made of a body meanwhile takes several times as much. */
export const PORT_BUDGET: BudgetRules = { bytes: 96 * MIB, lent: LIMITS.createFunctionRequestBytes }

/**
 * Binds the port and lets it go, before a start makes anything that stays. It is bound again when there is somebody to answer.
 * @throws OperatorError when the port cannot be had
 */
export async function checkPort(options: Pick<ServerOptions, 'host' | 'port'>): Promise<void> {
  const server = createNetServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, options)))
    server.listen({ host: options.host, port: options.port }, resolve)
  })
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

/** @throws Error that says what to do when the port cannot be had. */
export async function serveHttp(listener: Listener, options: ServerOptions): Promise<HttpServer> {
  const { host, port: wanted, isSandbox = () => false } = options
  const guard = new Guard({ bound: host, names: options.names ?? [], origins: options.origins ?? [] })
  const connections = new Connections(options.connections ?? CONNECTIONS)
  const state = { stopping: false }
  const server = createServer(CONNECTION, (request, response) => {
    if (!connections.begin(request, response)) return
    if (state.stopping) response.shouldKeepAlive = false
    if (guard.admits(request, response)) listener(request, response)
  })
  const peerOf = peersByAddress(options.budget ?? new Budget(PORT_BUDGET))
  // Before node:http's own handler, so that the connection of a stranger is never parsed.
  server.prependListener('connection', (socket: Socket) => {
    const address = plainAddress(socket)
    if (isSandbox(address)) socket.destroy()
    else connections.accept(socket, peerOf(address, socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, options)))
    server.listen({ host, port: wanted, backlog: 1024 }, resolve)
  })
  const { port } = server.address() as AddressInfo
  if (options.functionReach?.includes(port)) {
    server.close()
    throw new OperatorError(
      `The system gave the host port ${port}, which functions may reach (HEARTH_FUNCTION_REACH).`,
      'Choose another port with --port or HEARTH_PORT.',
    )
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: (drainMs) => {
      state.stopping = true
      return stop(server, connections, drainMs)
    },
  }
}

/** IPv4 addresses come as IPv6 ones where the server listens on both. */
function plainAddress({ remoteAddress = '' }: Socket): string {
  return remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress
}

/** The peer of each address, for as long as it has a connection. */
function peersByAddress(budget: Budget): (address: string, socket: Socket) => Peer {
  const peers = new Map<string, Peer>()
  return (address, socket) => {
    const peer = peers.get(address) ?? { share: budget.share(), connections: 0 }
    peers.set(address, peer)
    socket.on('close', () => {
      if (peer.connections === 0) peers.delete(address)
    })
    return peer
  }
}

function explain(error: NodeJS.ErrnoException, { host, port }: Pick<ServerOptions, 'host' | 'port'>): Error {
  const reasons: Record<string, [string, string]> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is in use.`,
      'Stop the other program, or choose another port with --port or HEARTH_PORT.',
    ],
    EACCES: [`This user may not listen on port ${port}.`, 'Choose one above 1023 with --port or HEARTH_PORT.'],
    EADDRNOTAVAIL: [`${host} is not an address of this machine.`, 'Choose one with --host or HEARTH_HOST.'],
  }
  const [message, remedy] = reasons[error.code ?? ''] ?? [
    `Hearth cannot listen on ${host}:${port}: ${error.message}`,
    'Choose another address with --host and --port.',
  ]
  return new OperatorError(message, remedy, { cause: error })
}

async function stop(server: Server, connections: Connections, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // Node would take the next request of a connection that is in use, and busy clients would never be done.
  for (const response of connections.lastAnswers()) response.shouldKeepAlive = false
  if (connections.requests > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, drainMs)
      connections.idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  server.closeAllConnections()
  await closed
}
