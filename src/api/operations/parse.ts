/** One request of the control plane as an operation reads it, after it was checked against the service model. */
import type { Context } from 'hono'
import type { Requests } from '../../control/requests.ts'
import { type FunctionNamePattern, type NamedFunction, resolveFunctionName } from '../../lambda/arn.ts'
import type { Caller } from '../http/caller.ts'
import { readBody } from './read.ts'

export class OperationRequest {
  readonly c: Context
  readonly caller: Caller
  /** Name of the operation, e.g. `CreateFunction`; `lambda:CreateFunction` is its IAM action. */
  readonly operation: string
  /** The resource policy of the function that the request names, one of another account, allows the operation. */
  readonly granted: boolean
  readonly #json: unknown

  constructor(c: Context, caller: Caller, operation: string, json: unknown, granted = false) {
    this.c = c
    this.caller = caller
    this.operation = operation
    this.#json = json
    this.granted = granted
  }

  /** The body of the operation's request. */
  body<Name extends keyof Requests>(operation: Name): Requests[Name] {
    return readBody(operation, this.#json)
  }

  path(label: string): string {
    return this.c.req.param(label) ?? ''
  }

  query(name: string): string | undefined {
    return this.c.req.query(name)
  }

  /** A query member that may be repeated. */
  queryList(name: string): readonly string[] {
    return this.c.req.queries(name) ?? []
  }

  page(): { readonly marker: string | undefined; readonly maxItems: number | undefined } {
    const maxItems = this.query('MaxItems')
    return { marker: this.query('Marker'), maxItems: maxItems === undefined ? undefined : Number(maxItems) }
  }

  /**
   * The function that the request names.
   * @param name where it is not the path's
   * @throws LambdaException see `resolveFunctionName`
   */
  function(pattern: FunctionNamePattern, name = this.path('name')): NamedFunction {
    return this.#resolve(pattern, name, this.query('Qualifier'))
  }

  /** The function, version or alias that an ARN names. @throws LambdaException see `resolveFunctionName` */
  functionOf(arn: string): NamedFunction {
    return this.#resolve('invoke', arn, undefined)
  }

  #resolve(pattern: FunctionNamePattern, name: string, qualifier: string | undefined): NamedFunction {
    const action = `lambda:${this.operation}`
    return resolveFunctionName(name, qualifier, this.caller, { pattern, action, granted: this.granted })
  }
}
