/** The Lambda API as one HTTP handler. Routes come from the table of operations; the invoke route stands before all of them. */
import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { ControlPlane } from '../control/control-plane.ts'
import { LambdaException } from '../lambda/errors.ts'
import { refuseViolations } from '../lambda/validation.ts'
import { CODE_PATH, CodeLocation, type CodeLocationOptions } from './admin/code-location.ts'
import { grantedToOther } from './cross-account.ts'
import { EARLIER_OPERATIONS, refusalOf } from './earlier-api.ts'
import { type Caller, type CallerOptions, Callers } from './http/caller.ts'
import { type ApiLog, renderError } from './http/errors.ts'
import { responseOf } from './http/http-answer.ts'
import { Uploads } from './http/uploads.ts'
import type { InvokeHandler } from './invoke/invoke.ts'
import { invokeCallOf } from './invoke/invoke-call.ts'
import { hasBlobBody, inputViolations, type RequestMembers } from './model/check.ts'
import { OperationRequest } from './operations/parse.ts'
import type { Services } from './operations/services.ts'
import { OPERATIONS, type Operation } from './operations/table.ts'
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
  readonly codeLocation: CodeLocationOptions
  readonly log: ApiLog
}

/**
 * Bindings that whoever calls `fetch` may give: `app.fetch(request, { caller })` answers as that account and region whatever the request
 * says. Calls from inside a sandbox come this way.
 */
export interface ApiBindings {
  readonly caller?: Caller
}

export interface ApiVariables {
  /** Given to the answer as x-amzn-RequestId, in refusals too. */
  requestId: string
}

export type Api = Hono<{ Bindings: ApiBindings; Variables: ApiVariables }>

export function createApi(options: ApiOptions): Api {
  // Older SDKs end some paths with a slash: not strict means that it does not matter.
  const app: Api = new Hono<{ Bindings: ApiBindings; Variables: ApiVariables }>({ strict: false })
  const callers = new Callers(options.caller)
  const codeLocation = new CodeLocation(options.codeLocation)
  const uploads = new Uploads()
  const services: Services = { control: options.control, codeLocation }

  const callerOf = (c: Context): Caller => {
    const forced = (c.env as ApiBindings | undefined)?.caller
    if (forced !== undefined) return forced
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

  for (const operations of byRoute(OPERATIONS)) {
    const { method, path } = operations[0]
    app.on(method, routePath(path), async (c) => {
      const context = c as unknown as Context
      const requestId = randomUUID()
      c.set('requestId', requestId)
      const operation = choose(operations, context)
      return answer(await handle(operation, context, callerOf(context), services, uploads), operation.status, requestId)
    })
  }
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

  app.notFound((c) =>
    renderError(
      new LambdaException(
        'UnknownOperationException',
        `There is no operation ${c.req.method} ${c.req.path.slice(0, 200)} in the Lambda API 2015-03-31.`,
      ),
      randomUUID(),
      options.log,
    ),
  )
  app.onError((error, c) => renderError(error, c.get('requestId') ?? randomUUID(), options.log))
  return app
}

async function handle(
  operation: Operation,
  c: Context,
  caller: Caller,
  services: Services,
  uploads: Uploads,
): Promise<object | undefined> {
  const hasBody = (operation.method === 'POST' || operation.method === 'PUT') && !hasBlobBody(operation.name)
  const work = (json: unknown) => execute(operation, c, caller, services, json)
  return hasBody ? uploads.run(c, operation.name, work) : work({})
}

async function execute(
  operation: Operation,
  c: Context,
  caller: Caller,
  services: Services,
  json: unknown,
): Promise<object | undefined> {
  refuseViolations(inputViolations(operation.name, membersOf(c, json)))
  if (operation.handle === undefined) {
    throw new LambdaException('UnknownOperationException', `${operation.name}: ${operation.refused}`)
  }
  const granted = await grantedToOther(operation.name, c, caller, services.control.permissions)
  return operation.handle(new OperationRequest(c, caller, operation.name, json, granted), services)
}

function answer(body: object | undefined, status: number, requestId: string): Response {
  if (body === undefined) return new Response(null, { status, headers: { 'x-amzn-RequestId': requestId } })
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'x-amzn-RequestId': requestId },
  })
}

/** Operations by method and path: a few share both and differ in the query. */
function byRoute(operations: readonly Operation[]): [Operation, ...Operation[]][] {
  const routes = new Map<string, [Operation, ...Operation[]]>()
  for (const operation of operations) {
    if (operation.invoke) continue
    const route = `${operation.method} ${operation.path}`
    const known = routes.get(route)
    if (known) known.push(operation)
    else routes.set(route, [operation])
  }
  return [...routes.values()]
}

function choose(operations: readonly [Operation, ...Operation[]], c: Context): Operation {
  const told = operations.find(({ query }) => query !== undefined && c.req.query(query[0]) === query[1])
  return told ?? operations.find(({ query }) => query === undefined) ?? operations[0]
}

function membersOf(c: Context, body: unknown): RequestMembers {
  return {
    body,
    path: (label) => c.req.param(parameter(label)),
    query: (name) => c.req.queries(name),
    header: (name) => c.req.header(name),
  }
}

/** Names of path parameters that are not the label with a small letter. */
const PARAMETERS: Readonly<Record<string, string>> = { FunctionName: 'name', Name: 'alias' }

const parameter = (label: string) => PARAMETERS[label] ?? `${label[0]?.toLowerCase()}${label.slice(1)}`

/** `/functions/{FunctionName}` to `/functions/:name` */
function routePath(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_, label: string) => `:${parameter(label)}`)
}
