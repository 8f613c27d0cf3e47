/** Refusals that several layers share, in AWS's words. */
import { functionArn } from './arn.ts'
import { type ExceptionDetail, LambdaException } from './errors.ts'
import type { FunctionKey } from './function.ts'

export function refused(message: string, detail?: ExceptionDetail): LambdaException {
  return new LambdaException('InvalidParameterValueException', message, detail)
}

export function functionNotFound(key: FunctionKey, qualifier?: string): LambdaException {
  return new LambdaException('ResourceNotFoundException', `Function not found: ${functionArn(key, qualifier)}`)
}

export function aliasNotFound(key: FunctionKey, name: string): LambdaException {
  return new LambdaException('ResourceNotFoundException', `Cannot find alias arn: ${functionArn(key, name)}`)
}
