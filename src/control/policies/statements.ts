/** Statements added to and taken from a policy, with AWS's refusals; the same for functions and layer versions. */
import { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { policyDocument, type Statement } from '../../lambda/policy/policy.ts'

/** @throws LambdaException ResourceConflictException, PolicyLengthExceededException */
export function withStatement(statements: readonly Statement[], added: Statement): readonly Statement[] {
  if (statements.some(({ Sid }) => Sid === added.Sid)) {
    throw new LambdaException(
      'ResourceConflictException',
      `The statement id (${added.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    )
  }
  return checkPolicyLength([...statements, added])
}

/** @throws LambdaException ResourceNotFoundException */
export function withoutStatement(statements: readonly Statement[], sid: string): readonly Statement[] {
  if (statements.length === 0) throw noPolicy()
  const left = statements.filter(({ Sid }) => Sid !== sid)
  if (left.length < statements.length) return left
  throw new LambdaException('ResourceNotFoundException', `Statement ${sid} is not found in resource policy.`)
}

/** @throws LambdaException PolicyLengthExceededException */
export function checkPolicyLength(statements: readonly Statement[]): readonly Statement[] {
  const bytes = Buffer.byteLength(policyDocument(statements))
  if (bytes <= LIMITS.policyBytes) return statements
  throw new LambdaException(
    'PolicyLengthExceededException',
    `The final policy size (${bytes}) is bigger than the limit (${LIMITS.policyBytes}).`,
  )
}

export function noPolicy(): LambdaException {
  return new LambdaException('ResourceNotFoundException', 'No policy is associated with the given resource.')
}
