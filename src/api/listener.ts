/** The API as a listener of Node's HTTP server. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Api, ApiBindings } from './app.ts'
import { discardRest } from './http/body.ts'
import { type Caller, type CallerOptions, Callers } from './http/caller.ts'
import { type ApiLog, errorAnswer } from './http/errors.ts'
import { type HttpAnswer, send } from './http/http-answer.ts'
import type { InvokeHandler } from './invoke/invoke.ts'
import { invokeCall } from './invoke/invoke-call.ts'

/** @param caller where the request came a way that says whose it is, e.g. out of a sandbox */
export type Listener = (request: IncomingMessage, response: ServerResponse, caller?: Caller) => void

/**
 * Invoke, the hottest route, is answered from Node's own request: it needs no router, Request or Response.
 * Everything else, and every path that is not plainly Invoke's, goes through the API.
 */
export function apiListener(
  api: Pick<Api, 'fetch'>,
  options: { readonly invoke: InvokeHandler; readonly caller: CallerOptions; readonly log: ApiLog },
): Listener {
  const { invoke, log } = options
  const callers = new Callers(options.caller)
  const known = new WeakMap<IncomingMessage, Caller>()
  // The adapter's own Response (put in place of the global one) keeps bytes as bytes: Node's costs a third of the rate.
  const serve = getRequestListener((request, env) => {
    const caller = known.get((env as { incoming: IncomingMessage }).incoming)
    return api.fetch(request, (caller === undefined ? env : { ...env, caller }) as ApiBindings)
  })
  return (request, response, caller) => {
    const call = invokeCall(request)
    if (call === undefined) {
      if (caller !== undefined) known.set(request, { account: caller.account, region: caller.region })
      void serve(request, response)
      return
    }
    const { authorization } = request.headers
    const credential = authorization === undefined ? call.query('X-Amz-Credential')?.[0] : undefined
    const answered = (answer: HttpAnswer) => {
      send(answer, response)
      if (!request.complete && !request.destroyed) discardRest(request)
    }
    invoke(call, caller ?? callers.of(authorization, credential))
      .then(answered)
      // A handler's defect must not end the process, and with it everybody's requests.
      .catch((error: unknown) => answered(errorAnswer(error, randomUUID(), log)))
      .catch(() => response.destroy())
  }
}
