/** Refusals that several operations share. */
import { refused } from '../lambda/refusals.ts'

/** Changes are made to functions, never to their versions or aliases. @throws LambdaException InvalidParameterValueException */
export function refuseQualifier(qualifier: string | undefined): void {
  if (qualifier === undefined || qualifier === '$LATEST') return
  throw refused(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )
}
