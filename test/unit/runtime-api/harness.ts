/** A real listener on loopback and a small HTTP client in the place of the runtime. */
import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { LIMITS } from '../../../src/lambda/limits.ts'
import type {
  AnswerBody,
  AnswerHead,
  InitError,
  InvocationEvent,
  InvocationOutcome,
  Session,
  SessionOptions,
} from '../../../src/runtime-api/api.ts'
import { RuntimeApiListeners } from '../../../src/runtime-api/listener.ts'

export const NEXT = '/2018-06-01/runtime/invocation/next'
export const responsePath = (id: string) => `/2018-06-01/runtime/invocation/${id}/response`
export const errorPath = (id: string) => `/2018-06-01/runtime/invocation/${id}/error`
export const INIT_ERROR = '/2018-06-01/runtime/init/error'
export const EXTENSION = '/2020-01-01/extension'

export const silent = { debug() {} }

/** Keeps an answer's body, as Invoke does. */
export class Collected implements AnswerBody {
  readonly limitBytes = LIMITS.responsePayloadBytes
  readonly keeps = true
  readonly heads: AnswerHead[] = []
  readonly #chunks: Uint8Array[] = []

  begin(head: AnswerHead): void {
    this.heads.push(head)
  }
  chunk(bytes: Uint8Array): undefined {
    this.#chunks.push(bytes)
  }
  get payload(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}

/** An outcome with the body that came before it. */
export type Seen =
  | Exclude<InvocationOutcome, { kind: 'response' | 'stream-error' }>
  | (Extract<InvocationOutcome, { kind: 'response' | 'stream-error' }> & { readonly payload: Uint8Array })

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface CallOptions {
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  /** Sends the body chunked, in these pieces, with trailers. */
  readonly chunks?: readonly (string | Uint8Array)[]
  readonly trailers?: Readonly<Record<string, string>>
  readonly agent?: Agent
}

export function event(requestId: string, more: Partial<InvocationEvent> = {}): InvocationEvent {
  return {
    requestId,
    deadlineMs: 1_700_000_000_123,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    traceHeader: 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0',
    payload: Buffer.from(`{"id":"${requestId}"}`),
    ...more,
  }
}

export class Harness {
  readonly listeners: RuntimeApiListeners
  readonly session: Session
  readonly ready: number[] = []
  readonly initErrors: InitError[] = []
  readonly outcomes: { requestId: string; outcome: Seen }[] = []
  answer = new Collected()
  readonly agent = new Agent({ keepAlive: true })
  onReady: (() => void) | undefined
  onOutcome: (() => void) | undefined

  private constructor(listeners: RuntimeApiListeners, open: (harness: Harness) => Promise<Session>) {
    this.listeners = listeners
    // Assigned by `open` before anybody sees the harness.
    this.session = undefined as unknown as Session
    this.#opening = open(this).then((session) => Object.assign(this, { session }))
  }

  readonly #opening: Promise<Harness>

  static open(
    options: Partial<SessionOptions> = {},
    listeners = new RuntimeApiListeners({ admit: async () => {}, chunk: 2, log: silent }),
  ): Promise<Harness> {
    const harness = new Harness(listeners, (self) =>
      listeners.open({
        hostAddress: '127.0.0.1',
        peerAddress: '127.0.0.1',
        observer: {
          ready: () => {
            self.ready.push(self.outcomes.length)
            self.onReady?.()
          },
          initError: (error) => self.initErrors.push(error),
          outcome: (requestId, outcome) => {
            const { payload } = self.answer
            const whole =
              outcome.kind === 'response' || outcome.kind === 'stream-error' ? { ...outcome, payload } : outcome
            self.outcomes.push({ requestId, outcome: whole })
            self.onOutcome?.()
          },
        },
        ...options,
      }),
    )
    return harness.#opening
  }

  invoke(event: InvocationEvent): void {
    const answer = new Collected()
    this.session.invoke(event, answer)
    this.answer = answer
  }

  get port(): number {
    return Number(this.session.address.split(':')[1])
  }

  get host(): string {
    return this.session.address.split(':')[0] ?? ''
  }

  call(method: string, path: string, options: CallOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers: OutgoingHttpHeaders = { ...options.headers }
      if (options.body !== undefined) headers['Content-Length'] = Buffer.byteLength(options.body)
      if (options.trailers !== undefined) headers.Trailer = Object.keys(options.trailers).join(', ')
      if (options.chunks !== undefined) headers['Transfer-Encoding'] = 'chunked'
      const request = httpRequest(
        { host: this.host, port: this.port, method, path, headers, agent: options.agent ?? this.agent },
        (response) => {
          const parts: Buffer[] = []
          response.on('data', (part: Buffer) => parts.push(part))
          response.on('error', reject)
          response.on('end', () => {
            const body = Buffer.concat(parts)
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() })
          })
        },
      )
      request.on('error', reject)
      for (const chunk of options.chunks ?? []) request.write(chunk)
      if (options.trailers !== undefined) request.addTrailers(options.trailers)
      request.end(options.body)
    })
  }

  next(options?: CallOptions): Promise<Reply> {
    return this.call('GET', NEXT, options)
  }

  /** A raw connection and everything it has received. */
  async raw(localAddress?: string): Promise<RawConnection> {
    const socket = connect({ host: this.host, port: this.port, localAddress, allowHalfOpen: true })
    const connection = new RawConnection(socket)
    await connection.opened
    return connection
  }

  async close(): Promise<void> {
    this.agent.destroy()
    await this.listeners.close()
  }
}

export class RawConnection {
  readonly socket: Socket
  readonly opened: Promise<void>
  /** Resolves when the connection is gone, however. */
  readonly closed: Promise<void>
  received = ''

  constructor(socket: Socket) {
    this.socket = socket
    this.opened = new Promise((resolve) => {
      socket.once('connect', () => resolve())
      socket.once('close', () => resolve())
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
    })
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text)
  }
}

/** Waits for a condition; only the test's own timeout ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}
