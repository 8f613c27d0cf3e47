/** Operations of a table as routes: from a request to the check against the service model, to the handler, to its answer. */
import { randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { LambdaException } from '../../lambda/errors.ts'
import { refuseViolations } from '../../lambda/validation.ts'
import type { Caller } from '../http/caller.ts'
import type { Uploads } from '../http/uploads.ts'
import { hasBlobBody, inputViolations, type RequestMembers } from '../model/check.ts'
import { OperationRequest } from './parse.ts'
import type { Services } from './services.ts'
import type { Operation } from './table.ts'

export interface ApiVariables {
  /** Given to the answer as x-amzn-RequestId, in refusals too. */
  requestId: string
}

/** What a door decides about its requests. */
export interface RouterOptions {
  readonly operations: readonly Operation[]
  readonly services: Services
  readonly uploads: Uploads
  /** @throws LambdaException when nobody may be behind the request */
  readonly caller: (c: Context) => Caller
  /**
   * Asked when the request is well-formed and before the handler runs. Gives whether a policy lets the caller work on the function of another
   * account that the request names.
   * @throws LambdaException when the door does not let the request through
   */
  readonly admit: (operation: Operation, c: Context, caller: Caller, json: unknown) => Promise<boolean>
}

// biome-ignore lint/suspicious/noExplicitAny: bindings differ from door to door and are no business of the operations
type Routed = Hono<any>

export function routeOperations(app: Routed, options: RouterOptions): void {
  for (const operations of byRoute(options.operations)) {
    const { method, path } = operations[0]
    app.on(method, routePath(path), async (c) => {
      const requestId = randomUUID()
      c.set('requestId', requestId)
      const operation = choose(operations, c)
      return answer(await handle(operation, c, options), operation.status, requestId)
    })
  }
}

async function handle(operation: Operation, c: Context, options: RouterOptions): Promise<object | undefined> {
  const caller = options.caller(c)
  const hasBody = (operation.method === 'POST' || operation.method === 'PUT') && !hasBlobBody(operation.name)
  const work = (json: unknown) => execute(operation, c, caller, json, options)
  return hasBody ? options.uploads.run(c, operation.name, work) : work({})
}

async function execute(
  operation: Operation,
  c: Context,
  caller: Caller,
  json: unknown,
  { services, admit }: RouterOptions,
): Promise<object | undefined> {
  refuseViolations(inputViolations(operation.name, membersOf(c, json)))
  if (operation.handle === undefined) {
    throw new LambdaException('UnknownOperationException', `${operation.name}: ${operation.refused}`)
  }
  const granted = await admit(operation, c, caller, json)
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
export function routePath(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_, label: string) => `:${parameter(label)}`)
}
