import { describe, expect, it } from 'vitest'
import { type AttemptOutcome, backoffMs, decide, RETRY_TIMING } from '../../../../src/lambda/events/event-invoke.ts'

const fresh = { enqueuedAt: 0, retries: 0, postponements: 0 }
const at = (now: number, outcome: AttemptOutcome, rules = {}, event = fresh) =>
  decide(event, outcome, rules, RETRY_TIMING, now)

describe('an event whose function failed', () => {
  it('runs again after one minute, then after two, and ends after the third attempt', () => {
    expect(at(5000, 'function-error')).toEqual({ kind: 'again', at: 65_000, spends: true })
    expect(at(70_000, 'function-error', {}, { ...fresh, retries: 1 })).toEqual({
      kind: 'again',
      at: 190_000,
      spends: true,
    })
    expect(at(200_000, 'function-error', {}, { ...fresh, retries: 2 })).toEqual({
      kind: 'end',
      condition: 'RetriesExhausted',
    })
  })

  it.each([0, 1, 2])('is retried %i times where MaximumRetryAttempts says so', (maximumRetryAttempts) => {
    for (let retries = 0; retries <= 2; retries++) {
      const { kind } = at(1, 'function-error', { maximumRetryAttempts }, { ...fresh, retries })
      expect(kind).toBe(retries < maximumRetryAttempts ? 'again' : 'end')
    }
  })

  it('ends at once when the next attempt would come after MaximumEventAge', () => {
    const rules = { maximumEventAge: 60 }
    expect(at(0, 'function-error', rules)).toEqual({ kind: 'again', at: 60_000, spends: true })
    expect(at(1, 'function-error', rules)).toEqual({ kind: 'end', condition: 'EventAgeExceeded' })
  })

  it('keeps its retries whatever throttles come in between', () => {
    const event = { ...fresh, retries: 1, postponements: 40 }
    expect(at(0, 'function-error', {}, event)).toMatchObject({ kind: 'again', at: 120_000 })
  })
})

describe('an event that was throttled or met a failure of the platform', () => {
  it('is put off for 1 second, doubled each time up to 5 minutes, and spends no retry', () => {
    const delays = Array.from({ length: 12 }, (_, postponements) => {
      const decision = at(0, 'postponed', { maximumRetryAttempts: 0 }, { ...fresh, postponements })
      if (decision.kind !== 'again') throw new Error('it ended')
      expect(decision.spends).toBe(false)
      return decision.at / 1000
    })
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    expect(backoffMs(10_000, RETRY_TIMING)).toBe(300_000)
  })

  it('lives for six hours by default and for MaximumEventAge where that is set', () => {
    const late = { ...fresh, postponements: 9 }
    expect(at(21_300_000, 'postponed', {}, late)).toMatchObject({ kind: 'again' })
    expect(at(21_300_001, 'postponed', {}, late)).toEqual({ kind: 'end', condition: 'EventAgeExceeded' })
    expect(at(59_001, 'postponed', { maximumEventAge: 60 })).toEqual({ kind: 'end', condition: 'EventAgeExceeded' })
  })
})

it.each([
  ['success', 'Success'],
  ['zero-reserved', 'ZeroReservedConcurrency'],
  ['recursive', 'RecursiveInvocation'],
  ['no-target', 'RetriesExhausted'],
] as const)('an attempt that ended as %s ends the event with %s', (outcome, condition) => {
  expect(at(0, outcome)).toEqual({ kind: 'end', condition })
})

it('an event lives through its whole schedule on shortened delays', () => {
  const timing = { retryDelaysMs: [10, 20], backoffBaseMs: 1 }
  const event = { ...fresh }
  const times: number[] = []
  for (let now = 0; ; ) {
    times.push(now)
    const decision = decide(event, 'function-error', {}, timing, now)
    if (decision.kind === 'end') break
    event.retries++
    now = decision.at
  }
  expect(times).toEqual([0, 10, 30])
})
