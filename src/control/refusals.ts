/** Refusals that several operations share. */
import { functionArn } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import type { FunctionKey } from '../lambda/function.ts'

export function notFound(key: FunctionKey, qualifier?: string): LambdaException {
  return new LambdaException('ResourceNotFoundException', `Function not found: ${functionArn(key, qualifier)}`)
}

export function refused(message: string): LambdaException {
  return new LambdaException('InvalidParameterValueException', message)
}

/** Changes are made to functions, never to their versions or aliases. @throws LambdaException InvalidParameterValueException */
export function refuseQualifier(qualifier: string | undefined): void {
  if (qualifier === undefined || qualifier === '$LATEST') return
  throw refused(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )
}
