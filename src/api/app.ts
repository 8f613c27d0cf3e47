/** The Lambda API as one HTTP handler. Routes come from the table of operations; the invoke route stands before all of them. */
import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { ControlPlane } from '../control/control-plane.ts'
import { LambdaException } from '../lambda/errors.ts'
import { CODE_PATH, CodeLocation, type CodeLocationOptions } from './admin/code-location.ts'
import { grantedToOther } from './cross-account.ts'
import { EARLIER_OPERATIONS, refusalOf } from './earlier-api.ts'
import { type Caller, type CallerOptions, Callers, identityOf } from './http/caller.ts'
import { type ApiLog, renderError } from './http/errors.ts'
import { responseOf } from './http/http-answer.ts'
import type { Uploads } from './http/uploads.ts'
import type { InvokeHandler } from './invoke/invoke.ts'
import { invokeCallOf } from './invoke/invoke-call.ts'
import { type ApiVariables, routeOperations, routePath } from './operations/router.ts'
import { OPERATIONS } from './operations/table.ts'
import { queryRequest } from './other-services/query.ts'
import { otherService, refuseService } from './other-services/refusal.ts'
import { answerSts, isSts } from './other-services/sts.ts'
import { SIBLING_OPERATIONS, siblingRefusal } from './siblings.ts'

export interface ApiOptions {
  readonly control: ControlPlane
  readonly caller: CallerOptions
  /** Answers POST /2015-03-31/functions/{name}/invocations. */
  readonly invoke: InvokeHandler
  /** Answers POST /2014-11-13/functions/{name}/invoke-async. */
  readonly invokeAsync?: InvokeHandler
  /** The host's own pages, mounted at /_hearth. */
  readonly admin?: Hono
  readonly uploads: Uploads
  readonly codeLocation: CodeLocationOptions
  readonly log: ApiLog
}

export type Api = Hono<{ Variables: ApiVariables }>

export function createApi(options: ApiOptions): Api {
  // Older SDKs end some paths with a slash: not strict means that it does not matter.
  const app: Api = new Hono<{ Variables: ApiVariables }>({ strict: false })
  const callers = new Callers(options.caller)
  const codeLocation = new CodeLocation(options.codeLocation)

  const callerOf = (c: Context): Caller => {
    const authorization = c.req.header('authorization')
    return authorization === undefined
      ? callers.of(undefined, c.req.query('X-Amz-Credential'))
      : callers.of(authorization)
  }

  // Nothing stands before them: no middleware, no request id made, no body read.
  const invocation = (invoke: InvokeHandler) => async (c: unknown) =>
    responseOf(await invoke(invokeCallOf(c as Context), callerOf(c as Context)))
  app.post('/2015-03-31/functions/:name/invocations', invocation(options.invoke))
  if (options.invokeAsync) app.post('/2014-11-13/functions/:name/invoke-async', invocation(options.invokeAsync))

  routeOperations(app, {
    operations: OPERATIONS,
    services: { control: options.control, codeLocation },
    uploads: options.uploads,
    caller: callerOf,
    admit: (operation, c, caller) => grantedToOther(operation.name, c, caller, options.control.permissions),
  })
  for (const operation of EARLIER_OPERATIONS) {
    app.on(operation.method, operation.path, () => {
      throw new LambdaException('UnknownOperationException', refusalOf(operation))
    })
  }
  for (const operation of SIBLING_OPERATIONS) {
    app.on(operation.method, routePath(operation.path), () => {
      throw siblingRefusal(operation)
    })
  }
  app.get(CODE_PATH, (c) => codeLocation.serve(c as unknown as Context))
  if (options.admin) app.route('/_hearth', options.admin)

  app.notFound((c) => answerOther(c as unknown as Context, callerOf, options.log))
  app.onError((error, c) => renderError(error, c.get('requestId') ?? randomUUID(), options.log))
  return app
}

/** sts:GetCallerIdentity, or the refusal of what this host does not have. */
async function answerOther(c: Context, callerOf: (c: Context) => Caller, log: ApiLog): Promise<Response> {
  const requestId = randomUUID()
  const query = await queryRequest(c)
  if (query !== undefined && isSts(query)) return responseOf(answerSts(query, () => identityOf(callerOf(c)), requestId))
  const service = otherService(c, query)
  if (service !== undefined) return responseOf(refuseService(c, service, { reached: hostOf(c), query, requestId }))
  const message = `There is no operation ${c.req.method} ${c.req.path.slice(0, 200)} in the Lambda API 2015-03-31.`
  return renderError(new LambdaException('UnknownOperationException', message), requestId, log)
}

function hostOf(c: Context): string {
  return `Hearth at ${(c.req.header('host') ?? new URL(c.req.url).host).slice(0, 253)}`
}
