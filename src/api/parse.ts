/** One request of the control plane as an operation reads it: members are read first, all their violations together are refused then. */
import type { Context } from 'hono'
import {
  type FunctionNamePattern,
  functionNameViolations,
  type NamedFunction,
  qualifierViolations,
  resolveFunctionName,
} from '../lambda/arn.ts'
import { type NumberConstraint, numberFaults, refuseViolations, violation } from '../lambda/validation.ts'
import type { Caller } from './caller.ts'
import { members } from './inputs.ts'
import type { Shape } from './shapes.ts'

export class OperationRequest {
  readonly c: Context
  readonly caller: Caller
  /** Name of the operation, e.g. `CreateFunction`; `lambda:CreateFunction` is its IAM action. */
  readonly operation: string
  /** The resource policy of the function that the request names, one of another account, allows the operation. */
  readonly granted: boolean
  readonly #json: unknown
  readonly #violations: string[] = []

  constructor(c: Context, caller: Caller, operation: string, json: unknown, granted = false) {
    this.c = c
    this.caller = caller
    this.operation = operation
    this.#json = json
    this.granted = granted
  }

  body<T>(shape: Shape<T>): T {
    return shape.read(this.#json, '', this.#violations)
  }

  path(label: string, shape: Shape<string>, member = label): string {
    return shape.read(this.c.req.param(label) ?? '', member, this.#violations)
  }

  query(name: string, shape: Shape<string>): string | undefined {
    const value = this.c.req.query(name)
    const member = name[0]?.toLowerCase() + name.slice(1)
    return value === undefined ? undefined : shape.read(value, member, this.#violations)
  }

  requiredQuery(name: string, shape: Shape<string>): string {
    const value = this.query(name, shape)
    if (value !== undefined) return value
    this.#violations.push(violation(undefined, name[0]?.toLowerCase() + name.slice(1), 'Member must not be null'))
    return ''
  }

  pathInteger(label: string): number {
    const value = this.c.req.param(label) ?? ''
    if (/^-?\d{1,15}$/.test(value)) return Number(value)
    this.#violations.push(violation(value, label, 'Member must be an integer'))
    return 0
  }

  /** A query member that may be repeated and must be there. */
  queryList(name: string, shape: Shape<string[]>): string[] {
    const values = this.c.req.queries(name)
    if (values !== undefined) return shape.read(values, name, this.#violations)
    this.#violations.push(violation(undefined, name, 'Member must not be null'))
    return []
  }

  page(range: NumberConstraint = members.maxItems): {
    readonly marker: string | undefined
    readonly maxItems: number | undefined
  } {
    const marker = this.c.req.query('Marker')
    const maxItems = this.c.req.query('MaxItems')
    if (maxItems === undefined) return { marker, maxItems: undefined }
    const faults = /^-?\d{1,15}$/.test(maxItems) ? numberFaults(Number(maxItems), range) : ['Member must be an integer']
    this.#violations.push(...faults.map((fault) => violation(maxItems, 'maxItems', fault)))
    return { marker, maxItems: Number(maxItems) }
  }

  /** Refuses what was read so far if anything is wrong with it. @throws LambdaException ValidationException */
  check(): void {
    refuseViolations(this.#violations)
  }

  /**
   * The function that the request names, after everything else was read: the violations of all members are refused together.
   *
   * @param name where it is not the path's
   * @throws LambdaException see `resolveFunctionName`
   */
  function(pattern: FunctionNamePattern, name = this.c.req.param('name') ?? ''): NamedFunction {
    const qualifier = this.c.req.query('Qualifier')
    if (qualifier !== undefined) this.#violations.push(...qualifierViolations(qualifier))
    this.#violations.push(...functionNameViolations(name, pattern))
    this.check()
    const action = `lambda:${this.operation}`
    return resolveFunctionName(name, qualifier, this.caller, { pattern, action, granted: this.granted })
  }
}
