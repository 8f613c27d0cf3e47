import { describe, expect, it } from 'vitest'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import type { LambdaException } from '../../../src/lambda/errors.ts'

const f = { account: '1', region: 'r', name: 'f' }
const g = { account: '1', region: 'r', name: 'g' }

function reasonOf(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as LambdaException).detail.members?.Reason
  }
}

describe('permits', () => {
  it('never exceed the account limit and come back when released', () => {
    const permits = new Concurrency({ accountLimit: 2 })
    permits.acquire(f, '1', false)
    permits.acquire(g, '1', false)
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ConcurrentInvocationLimitExceeded')
    permits.release(g, '1')
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBeUndefined()
    expect(permits.total()).toBe(2)
  })

  it('take a reservation out of what the others share, used or not', () => {
    const permits = new Concurrency({ accountLimit: 10 })
    permits.setLimits('1', 'r', { reserved: new Map([['f', 8]]), provisioned: new Map() })
    permits.acquire(g, '1', false)
    permits.acquire(g, '1', false)
    expect(reasonOf(() => permits.acquire(g, '1', false))).toBe('ConcurrentInvocationLimitExceeded')
    for (let i = 0; i < 8; i++) permits.acquire(f, '1', false)
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
  })

  it('refuse every invocation of a function with reservation 0', () => {
    const permits = new Concurrency({ accountLimit: 10 })
    permits.setLimits('1', 'r', { reserved: new Map([['f', 0]]), provisioned: new Map() })
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
  })

  it('are separate for each account and region', () => {
    const permits = new Concurrency({ accountLimit: 1 })
    permits.acquire(f, '1', false)
    expect(reasonOf(() => permits.acquire({ ...f, region: 'other' }, '1', false))).toBeUndefined()
    expect(reasonOf(() => permits.acquire({ ...f, account: '2' }, '1', false))).toBeUndefined()
  })

  it('stay exact while reservations come and go under running invocations', () => {
    let seed = 42
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return seed % n
    }
    const permits = new Concurrency({ accountLimit: 20 })
    const running: (typeof f)[] = []
    let reserved = new Map<string, number>()
    for (let step = 0; step < 20_000; step++) {
      const key = random(2) === 0 ? f : g
      switch (random(4)) {
        case 0: {
          reserved = new Map(random(2) === 0 ? [] : [[key.name, random(10)]])
          permits.setLimits('1', 'r', { reserved: reserved, provisioned: new Map() })
          break
        }
        case 1: {
          const index = running.findIndex(({ name }) => name === key.name)
          if (index >= 0) permits.release(running.splice(index, 1)[0]!, '1')
          break
        }
        default: {
          const mine = running.filter(({ name }) => name === key.name).length
          const limit = reserved.get(key.name)
          const shared = running.filter(({ name }) => !reserved.has(name)).length
          const left = 20 - [...reserved.values()].reduce((sum, n) => sum + n, 0)
          const allowed = running.length < 20 && (limit === undefined ? shared < left : mine < limit)
          expect(reasonOf(() => permits.acquire(key, '1', false)) === undefined).toBe(allowed)
          if (allowed) running.push(key)
        }
      }
      expect(permits.total()).toBe(running.length)
    }
    for (const key of running) permits.release(key, '1')
    expect(permits.total()).toBe(0)
    expect(() => permits.release(f, '1')).toThrow('released twice')
  })
})

describe('provisioned concurrency', () => {
  const limits = (reserved: [string, number][], provisioned: [string, Record<string, number>][]) => ({
    reserved: new Map(reserved),
    provisioned: new Map(provisioned.map(([name, versions]) => [name, new Map(Object.entries(versions))])),
  })

  it('is taken out of what functions without a reservation share, and used first', () => {
    const permits = new Concurrency({ accountLimit: 5 })
    permits.setLimits('1', 'r', limits([], [['f', { 1: 2 }]]))
    for (let i = 0; i < 3; i++) permits.acquire(g, '1', false)
    expect(reasonOf(() => permits.acquire(g, '1', false))).toBe('ConcurrentInvocationLimitExceeded')
    permits.acquire(f, '1', false)
    permits.acquire(f, '1', false)
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ConcurrentInvocationLimitExceeded')
    expect(permits.provisioned(f, '1')).toBe(true)
    expect(permits.provisioned(f, '2')).toBe(false)
  })

  it('spills over into what is left of the account', () => {
    const permits = new Concurrency({ accountLimit: 5 })
    permits.setLimits('1', 'r', limits([], [['f', { 1: 2 }]]))
    for (let i = 0; i < 5; i++) permits.acquire(f, '1', false)
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ConcurrentInvocationLimitExceeded')
  })

  it('lies within a reservation: what is left of it runs on demand, $LATEST gets nothing when nothing is left', () => {
    const permits = new Concurrency({ accountLimit: 100 })
    permits.setLimits('1', 'r', limits([['f', 3]], [['f', { 1: 2 }]]))
    permits.acquire(f, '$LATEST', false)
    expect(reasonOf(() => permits.acquire(f, '$LATEST', false))).toBe(
      'ReservedFunctionConcurrentInvocationLimitExceeded',
    )
    permits.acquire(f, '1', false)
    permits.acquire(f, '1', false)
    expect(reasonOf(() => permits.acquire(f, '1', false))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
    permits.setLimits('1', 'r', limits([['f', 3]], [['f', { 1: 3 }]]))
    permits.release(f, '$LATEST')
    expect(reasonOf(() => permits.acquire(f, '$LATEST', false))).toBe(
      'ReservedFunctionConcurrentInvocationLimitExceeded',
    )
  })

  it('that moves to another version while invocations run never lets more run than the reservation', () => {
    const permits = new Concurrency({ accountLimit: 100 })
    permits.setLimits('1', 'r', limits([['f', 2]], [['f', { 1: 2 }]]))
    permits.acquire(f, '1', false)
    permits.acquire(f, '1', false)
    permits.setLimits('1', 'r', limits([['f', 2]], [['f', { 2: 2 }]]))
    expect(reasonOf(() => permits.acquire(f, '2', false))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
    permits.release(f, '1')
    expect(reasonOf(() => permits.acquire(f, '2', false))).toBeUndefined()
  })
})

describe('request rates', () => {
  const paced = (accountLimit: number, requestRateFactor = 10) => {
    let now = 0
    const permits = new Concurrency({ accountLimit, requestRateFactor, now: () => now })
    const one = (key = f, version = '1', synchronous = true) =>
      reasonOf(() => {
        permits.acquire(key, version, synchronous)
        permits.release(key, version)
      })
    return { permits, one, pass: (ms: number) => (now += ms) }
  }

  it('are ten synchronous requests per second for each unit of the account, and come back with time', () => {
    const { one, pass } = paced(2)
    for (let i = 0; i < 20; i++) expect(one()).toBeUndefined()
    expect(one(g)).toBe('FunctionInvocationRateLimitExceeded')
    pass(50)
    expect(one()).toBeUndefined()
    expect(one()).toBe('FunctionInvocationRateLimitExceeded')
    pass(60_000)
    for (let i = 0; i < 20; i++) expect(one()).toBeUndefined()
    expect(one()).toBe('FunctionInvocationRateLimitExceeded')
  })

  it('do not count events of the queue, nor requests that are refused for their concurrency', () => {
    const { permits, one } = paced(1, 1)
    for (let i = 0; i < 5; i++) expect(one(f, '1', false)).toBeUndefined()
    permits.acquire(f, '1', false)
    expect(one()).toBe('ConcurrentInvocationLimitExceeded')
    permits.release(f, '1')
    expect(one()).toBeUndefined()
    expect(one()).toBe('FunctionInvocationRateLimitExceeded')
  })

  it('of a reservation are its own, with its own Reason', () => {
    const { permits, one } = paced(10, 10)
    permits.setLimits('1', 'r', { reserved: new Map([['f', 1]]), provisioned: new Map() })
    for (let i = 0; i < 10; i++) expect(one()).toBeUndefined()
    expect(one()).toBe('ReservedFunctionInvocationRateLimitExceeded')
    expect(one(g)).toBeUndefined()
  })

  it('of provisioned concurrency come first; what is beyond counts as on demand', () => {
    const { permits, one } = paced(2, 10)
    permits.setLimits('1', 'r', { reserved: new Map(), provisioned: new Map([['f', new Map([['1', 1]])]]) })
    for (let i = 0; i < 20; i++) expect(one()).toBeUndefined()
    expect(one()).toBe('FunctionInvocationRateLimitExceeded')
  })

  it('answer with Retry-After, unlike limits of concurrency', () => {
    const { permits } = paced(1, 1)
    permits.acquire(f, '1', true)
    expect(() => permits.acquire(f, '1', true)).toThrow(
      expect.objectContaining({ detail: { members: { Reason: 'ConcurrentInvocationLimitExceeded' } } }),
    )
    permits.release(f, '1')
    expect(() => permits.acquire(f, '1', true)).toThrow(
      expect.objectContaining({
        message: 'Rate Exceeded.',
        detail: { members: { Reason: 'FunctionInvocationRateLimitExceeded' }, headers: { 'Retry-After': '1' } },
      }),
    )
  })

  it('can be switched off', () => {
    const { one } = paced(1, 0)
    for (let i = 0; i < 1000; i++) expect(one()).toBeUndefined()
  })
})
