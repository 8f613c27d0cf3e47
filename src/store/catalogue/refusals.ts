/** Refusals that the store makes itself, inside the transaction that would otherwise write. */
import { functionArn } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import type { VersionRow } from './rows.ts'

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
