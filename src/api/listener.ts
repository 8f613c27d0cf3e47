/** The API as a listener of Node's HTTP server. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Api } from './app.ts'
import { type CallerOptions, Callers } from './http/caller.ts'
import type { ApiLog } from './http/errors.ts'
import { answerInvoke } from './invoke/answer.ts'
import type { InvokeHandler } from './invoke/invoke.ts'
import { invokeCall } from './invoke/invoke-call.ts'

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

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
  // The adapter's own Response (put in place of the global one) keeps bytes as bytes: Node's costs a third of the rate.
  const serve = getRequestListener(api.fetch)
  return (request, response) => {
    const call = invokeCall(request)
    if (call === undefined) {
      void serve(request, response)
      return
    }
    const { authorization } = request.headers
    const credential = authorization === undefined ? call.query('X-Amz-Credential')?.[0] : undefined
    answerInvoke(async () => invoke(call, callers.of(authorization, credential)), request, response, log)
  }
}
