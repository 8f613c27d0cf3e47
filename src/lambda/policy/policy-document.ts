/**
 * A whole policy as PutResourcePolicy gets it. Everything in it must be something that `policy.ts` can evaluate: an element that would be
 * stored and not honoured is refused by name. Pure.
 */
import type { LambdaException } from '../errors.ts'
import { refused } from '../refusals.ts'
import { many, type Statement } from './policy.ts'
import { isOperator } from './policy-condition.ts'
import { matchesWildcard } from './wildcard.ts'

const ACTION = /^(\*|lambda:[a-zA-Z*?]+)$/
const SID = /^[a-zA-Z0-9-_]{1,100}$/
const PRINCIPALS = ['AWS', 'Service', 'Federated']
const STATEMENT = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']

/**
 * @param resource the ARN that the policy is put on; each statement's Resource must cover it
 * @throws LambdaException InvalidParameterValueException that says what is wrong
 */
export function readPolicy(document: string, resource: string): readonly Statement[] {
  let json: unknown
  try {
    json = JSON.parse(document)
  } catch {
    throw invalid('it is not JSON')
  }
  const policy = object(json, 'the policy')
  onlyKnown(policy, ['Version', 'Id', 'Statement'], 'the policy')
  if (policy.Version !== '2012-10-17') throw invalid('its Version must be "2012-10-17"')
  if (policy.Id !== undefined && policy.Id !== 'default') throw invalid('its Id must be "default" or absent')
  const given: unknown[] = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement]
  if (given.length === 0) throw invalid('it has no statement: use DeleteResourcePolicy to remove a policy')
  const statements = given.map((one) => readStatement(one, resource))
  const sids = statements.flatMap(({ Sid }) => (Sid === undefined ? [] : [Sid]))
  if (new Set(sids).size < sids.length) throw invalid('each Sid must be there once')
  return statements
}

function readStatement(json: unknown, resource: string): Statement {
  const statement = object(json, 'a statement')
  onlyKnown(statement, STATEMENT, 'a statement')
  const { Sid, Effect, Principal, Action, Resource, Condition } = statement
  if (Sid !== undefined && (typeof Sid !== 'string' || !SID.test(Sid))) {
    throw invalid('a Sid must be 1 to 100 letters, digits, hyphens and underscores')
  }
  if (Effect !== 'Allow') throw invalid('Effect must be "Allow": Hearth grants, and refuses what nothing grants')
  const actions = texts(Action, 'Action')
  if (!many(actions).every((action) => ACTION.test(action))) throw invalid('an Action must be lambda:… or *')
  const resources = texts(Resource, 'Resource')
  if (!many(resources).every((pattern) => matchesWildcard(pattern, resource))) {
    throw invalid(`each Resource must be ${resource}`)
  }
  return {
    ...(Sid === undefined ? {} : { Sid }),
    Effect,
    Principal: readPrincipal(Principal),
    Action: actions,
    Resource: resources,
    ...(Condition === undefined ? {} : { Condition: readConditions(Condition) }),
  }
}

function readPrincipal(json: unknown): Statement['Principal'] {
  if (json === '*') return '*'
  const principal = object(json, 'a Principal')
  onlyKnown(principal, PRINCIPALS, 'a Principal')
  if (Object.keys(principal).length === 0) throw invalid('a Principal must name somebody')
  return Object.fromEntries(Object.entries(principal).map(([kind, value]) => [kind, texts(value, `Principal.${kind}`)]))
}

function readConditions(json: unknown): NonNullable<Statement['Condition']> {
  const read = Object.entries(object(json, 'a Condition')).map(([operator, keys]) => {
    if (!isOperator(operator)) throw invalid(`the condition operator ${operator} is not supported by Hearth`)
    const values = Object.entries(object(keys, operator)).map(
      ([key, value]) => [key, texts(typeof value === 'boolean' ? String(value) : value, `${operator}.${key}`)] as const,
    )
    return [operator, Object.fromEntries(values)] as const
  })
  return Object.fromEntries(read)
}

function texts(json: unknown, what: string): string | readonly string[] {
  if (typeof json === 'string') return json
  const all = Array.isArray(json) ? json : []
  if (all.length === 0 || !all.every((one) => typeof one === 'string')) {
    throw invalid(`${what} must be a string or a list of strings`)
  }
  return all as string[]
}

function object(json: unknown, what: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(`${what} must be an object`)
  return json as Record<string, unknown>
}

function onlyKnown(json: Record<string, unknown>, known: readonly string[], what: string): void {
  const unknown = Object.keys(json).find((member) => !known.includes(member))
  if (unknown !== undefined) throw invalid(`${what} has the element ${unknown}, which is not supported`)
}

function invalid(why: string): LambdaException {
  return refused(`The policy is invalid: ${why.slice(0, 300)}.`)
}
