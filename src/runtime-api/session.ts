/**
 * One execution environment's side of the Runtime API: holds the runtime's state, its waiting `next` and the current invocation.
 *
 * `enter` is the only writer of the state and follows the table in protocol.ts. Two things must meet before an event goes out: the
 * environment is ready (the runtime and every extension concerned have called next, which the observer was told) and an invocation is
 * pending; either may come first.
 */
import type { ServerResponse } from 'node:http'
import type { AnswerBody, InvocationEvent, InvocationOutcome, Session, SessionOptions } from './api.ts'
import { Extensions } from './extensions.ts'
import { Invocation } from './invocation.ts'
import { nextRuntimeState, type RuntimeCall, type RuntimeState, type RuntimeStep } from './protocol.ts'

/** What the session needs of its listener. */
export interface Connections {
  /** Destroys every open connection. */
  drop(): void
  /** Drops them and gives the listener back. */
  release(): void
}

export class RuntimeSession implements Session {
  readonly address: string
  readonly options: SessionOptions
  readonly #connections: Connections
  #extensions = new Extensions()
  #state: RuntimeState = 'Started'
  #invocation: Invocation | undefined
  /** `#invocation` has not been given to the runtime yet. */
  #pending = false
  /** The runtime's outstanding `next`. */
  #waiting: ServerResponse | undefined
  /** The observer knows that everybody is ready; false again when an event goes out. */
  #announced = false
  /** Since boot the observer has not been told `ready`. */
  #booting = true
  #closed = false

  constructor(address: string, options: SessionOptions, connections: Connections) {
    this.address = address
    this.options = options
    this.#connections = connections
  }

  get state(): RuntimeState {
    return this.#state
  }

  get extensions(): Extensions {
    return this.#extensions
  }

  /** The invocation in progress, or the last one until the next begins. */
  get invocation(): Invocation | undefined {
    return this.#invocation
  }

  /** Follows the table. `false`: illegal, nothing changed. */
  enter(event: RuntimeCall | RuntimeStep): boolean {
    const next = nextRuntimeState(this.#state, event)
    if (next === undefined) return false
    this.#state = next
    return true
  }

  /** Holds the response to `next` until an event goes out; in the middle of an invocation it gets the same event again. */
  wait(response: ServerResponse): void {
    if (this.#state === 'Running') {
      if (this.#invocation !== undefined) writeEvent(response, this.#invocation)
      return
    }
    // The newest call counts: an older one still open belongs to a connection that its client has given up.
    this.#waiting?.req.socket.destroy()
    this.#waiting = response.req.socket.destroyed ? undefined : response
    this.advance()
  }

  /** Announces readiness once everybody is ready, then lets a pending event out. */
  advance(): void {
    if (!this.#announced && this.#state === 'Ready' && this.#extensions.areReady(this.#booting)) {
      this.#announced = true
      this.#booting = false
      this.options.observer.ready()
    }
    this.#deliver()
  }

  invoke(event: InvocationEvent, answer: AnswerBody): void {
    if (this.#closed) throw new Error('the session is closed')
    if (this.#invocation !== undefined && !this.#invocation.answered) {
      throw new Error(`invocation ${this.#invocation.event.requestId} is still in progress`)
    }
    this.#invocation = new Invocation(event, answer)
    this.#pending = true
    this.#deliver()
  }

  /** Hands the outcome to the observer, unless the invocation already has one or was forgotten by a reset. */
  answer(invocation: Invocation, outcome: InvocationOutcome): void {
    if (invocation.answered || invocation !== this.#invocation) return
    invocation.answered = true
    this.enter('answered')
    this.options.observer.outcome(invocation.event.requestId, outcome)
  }

  reset(): void {
    this.#connections.drop()
    this.#extensions = new Extensions()
    this.#state = 'Started'
    this.#invocation = undefined
    this.#pending = false
    this.#waiting = undefined
    this.#announced = false
    this.#booting = true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.reset()
    this.#connections.release()
  }

  /** A connection is gone: a `next` that waited on it is no longer there, the runtime's state stays. */
  disconnected(socket: unknown): void {
    if (this.#waiting?.req.socket === socket) this.#waiting = undefined
    this.#extensions.disconnected(socket)
  }

  #deliver(): void {
    const invocation = this.#invocation
    const waiting = this.#waiting
    if (!this.#pending || !this.#announced || waiting === undefined || invocation === undefined) return
    if (!this.enter('delivered')) return
    this.#pending = false
    this.#announced = false
    this.#waiting = undefined
    writeEvent(waiting, invocation)
    this.#extensions.deliver(invocation)
  }
}

function writeEvent(response: ServerResponse, invocation: Invocation): void {
  if (response.destroyed || response.headersSent) return
  response.sendDate = false
  response.writeHead(200, invocation.headers)
  response.end(invocation.event.payload)
}
