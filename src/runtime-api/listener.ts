/**
 * Listening sockets of the Runtime API, one per execution environment: the port is the environment's identity, because clients accept
 * `host:port` and nothing else. Everything that comes in is hostile.
 */
import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { Budget, type BudgetRules } from '../http/budget.ts'
import { type ConnectionRules, Connections, type Peer } from '../http/connections.ts'
import { Pieces } from '../http/pieces.ts'
import { rawAnswer, TRUNCATED } from './answers.ts'
import type { Listeners, Session, SessionOptions } from './api.ts'
import { bindChunk, type Chunk, chunkStarts, closeServer } from './ports.ts'
import { serve } from './routes.ts'
import { RuntimeSession } from './session.ts'

const MIB = 1024 * 1024

/**
 * Connections of one environment and of all: an SDK client has 50 to the Lambda API, a runtime one, an extension one or two. No client sends
 * requests ahead of answers; it must not cost memory.
 */
export const SANDBOX_CONNECTIONS: ConnectionRules = {
  most: 8192,
  mostOfPeer: 256,
  pipelined: 16,
  replaces: false,
}

/** Bytes of bodies and unread answers of one environment: two of the largest answers, or of the largest events that it sends to others. */
const SANDBOX_BYTES = 12 * MIB
const SANDBOX_LENT = 6 * MIB

/** Of all environments. Bodies beyond it wait, each a few milliseconds where the others are sent at once. */
const DOOR_BUDGET: BudgetRules = { bytes: 36 * MIB, lent: 18 * MIB }

/** Bytes of request headers: the Python client sends an X-Ray cause of up to 1 MB as a header. */
const HEADER_BYTES = 2 * 1024 * 1024

/** Connections that may use HEADER_BYTES; a runtime has a handful. The others share a bound that keeps 1,024 slow senders cheap. */
const WIDE_CONNECTIONS = 16
const NARROW_HEADER_BYTES = 64 * 1024

/** Time for a request's headers to arrive, milliseconds. */
const HEADERS_TIMEOUT_MS = 60_000

/** Time for a whole request to arrive, milliseconds: longer than any invocation, whose answer may come until its deadline. */
const REQUEST_TIMEOUT_MS = 960_000

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** node:http reads the property when it makes a connection's parser; its type declares only the option. */
type ServerWithHeaderSize = Server & { maxHeaderSize: number }

class Listener {
  readonly server: ServerWithHeaderSize
  readonly address: string
  session: RuntimeSession | undefined
  readonly #sockets = new Set<Socket>()
  readonly #door: Door
  #peer: Peer | undefined

  constructor(hostAddress: string, port: number, door: Door, log: RuntimeApiListenersOptions['log']) {
    this.address = `${hostAddress}:${port}`
    this.#door = door
    this.server = new Server(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: 0,
        noDelay: true,
      },
      (request, response) => this.#request(request, response),
    ) as ServerWithHeaderSize
    // Before node:http's own handler, so that a stranger's connection is never parsed.
    this.server.prependListener('connection', (socket: Socket) => this.#connection(socket))
    this.server.on('clientError', refuseMalformed)
    // A failed accept (no file descriptors left) costs that connection, not the host.
    this.server.on('error', (error) => log.debug({ error, address: this.address }, 'Runtime API listener'))
  }

  /** From now on it is this environment's. */
  bind(session: RuntimeSession): void {
    this.session = session
    this.#peer = { share: this.#door.budget.share(SANDBOX_BYTES, SANDBOX_LENT, new Pieces()), connections: 0 }
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #connection(socket: Socket): void {
    const { session } = this
    const expected = session?.options.peerAddress
    if (
      session === undefined ||
      this.#peer === undefined ||
      this.#peer.share.pieces?.open === false ||
      (expected !== undefined && socket.remoteAddress !== expected)
    ) {
      socket.destroy()
      return
    }
    if (!this.#door.connections.accept(socket, this.#peer)) return
    this.#sockets.add(socket)
    this.server.maxHeaderSize = this.#sockets.size > WIDE_CONNECTIONS ? NARROW_HEADER_BYTES : HEADER_BYTES
    socket.on('close', () => {
      this.#sockets.delete(socket)
      session.disconnected(socket)
    })
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    // What the parser still had of a connection that was destroyed in the meantime.
    if (socket.destroyed || this.session === undefined) {
      socket.destroy()
      return
    }
    if (this.#door.connections.begin(request, response)) serve(this.session, request, response)
  }
}

/** What all environments share. */
interface Door {
  readonly budget: Budget
  readonly connections: Connections
}

function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  if (socket.writable) socket.write(error.code === 'HPE_INVALID_EOF_STATE' ? rawAnswer(TRUNCATED) : BAD_REQUEST)
  socket.destroy()
}

/** The listeners of one host address. */
interface Pool {
  readonly starts: Iterator<number>
  readonly chunks: Chunk[]
  /** Oldest first: a port rests for as long as possible before another environment gets it. */
  readonly free: Listener[]
  growing: Promise<void> | undefined
}

export interface RuntimeApiListenersOptions {
  /** Opens these ports of `hostAddress` to the sandboxes. Called when all of them are bound, before any is used. */
  readonly admit: (hostAddress: string, firstPort: number, lastPort: number) => Promise<void>
  /** Ports bound together, 1–1024; one firewall rule each. */
  readonly chunk?: number
  readonly log: Pick<Logger, 'debug'>
  readonly budget?: Budget
  readonly connections?: ConnectionRules
}

export class RuntimeApiListeners implements Listeners {
  readonly #options: RuntimeApiListenersOptions
  readonly #chunk: number
  readonly #door: Door
  readonly #pools = new Map<string, Pool>()
  readonly #sessions = new Set<RuntimeSession>()
  #closed = false

  constructor(options: RuntimeApiListenersOptions) {
    this.#options = options
    this.#chunk = options.chunk ?? 32
    this.#door = {
      budget: options.budget ?? new Budget(DOOR_BUDGET),
      connections: new Connections(options.connections ?? SANDBOX_CONNECTIONS),
    }
    if (!Number.isInteger(this.#chunk) || this.#chunk < 1 || this.#chunk > 1024) {
      throw new RangeError(`chunk must be an integer from 1 to 1024, not ${this.#chunk}`)
    }
  }

  async open(options: SessionOptions): Promise<Session> {
    const pool = this.#pool(options.hostAddress)
    for (;;) {
      if (this.#closed) throw new Error('the Runtime API is closed')
      const listener = pool.free.shift()
      if (listener !== undefined) return this.#bind(pool, listener, options)
      pool.growing ??= this.#grow(pool, options.hostAddress).finally(() => {
        pool.growing = undefined
      })
      await pool.growing
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const session of this.#sessions) session.close()
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.growing))
    const servers = [...this.#pools.values()].flatMap((pool) => pool.chunks.flatMap((chunk) => chunk.servers))
    this.#pools.clear()
    await Promise.all(servers.map(closeServer))
  }

  #pool(hostAddress: string): Pool {
    let pool = this.#pools.get(hostAddress)
    if (pool === undefined) {
      pool = { starts: chunkStarts(this.#chunk), chunks: [], free: [], growing: undefined }
      this.#pools.set(hostAddress, pool)
    }
    return pool
  }

  #bind(pool: Pool, listener: Listener, options: SessionOptions): Session {
    const session = new RuntimeSession(listener.address, options, {
      drop: () => listener.drop(),
      release: () => {
        listener.session = undefined
        this.#sessions.delete(session)
        pool.free.push(listener)
      },
    })
    listener.bind(session)
    this.#sessions.add(session)
    return session
  }

  async #grow(pool: Pool, hostAddress: string): Promise<void> {
    const listeners: Listener[] = []
    const chunk = await bindChunk(hostAddress, this.#chunk, pool.starts, (port) => {
      const listener = new Listener(hostAddress, port, this.#door, this.#options.log)
      listeners.push(listener)
      return listener.server
    })
    const lastPort = chunk.firstPort + this.#chunk - 1
    try {
      await this.#options.admit(hostAddress, chunk.firstPort, lastPort)
    } catch (error) {
      await Promise.all(chunk.servers.map(closeServer))
      throw error
    }
    this.#options.log.debug({ hostAddress, firstPort: chunk.firstPort, lastPort }, 'Runtime API ports bound')
    pool.chunks.push(chunk)
    // Those of chunks that were not free as a whole are closed and come first.
    pool.free.push(...listeners.slice(-this.#chunk))
  }
}
