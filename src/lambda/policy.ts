/**
 * Resource policies: statements as AWS writes them, and what they allow. Pure.
 *
 * A caller is known by its account alone: the host has no users, roles or organizations. A statement that asks for one of those, or for
 * a condition whose key a call does not carry, therefore allows nothing.
 */
import { functionArn, partitionOf } from './arn.ts'
import type { FunctionKey } from './function.ts'
import { conditionsHold } from './policy-condition.ts'
import { matchesWildcard } from './wildcard.ts'

type OneOrMany = string | readonly string[]

/** The JSON of one statement. */
export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow'
  readonly Principal: '*' | Readonly<Record<string, OneOrMany>>
  readonly Action: OneOrMany
  readonly Resource: OneOrMany
  /** Operator to key to values. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany>>>>
}

/** One call, as policies see it. */
export interface PolicyRequest {
  /** Account of the caller. */
  readonly account: string
  /** e.g. `lambda:InvokeFunction` */
  readonly action: string
  /** ARN of the resource with the qualifier whose policy is asked. */
  readonly resource: string
}

/** The document that GetPolicy and GetLayerVersionPolicy show. */
export function policyDocument(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: statements })
}

export function accountPrincipal(account: string, region: string): string {
  return `arn:${partitionOf(region)}:iam::${account}:root`
}

export function policyAllows(statements: readonly Statement[] | undefined, request: PolicyRequest): boolean {
  if (statements === undefined) return false
  return statements.some(
    (statement) =>
      namesCaller(statement.Principal, request.account) &&
      many(statement.Action).some((action) => matchesWildcard(action.toLowerCase(), request.action.toLowerCase())) &&
      many(statement.Resource).some((resource) => matchesWildcard(resource, request.resource)) &&
      conditionsHold(statement.Condition, { 'aws:principalaccount': request.account }),
  )
}

function namesCaller(principal: Statement['Principal'], account: string): boolean {
  if (principal === '*') return true
  return many(principal.AWS ?? []).some(
    (one) => one === '*' || one === account || /^arn:aws[a-z-]*:iam::(\d{12}):root$/.exec(one)?.[1] === account,
  )
}

export function many(value: OneOrMany): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

/** The ARN that statements about a function name: policies of `$LATEST` are those of the unqualified function. */
export function policyResource(key: FunctionKey, qualifier: string | undefined): string {
  return functionArn(key, qualifier === '$LATEST' ? undefined : qualifier)
}
