/**
 * Internal extensions: parts of the runtime's own process that register with the Extensions API, as a Go function with
 * `WithEnableSIGTERM` does. They may register before the runtime's first `next`, and for INVOKE only.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, failure, send } from './answers.ts'
import type { FunctionIdentity } from './api.ts'
import type { Invocation } from './invocation.ts'
import { type ExtensionCall, type ExtensionState, extensionRefusal, nextExtensionState } from './protocol.ts'

/** Extensions of one environment, internal and external together. [D] */
const MAX_EXTENSIONS = 10

/** Characters of a name or event type that are repeated in an answer. */
const ECHOED_CHARACTERS = 256

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

class Extension {
  readonly id: string = randomUUID()
  readonly name: string
  readonly onInvoke: boolean
  state: ExtensionState = 'Started'
  /** Its outstanding `event/next`. */
  waiting: ServerResponse | undefined
  /** An invocation that it has not been told of, because no `event/next` was outstanding. */
  undelivered: Invocation | undefined

  constructor(name: string, onInvoke: boolean) {
    this.name = name
    this.onInvoke = onInvoke
  }

  /** `false`: the call is illegal now. */
  enter(event: ExtensionCall | 'delivered'): boolean {
    const next = nextExtensionState(this.state, event)
    if (next === undefined) return false
    this.state = next
    return true
  }
}

export class Extensions {
  readonly #byId = new Map<string, Extension>()

  register(name: string, body: Uint8Array, open: boolean, identity: FunctionIdentity): Answer {
    if (name === '') return refusal('Extension.InvalidExtensionName', 'Empty extension name')
    const request = parseRegistration(body)
    if (typeof request === 'string') return refusal('InvalidRequestFormat', request)
    for (const event of request.events) {
      if (event === 'SHUTDOWN') {
        return refusal('Extension.InvalidEventType', 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension')
      }
      if (event !== 'INVOKE') {
        return refusal('Extension.InvalidEventType', `${event.slice(0, ECHOED_CHARACTERS)}: ErrorInvalidEventType`)
      }
    }
    if (!open) return refusal('Extension.RegistrationClosed', 'Extension registration closed already')
    for (const known of this.#byId.values()) {
      if (known.name === name) {
        return refusal('Extension.InvalidExtensionState', 'Extension with this name already registered')
      }
    }
    if (this.#byId.size >= MAX_EXTENSIONS) {
      return refusal('Extension.TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`)
    }
    const extension = new Extension(name, request.events.includes('INVOKE'))
    extension.enter('register')
    this.#byId.set(extension.id, extension)
    const text = `${JSON.stringify(identity)}\n`
    return {
      status: 200,
      headers: [
        'Content-Type',
        'application/json',
        'Lambda-Extension-Identifier',
        extension.id,
        'Content-Length',
        String(Buffer.byteLength(text)),
      ],
      body: text,
    }
  }

  /** The extension that the request's identifier header names, or the refusal. */
  identify(request: IncomingMessage): Extension | Answer {
    const id = request.headers['lambda-extension-identifier']
    if (typeof id !== 'string' || id === '') {
      return refusal('Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header')
    }
    if (!UUID.test(id)) return refusal('Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier')
    return (
      this.#byId.get(id.toLowerCase()) ?? refusal('Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`)
    )
  }

  /** Answers with the refusal, or holds the response until there is an event. */
  next(extension: Extension, response: ServerResponse): void {
    if (!extension.enter('next')) {
      send(response, stateRefusal(extension, 'next'))
      return
    }
    // The newest call counts: an older one still open belongs to a connection that its client has given up.
    extension.waiting?.req.socket.destroy()
    extension.waiting = response.req.socket.destroyed ? undefined : response
    deliverTo(extension)
  }

  /** `false`: this call is illegal now and was refused. */
  fail(extension: Extension, call: 'initError' | 'exitError', response: ServerResponse): boolean {
    if (extension.enter(call)) return true
    send(response, stateRefusal(extension, call))
    return false
  }

  deliver(invocation: Invocation): void {
    for (const extension of this.#byId.values()) {
      if (!extension.onInvoke) continue
      extension.undelivered = invocation
      deliverTo(extension)
    }
  }

  /**
   * After boot every registered extension must have called `event/next` once, afterwards those with INVOKE after each invocation.
   * One that reported its own failure is waited for no longer.
   */
  areReady(booting: boolean): boolean {
    for (const { onInvoke, state, undelivered } of this.#byId.values()) {
      if (state === 'InitError' || state === 'ExitError') continue
      if ((booting || onInvoke) && (state !== 'Ready' || undelivered !== undefined)) return false
    }
    return true
  }

  /** A connection is gone. */
  disconnected(socket: unknown): void {
    for (const extension of this.#byId.values()) {
      if (extension.waiting?.req.socket === socket) extension.waiting = undefined
    }
  }
}

function deliverTo(extension: Extension): void {
  const { waiting, undelivered } = extension
  if (waiting === undefined || undelivered === undefined || !extension.enter('delivered')) return
  extension.waiting = undefined
  extension.undelivered = undefined
  const { deadlineMs, requestId, invokedFunctionArn, traceHeader } = undelivered.event
  const tracing = traceHeader === '' ? undefined : { type: 'X-Amzn-Trace-Id', value: traceHeader }
  const text = JSON.stringify({ eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn, tracing })
  send(waiting, {
    status: 200,
    headers: [
      'Content-Type',
      'application/json',
      'Lambda-Extension-Event-Identifier',
      randomUUID(),
      'Content-Length',
      String(Buffer.byteLength(text)),
    ],
    body: text,
  })
}

/** The events asked for, or why the body is refused. */
function parseRegistration(body: Uint8Array): { events: string[] } | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, ECHOED_CHARACTERS) : 'invalid JSON'
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'expected a JSON object'
  if ('configurationKeys' in parsed && parsed.configurationKeys) {
    return 'configurationKeys are deprecated; use environment variables instead'
  }
  // Go's client sends `"events":null` for none.
  const events = 'events' in parsed ? (parsed.events ?? []) : []
  if (!Array.isArray(events) || !events.every((event) => typeof event === 'string')) {
    return 'events must be an array of strings'
  }
  return { events }
}

function refusal(errorType: string, errorMessage: string): Answer {
  return failure(403, errorType, errorMessage)
}

function stateRefusal(extension: Extension, call: ExtensionCall): Answer {
  const name = extension.name.slice(0, ECHOED_CHARACTERS)
  return refusal('Extension.InvalidExtensionState', extensionRefusal(extension.state, call, name))
}

export type { Extension }
