/** Refusals that several operations share. */
import { refused } from '../lambda/refusals.ts'

/** Changes are made to functions, never to their versions or aliases. @throws LambdaException InvalidParameterValueException */
export function refuseQualifier(qualifier: string | undefined): void {
  if (qualifier !== '$LATEST') refuseAnyQualifier(qualifier)
}

/** Concurrency is the whole function's: `$LATEST` is refused, too (recorded). @throws LambdaException InvalidParameterValueException */
export function refuseAnyQualifier(qualifier: string | undefined): void {
  if (qualifier === undefined) return
  throw refused(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )
}
