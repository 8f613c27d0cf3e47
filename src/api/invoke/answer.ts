/** An answer of Invoke on Node's own response. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { discardRest } from '../http/body.ts'
import { type ApiLog, errorAnswer } from '../http/errors.ts'
import { type HttpAnswer, send } from '../http/http-answer.ts'

/** Sends what `invoke` gives. A defect of it must not end the process, and with it everybody's requests. */
export function answerInvoke(
  invoke: () => Promise<HttpAnswer>,
  request: IncomingMessage,
  response: ServerResponse,
  log: ApiLog,
): void {
  invoke()
    .then((answer) => answerNow(answer, request, response))
    .catch((error: unknown) => answerNow(errorAnswer(error, randomUUID(), log), request, response))
    .catch(() => response.destroy())
}

/** An answer that may come before the end of the request. */
export function answerNow(answer: HttpAnswer, request: IncomingMessage, response: ServerResponse): void {
  send(answer, response)
  if (!request.complete && !request.destroyed) discardRest(request)
}
