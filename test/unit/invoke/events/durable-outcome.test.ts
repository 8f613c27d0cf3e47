import { expect, it } from 'vitest'
import { storeOutcome } from '../../../../src/invoke/events/durable-outcome.ts'
import { until } from '../../../support/until.ts'

const full = () => Promise.reject(new Error('disk full'))

it('an outcome that cannot be stored is tried again, and what is lost then is only given back', async () => {
  const calls: string[] = []
  const failures: unknown[] = []
  await storeOutcome({
    store: () => {
      calls.push('store')
      return full()
    },
    giveBack: async () => {
      calls.push('give back')
      if (calls.length < 9) await full()
    },
    failed: (error) => failures.push(error),
    backoffBaseMs: 0,
    stop: new AbortController().signal,
  })
  expect(calls).toEqual([...Array.from({ length: 6 }, () => 'store'), 'give back', 'give back', 'give back'])
  expect(failures).toHaveLength(1)
})

it('a stop ends the pause with one more try, and after it nothing is tried', async () => {
  const stop = new AbortController()
  let tries = 0
  const stored = storeOutcome({
    store: () => {
      tries++
      return full()
    },
    giveBack: full,
    failed: () => {},
    backoffBaseMs: 60_000,
    stop: stop.signal,
  })
  await until(() => tries === 1)
  stop.abort()
  await stored
  expect(tries).toBe(2)
})
