/** Refusals of invocations that exceed a limit (reference: invoke.md 9.3). */
import { LambdaException } from '../lambda/errors.ts'

export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded'
  | 'FunctionInvocationRateLimitExceeded'
  | 'ReservedFunctionInvocationRateLimitExceeded'

export function throttled(reason: ThrottleReason): LambdaException {
  return new LambdaException('TooManyRequestsException', 'Rate Exceeded.', {
    members: { Reason: reason },
    headers: { 'Retry-After': '1' },
  })
}
