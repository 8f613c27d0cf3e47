/** /2020-01-01/extension/*: registration, events and failures of internal extensions. Every refusal is a 403. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ACCEPTED, failure, send } from '../answers.ts'
import { discardBody, readBody } from '../body.ts'
import type { RuntimeSession } from '../session.ts'

/** Bytes of a registration or of an extension's error report; ours, both are a few hundred bytes. */
const BODY_BYTES = 64 * 1024

const ERROR_TYPE_HEADER = 'Lambda-Extension-Function-Error-Type'

/** Told to an extension when the session's opener gave no identity. */
const UNKNOWN = { functionName: '', functionVersion: '', handler: '' }

export function register(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  const { extensions } = session
  const name = request.headers['lambda-extension-name']
  readBody(request, BODY_BYTES, (body) => {
    if (body === 'truncated' || session.extensions !== extensions) return
    if (body === 'too-large') {
      return refuseLarge(request, response)
    }
    const open = session.state === 'Started'
    send(response, extensions.register(String(name ?? ''), body, open, session.options.identity ?? UNKNOWN))
  })
}

export function nextOfExtension(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): void {
  discardBody(request)
  const extension = session.extensions.identify(request)
  if ('status' in extension) {
    send(response, extension)
    return
  }
  session.extensions.next(extension, response)
  session.advance()
}

export function initErrorOfExtension(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  fail(session, request, response, 'initError')
}

export function exitErrorOfExtension(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  fail(session, request, response, 'exitError')
}

/** An extension says why it is about to exit. A first failure before the runtime's first `next` is a failed Init. */
function fail(
  session: RuntimeSession,
  request: IncomingMessage,
  response: ServerResponse,
  call: 'initError' | 'exitError',
): void {
  const { extensions } = session
  readBody(request, BODY_BYTES, (body) => {
    if (body === 'truncated' || session.extensions !== extensions) return
    if (body === 'too-large') return refuseLarge(request, response)
    const extension = extensions.identify(request)
    if ('status' in extension) return send(response, extension)
    if (!request.headers[ERROR_TYPE_HEADER.toLowerCase()]) {
      return send(response, failure(403, 'Extension.MissingHeader', `${ERROR_TYPE_HEADER} not found`))
    }
    const repeated = extension.state === 'InitError'
    if (!extensions.fail(extension, call, response)) return
    send(response, ACCEPTED)
    if (call === 'initError' && !repeated) {
      session.options.observer.initError({ payload: body, errorType: 'Extension.InitError' })
    } else {
      // It is waited for no longer; its process exits next, which the supervisor reports.
      session.advance()
    }
  })
}

function refuseLarge(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  if (!request.complete) response.once('finish', () => socket.destroy())
  send(response, failure(413, 'RequestEntityTooLarge', `Exceeded maximum allowed payload size (${BODY_BYTES} bytes).`))
}
