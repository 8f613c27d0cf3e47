/** The statement that AddPermission makes of its members. Pure. */

import { refused } from '../refusals.ts'
import { accountPrincipal, type Statement } from './policy.ts'

export interface PermissionInput {
  readonly statementId: string
  readonly action: string
  /** An account, an ARN, a service, or `*`. */
  readonly principal: string
  readonly sourceArn?: string
  readonly sourceAccount?: string
  readonly eventSourceToken?: string
  readonly principalOrgID?: string
  readonly functionUrlAuthType?: string
  readonly invokedViaFunctionUrl?: boolean
}

const ACCOUNT = /^\d{12}$/
const SERVICE = /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)$/
const IDENTITY = /^arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[\w+=,.@/-]+)$/

/**
 * @param resource ARN of the function with the qualifier that the policy belongs to
 * @throws LambdaException InvalidParameterValueException for a principal that is none
 */
export function permissionStatement(input: PermissionInput, resource: string, region: string): Statement {
  const equal = {
    ...(input.sourceAccount ? { 'AWS:SourceAccount': input.sourceAccount } : {}),
    ...(input.eventSourceToken ? { 'lambda:EventSourceToken': input.eventSourceToken } : {}),
    ...(input.functionUrlAuthType ? { 'lambda:FunctionUrlAuthType': input.functionUrlAuthType } : {}),
    ...(input.principalOrgID ? { 'aws:PrincipalOrgID': input.principalOrgID } : {}),
  }
  const condition = {
    ...(Object.keys(equal).length > 0 ? { StringEquals: equal } : {}),
    ...(input.sourceArn ? { ArnLike: { 'AWS:SourceArn': input.sourceArn } } : {}),
    ...(input.invokedViaFunctionUrl ? { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } : {}),
  }
  return {
    Sid: input.statementId,
    Effect: 'Allow',
    Principal: principalOf(input.principal, region),
    Action: input.action,
    Resource: resource,
    ...(Object.keys(condition).length > 0 ? { Condition: condition } : {}),
  }
}

function principalOf(principal: string, region: string): Statement['Principal'] {
  if (principal === '*') return '*'
  if (ACCOUNT.test(principal)) return { AWS: accountPrincipal(principal, region) }
  if (SERVICE.test(principal)) return { Service: principal }
  if (IDENTITY.test(principal)) return { AWS: principal }
  throw refused('The provided principal was invalid. Please check the principal and try again.')
}
