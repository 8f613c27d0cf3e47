/**
 * The door of the sandboxes: what code inside an execution environment reaches besides its Runtime API. It is built beside the public API
 * from the same handlers and the table in sandbox-operations.ts, so that nothing exists here by being forgotten. Every call is made as the
 * environment's own role, account and region, whatever it says; docs/adr/0021-sandbox-door.md has the reasons.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { ControlPlane } from '../control/control-plane.ts'
import { LambdaException } from '../lambda/errors.ts'
import { type RoleSession, sessionIdentity } from '../lambda/role-session.ts'
import { TokenBucket } from '../lambda/token-bucket.ts'
import type { Caller } from './http/caller.ts'
import { type ApiLog, errorAnswer, renderError } from './http/errors.ts'
import { type HttpAnswer, responseOf } from './http/http-answer.ts'
import type { Uploads } from './http/uploads.ts'
import { answerInvoke, answerNow } from './invoke/answer.ts'
import type { InvokeHandler } from './invoke/invoke.ts'
import { invokeCall, invokeCallOf } from './invoke/invoke-call.ts'
import { type ApiVariables, routeOperations, routePath } from './operations/router.ts'
import { OPERATIONS } from './operations/table.ts'
import { queryRequest } from './other-services/query.ts'
import { otherService, refuseService } from './other-services/refusal.ts'
import { answerSts, isSts, stsError } from './other-services/sts.ts'
import { existsInside, foreignAccount, refuseHostWork, type SandboxApiMode } from './sandbox-operations.ts'

export interface SandboxApiOptions {
  readonly mode: SandboxApiMode
  readonly control: ControlPlane
  readonly invoke: InvokeHandler
  readonly invokeAsync: InvokeHandler
  readonly uploads: Uploads
  /** Calls per second of each environment; 0: no limit. The Runtime, Extensions and Telemetry APIs never count. */
  readonly callsPerSecond: number
  /** Milliseconds that only go forward. */
  readonly clock: () => number
  readonly log: ApiLog
}

export type SandboxListener = (request: IncomingMessage, response: ServerResponse) => void

/** Seconds whose calls an environment may make at once: a handler that fans out does so in bursts. */
const BURST_SECONDS = 5

/** Milliseconds that a call beyond the limit waits for its refusal: a loop that does not heed refusals must not keep the host busy with them. */
const REFUSAL_DELAY_MS = 250

interface Bindings {
  readonly session: RoleSession
}

type Inside = Hono<{ Bindings: Bindings; Variables: ApiVariables }>

const sessionOf = (c: Context) => (c.env as Bindings).session

export class SandboxApi {
  readonly #options: SandboxApiOptions
  readonly #app: Inside

  constructor(options: SandboxApiOptions) {
    this.#options = options
    this.#app = insideApp(options)
  }

  /** Paths of its routes, for the test that compares them with the table of doors. */
  get paths(): readonly string[] {
    return this.#app.routes.map(({ path }) => path)
  }

  /** The door of one environment. @param session as whom every call is made */
  open(session: RoleSession): SandboxListener {
    const { callsPerSecond, clock, invoke, log } = this.#options
    const bucket = new TokenBucket(callsPerSecond, callsPerSecond * BURST_SECONDS, clock())
    const serve = getRequestListener((request, env) => this.#app.fetch(request, { ...env, session }))
    return (request, response) => {
      if (callsPerSecond > 0 && !bucket.take(clock())) {
        throttle(request, response, log)
        return
      }
      const call = invokeCall(request)
      if (call === undefined) void serve(request, response)
      else answerInvoke(() => invoke(call, session), request, response, log)
    }
  }
}

function insideApp(options: SandboxApiOptions): Inside {
  const { mode, control, invoke, invokeAsync, uploads, log } = options
  const app: Inside = new Hono<{ Bindings: Bindings; Variables: ApiVariables }>({ strict: false })
  const invocation = (handler: InvokeHandler) => async (c: unknown) =>
    responseOf(await handler(invokeCallOf(c as Context), sessionOf(c as Context)))
  app.post('/2015-03-31/functions/:name/invocations', invocation(invoke))
  app.post('/2014-11-13/functions/:name/invoke-async', invocation(invokeAsync))

  routeOperations(app, {
    operations: OPERATIONS.filter(({ name }) => existsInside(name, mode)),
    // Without code downloads: their URLs are the public port's.
    services: { control },
    uploads,
    caller: sessionOf,
    admit: async ({ name }, c, caller, json) => {
      refuseForeign(name, c, caller, json)
      refuseHostWork(name, json)
      return false
    },
  })
  // Names without handlers, so that the refusal says what was called.
  for (const { name, method, path, query, refused } of OPERATIONS) {
    if (existsInside(name, mode) || query !== undefined) continue
    app.on(method, routePath(path), (c) => {
      if (refused !== undefined) throw new LambdaException('UnknownOperationException', `${name}: ${refused}`)
      throw notAuthorized(sessionOf(c as Context), name, mode)
    })
  }

  app.notFound((c) => answerOtherService(c as unknown as Context, log))
  app.onError((error, c) => renderError(error, c.get('requestId') ?? randomUUID(), log))
  return app
}

/** sts:GetCallerIdentity, or the refusal of what does not exist here. */
async function answerOtherService(c: Context, log: ApiLog): Promise<Response> {
  const requestId = randomUUID()
  const query = await queryRequest(c)
  if (query !== undefined && isSts(query))
    return responseOf(answerSts(query, () => sessionIdentity(sessionOf(c)), requestId))
  const service = otherService(c, query)
  if (service !== undefined)
    return responseOf(refuseService(c, service, { reached: 'The API inside functions', query, requestId }))
  const message = `There is no operation ${c.req.method} ${c.req.path.slice(0, 200)} inside functions.`
  return renderError(new LambdaException('UnknownOperationException', message), requestId, log)
}

function notAuthorized(session: RoleSession, operation: string, mode: SandboxApiMode): LambdaException {
  const { arn } = sessionIdentity(session)
  const reason =
    mode === 'invoke'
      ? 'HEARTH_FUNCTION_API=invoke lets functions call Invoke, InvokeAsync, InvokeWithResponseStream and sts:GetCallerIdentity'
      : 'functions may never call it'
  return new LambdaException(
    'AccessDeniedException',
    `User: ${arn} is not authorized to perform: lambda:${operation} because ${reason}`,
  )
}

function refuseForeign(operation: string, c: Context, caller: Caller, json: unknown): void {
  const values = [...Object.values(c.req.param()), ...Object.values(c.req.queries()).flat()]
  const account = foreignAccount(caller.account, { values, body: json })
  if (account === undefined) return
  throw new LambdaException(
    'AccessDeniedException',
    `${operation} from inside a function: account ${account} is another one. Only invocations may cross accounts.`,
  )
}

function throttle(request: IncomingMessage, response: ServerResponse, log: ApiLog): void {
  const timer = setTimeout(() => answerNow(throttled(request, log), request, response), REFUSAL_DELAY_MS)
  response.once('close', () => clearTimeout(timer))
}

/** STS alone is called at `/`, and its clients read XML. */
function throttled({ url }: IncomingMessage, log: ApiLog): HttpAnswer {
  const requestId = randomUUID()
  if (url !== '/' && !url?.startsWith('/?')) return errorAnswer(rateExceeded(), requestId, log)
  return stsError({ code: 'Throttling', message: 'Rate exceeded', status: 400 }, requestId)
}

function rateExceeded(): LambdaException {
  return new LambdaException('TooManyRequestsException', 'Rate Exceeded.', {
    members: { Reason: 'CallerRateLimitExceeded' },
    headers: { 'Retry-After': '1' },
  })
}
