/** Refusals that the store makes itself, inside the transaction that would otherwise write. */
import { functionArn } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import type { VersionRow } from './rows.ts'

/**
 * @param operation the one that tells the RevisionId, as AWS's text names it
 * @throws LambdaException PreconditionFailedException
 */
export function checkRevision(given: string | undefined, current: string, operation = 'GetFunction/GetAlias'): void {
  if (given === undefined || given === current) return
  throw new LambdaException(
    'PreconditionFailedException',
    `The Revision Id provided does not match the latest Revision Id. Call the ${operation} API to retrieve the latest Revision Id`,
  )
}

/** @throws LambdaException ResourceConflictException while the function is being created or updated. */
export function checkSettled(key: FunctionKey, latest: VersionRow): void {
  if (latest.state === 'Pending') {
    throw new LambdaException(
      'ResourceConflictException',
      `The operation cannot be performed at this time. The resource ${functionArn(key)} is currently in the following state: 'Pending'. StateReasonCode: '${latest.state_reason_code}'`,
    )
  }
  if (latest.last_update_status === 'InProgress') {
    throw new LambdaException(
      'ResourceConflictException',
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(key)}`,
    )
  }
}
