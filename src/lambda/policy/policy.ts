/**
 * Resource policies: statements as AWS writes them, and what they allow. Pure.
 *
 * A caller is an account or a service of this host that acts for somebody. There are no users, roles or organizations yet: a statement
 * that asks for one of those, or for a condition that the host cannot judge, allows nothing.
 */
import { accountRefused, functionArn, partitionOf } from '../arn.ts'
import { LambdaException } from '../errors.ts'
import type { FunctionKey } from '../function.ts'
import { type ConditionContext, type Conditions, conditionsHold } from './policy-condition.ts'
import { matchesWildcard } from './wildcard.ts'

type OneOrMany = string | readonly string[]

/** The JSON of one statement. */
export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal: '*' | Readonly<Record<string, OneOrMany>>
  readonly Action: OneOrMany
  readonly Resource: OneOrMany
  /** Operator to key to values. */
  readonly Condition?: Conditions
}

/** Who makes a call. */
export type Principal =
  | { readonly kind: 'account'; readonly account: string }
  /** What calls functions by itself: a log subscription, a rule, a notification. */
  | {
      readonly kind: 'service'
      /** e.g. `events`, for events.amazonaws.com. */
      readonly service: string
      /** What it acts for: the rule, log group, bucket or topic, and whose that is. */
      readonly sourceArn: string
      readonly sourceAccount: string
    }

/** One call, as policies see it. */
export interface PolicyRequest {
  readonly principal: Principal
  /** e.g. `lambda:InvokeFunction` */
  readonly action: string
  /** ARN of the resource with the qualifier whose policy is asked. */
  readonly resource: string
  /** What only some calls carry. */
  readonly eventSourceToken?: string
  readonly functionUrlAuthType?: 'NONE' | 'AWS_IAM'
  readonly invokedViaFunctionUrl?: boolean
}

/** The document that GetPolicy and GetLayerVersionPolicy show. */
export function policyDocument(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: statements })
}

export function accountPrincipal(account: string, region: string): string {
  return `arn:${partitionOf(region)}:iam::${account}:root`
}

/** Whether a call must be allowed by the policy of the function: all but those of the account that owns it. */
export function needsGrant(caller: Principal, { account }: FunctionKey): boolean {
  return caller.kind === 'service' || caller.account !== account
}

/** The refusal of a call that no policy allows. */
export function callRefused(caller: Principal, action: string, arn: string): LambdaException {
  if (caller.kind === 'account') return accountRefused(caller.account, action, arn)
  return new LambdaException(
    'AccessDeniedException',
    `The service ${caller.service}.amazonaws.com is not authorized to perform: ${action} on resource: ${arn} because no resource-based policy allows the ${action} action for ${caller.sourceArn}`,
  )
}

/**
 * THE decision of a resource policy: whether it allows a call. Some statement must allow it, and none may deny it. A statement counts if
 * it names the caller, the action and the resource, and all its conditions hold. Where a condition has an operator or a key that the host
 * does not know, an Allow does not count and a Deny does.
 *
 * It says nothing about callers who need no grant: the account that owns a function calls it without asking here. A service always asks,
 * for functions of its own account, too. Each part costs time in proportion to the lengths of policy and request.
 */
export function policyAllows(statements: readonly Statement[] | undefined, request: PolicyRequest): boolean {
  const context = contextOf(request)
  let allowed = false
  for (const statement of statements ?? []) {
    if (!concerns(statement, request)) continue
    const holds = conditionsHold(statement.Condition, context)
    if (statement.Effect === 'Deny' && holds !== false) return false
    if (statement.Effect === 'Allow' && holds === true) allowed = true
  }
  return allowed
}

function concerns({ Principal, Action, Resource }: Statement, { principal, action, resource }: PolicyRequest): boolean {
  const wanted = action.toLowerCase()
  return (
    names(Principal, principal, regionOf(resource)) &&
    many(Action).some((one) => matchesWildcard(one.toLowerCase(), wanted)) &&
    many(Resource).some((one) => matchesWildcard(one, resource))
  )
}

/** Everybody is accounts and services alike, as on AWS. @param region of the resource: services are also named with it */
function names(named: Statement['Principal'], principal: Principal, region: string): boolean {
  if (named === '*') return true
  const accounts = many(named.AWS ?? [])
  if (accounts.includes('*')) return true
  if (principal.kind === 'account') {
    const { account } = principal
    return accounts.some((one) => one === account || ROOT.exec(one)?.[1] === account)
  }
  const { service } = principal
  const domains = ['amazonaws.com', 'amazonaws.com.cn']
  const services = domains.flatMap((domain) => [`${service}.${domain}`, `${service}.${region}.${domain}`])
  return many(named.Service ?? []).some((one) => services.includes(one))
}

const ROOT = /^arn:aws[a-z-]*:iam::(\d{12}):root$/

function regionOf(arn: string): string {
  return arn.split(':', 4)[3] ?? ''
}

function contextOf(request: PolicyRequest): ConditionContext {
  const { principal, resource, eventSourceToken, functionUrlAuthType, invokedViaFunctionUrl } = request
  return {
    ...(principal.kind === 'account'
      ? {
          'aws:principalaccount': principal.account,
          'aws:principalarn': accountPrincipal(principal.account, regionOf(resource)),
          'aws:principaltype': 'Account',
          'aws:principalisawsservice': 'false',
        }
      : {
          'aws:principalisawsservice': 'true',
          'aws:principalservicename': `${principal.service}.amazonaws.com`,
          'aws:sourcearn': principal.sourceArn,
          'aws:sourceaccount': principal.sourceAccount,
        }),
    ...(eventSourceToken === undefined ? {} : { 'lambda:eventsourcetoken': eventSourceToken }),
    ...(functionUrlAuthType === undefined ? {} : { 'lambda:functionurlauthtype': functionUrlAuthType }),
    ...(invokedViaFunctionUrl === undefined ? {} : { 'lambda:invokedviafunctionurl': String(invokedViaFunctionUrl) }),
  }
}

export function many(value: OneOrMany): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

/** The ARN that statements about a function name: policies of `$LATEST` are those of the unqualified function. */
export function policyResource(key: FunctionKey, qualifier: string | undefined): string {
  return functionArn(key, qualifier === '$LATEST' ? undefined : qualifier)
}
