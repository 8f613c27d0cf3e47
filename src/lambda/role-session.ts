/**
 * Who calls AWS's APIs, as sts:GetCallerIdentity says it. The code inside an execution environment is a session of the function's role; a
 * caller that is known by its access key alone is the account itself.
 */
import { createHash } from 'node:crypto'
import { partitionOf } from './arn.ts'
import type { FunctionVersion } from './function.ts'

/** What the host itself knows of the code inside an environment; nothing of it comes from a request. */
export interface RoleSession {
  readonly account: string
  readonly region: string
  /** ARN of the execution role. */
  readonly role: string
  readonly functionName: string
}

export interface Identity {
  readonly account: string
  readonly arn: string
  readonly userId: string
}

export function roleSession({ account, region, role, name }: FunctionVersion): RoleSession {
  return { account, region, role, functionName: name }
}

export function sessionIdentity(session: RoleSession): Identity {
  const { account, region, role } = session
  // A path belongs to the role's ARN, never to that of its session.
  const roleName = role.slice(role.lastIndexOf('/') + 1)
  const sessionName = sessionNameOf(session.functionName)
  return {
    account,
    arn: `arn:${partitionOf(region)}:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    userId: `${roleId(role)}:${sessionName}`,
  }
}

/** Signatures are not verified: an access key names its account and no person in it. */
export function accountIdentity({ account, region }: { readonly account: string; readonly region: string }): Identity {
  return { account, arn: `arn:${partitionOf(region)}:iam::${account}:root`, userId: account }
}

/** STS takes no name of one character. Recorded: `u@lambda_function`. */
function sessionNameOf(functionName: string): string {
  return functionName.length === 1 ? `${functionName}@lambda_function` : functionName
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Characters after `AROA`. */
const ROLE_ID_LENGTH = 17

/** There are no stored roles whose id could be kept: the same ARN always gives the same id. */
function roleId(role: string): string {
  const digest = createHash('sha256').update(role).digest()
  return `AROA${[...digest.subarray(0, ROLE_ID_LENGTH)].map((byte) => BASE32[byte % 32]).join('')}`
}
