/** Refusals of invocations that exceed a limit (reference: invoke.md 9.3). */
import { LambdaException } from '../lambda/errors.ts'

export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded'
  | 'FunctionInvocationRateLimitExceeded'
  | 'ReservedFunctionInvocationRateLimitExceeded'

/** Refusals of a rate say when to come back. Those of concurrency do not (recorded): nobody knows when an invocation ends. */
export function throttled(reason: ThrottleReason): LambdaException {
  const rate = reason.endsWith('InvocationRateLimitExceeded')
  return new LambdaException('TooManyRequestsException', 'Rate Exceeded.', {
    members: { Reason: reason },
    ...(rate ? { headers: { 'Retry-After': '1' } } : {}),
  })
}
