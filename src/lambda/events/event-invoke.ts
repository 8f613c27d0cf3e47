/**
 * What becomes of an asynchronous event after an attempt: pure decisions on the time that the caller gives.
 * Rules: developer guide, "Error handling for asynchronous invocation" (reference: execution-model.md 8).
 */
import { LIMITS } from '../limits.ts'

/** As PutFunctionEventInvokeConfig stores it for a function, version or alias; what is absent has AWS's default. */
export interface EventInvokeConfig {
  /** 0–2. */
  readonly maximumRetryAttempts?: number
  /** Seconds, 60–21600. */
  readonly maximumEventAge?: number
  /** ARNs; absent: none. */
  readonly onSuccess?: string
  readonly onFailure?: string
  /** Unix milliseconds. */
  readonly lastModified: number
}

/** Pace of retries; shortened for lessons and tests. */
export interface RetryTiming {
  /** Milliseconds before the second and the third attempt after function errors; the last one serves for more. */
  readonly retryDelaysMs: readonly number[]
  /** Milliseconds of the first delay after a throttle or a failure of the platform; doubled each time. */
  readonly backoffBaseMs: number
}

/** Source: developer guide: 1 and 2 minutes, 1 second to 5 minutes. */
export const RETRY_TIMING: RetryTiming = { retryDelaysMs: [60_000, 120_000], backoffBaseMs: 1000 }
export const BACKOFF_MAX_MS = 300_000

export type EventCondition =
  | 'Success'
  | 'RetriesExhausted'
  | 'EventAgeExceeded'
  | 'ZeroReservedConcurrency'
  // AWS names no condition for an event that recursion detection stopped; this one is ours (ADR 11).
  | 'RecursiveInvocation'

export type AttemptOutcome =
  | 'success'
  | 'function-error'
  /** 429 or 5xx: the function did not run, or its outcome is unknown. */
  | 'postponed'
  | 'zero-reserved'
  | 'recursive'
  /** The version or alias that the event names does not exist any more. */
  | 'no-target'

export interface EventHistory {
  /** Unix milliseconds. */
  readonly enqueuedAt: number
  /** Attempts that ended with a function error and were followed by a retry. */
  readonly retries: number
  /** Attempts that were put off without spending a retry. */
  readonly postponements: number
}

export type EventDecision =
  | { readonly kind: 'end'; readonly condition: EventCondition }
  /** `spends`: whether it uses up one of MaximumRetryAttempts. */
  | { readonly kind: 'again'; readonly at: number; readonly spends: boolean }

type Rules = Pick<EventInvokeConfig, 'maximumRetryAttempts' | 'maximumEventAge'>

/** Whether an event may not run any more, whatever the outcome would be. */
export function isTooOld(enqueuedAt: number, rules: Rules, now: number): boolean {
  return now - enqueuedAt > maximumAgeMs(rules)
}

export function decide(
  event: EventHistory,
  outcome: AttemptOutcome,
  rules: Rules,
  timing: RetryTiming,
  now: number,
): EventDecision {
  switch (outcome) {
    case 'success':
      return { kind: 'end', condition: 'Success' }
    case 'zero-reserved':
      return { kind: 'end', condition: 'ZeroReservedConcurrency' }
    case 'recursive':
      return { kind: 'end', condition: 'RecursiveInvocation' }
    case 'no-target':
      return { kind: 'end', condition: 'RetriesExhausted' }
    case 'function-error': {
      const allowed = rules.maximumRetryAttempts ?? LIMITS.eventRetries.default
      if (event.retries >= allowed) return { kind: 'end', condition: 'RetriesExhausted' }
      const delays = timing.retryDelaysMs
      return again(event, rules, now + (delays[Math.min(event.retries, delays.length - 1)] ?? 0), true)
    }
    case 'postponed':
      return again(event, rules, now + backoffMs(event.postponements, timing), false)
  }
}

/** Looks ahead: an attempt that would come too late ends the event now instead of then. */
function again(event: EventHistory, rules: Rules, at: number, spends: boolean): EventDecision {
  if (isTooOld(event.enqueuedAt, rules, at)) return { kind: 'end', condition: 'EventAgeExceeded' }
  return { kind: 'again', at, spends }
}

/** Milliseconds: the base, doubled with each earlier failure, at most 5 minutes. */
export function backoffMs(failures: number, { backoffBaseMs }: Pick<RetryTiming, 'backoffBaseMs'>): number {
  return Math.min(BACKOFF_MAX_MS, backoffBaseMs * 2 ** Math.min(failures, 30))
}

function maximumAgeMs(rules: Rules): number {
  return (rules.maximumEventAge ?? LIMITS.eventAgeS.default) * 1000
}
