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

/** AWS's text where the kind of the resource has none of its own. */
export function resourceNotFound(): LambdaException {
  return new LambdaException('ResourceNotFoundException', 'The resource you requested does not exist.')
}

export function aliasNotFound(key: FunctionKey, name: string): LambdaException {
  return new LambdaException('ResourceNotFoundException', `Cannot find alias arn: ${functionArn(key, name)}`)
}

/** What the operations on EventInvokeConfigs say instead. */
export function functionMissing(): LambdaException {
  return new LambdaException('ResourceNotFoundException', "The function doesn't exist.")
}

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
