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
    const permits = new Concurrency(2)
    permits.acquire(f)
    permits.acquire(g)
    expect(reasonOf(() => permits.acquire(f))).toBe('ConcurrentInvocationLimitExceeded')
    permits.release(g)
    expect(reasonOf(() => permits.acquire(f))).toBeUndefined()
    expect(permits.total()).toBe(2)
  })

  it('take a reservation out of what the others share, used or not', () => {
    const permits = new Concurrency(10)
    permits.setReservations('1', 'r', new Map([['f', 8]]))
    permits.acquire(g)
    permits.acquire(g)
    expect(reasonOf(() => permits.acquire(g))).toBe('ConcurrentInvocationLimitExceeded')
    for (let i = 0; i < 8; i++) permits.acquire(f)
    expect(reasonOf(() => permits.acquire(f))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
  })

  it('refuse every invocation of a function with reservation 0', () => {
    const permits = new Concurrency(10)
    permits.setReservations('1', 'r', new Map([['f', 0]]))
    expect(reasonOf(() => permits.acquire(f))).toBe('ReservedFunctionConcurrentInvocationLimitExceeded')
  })

  it('are separate for each account and region', () => {
    const permits = new Concurrency(1)
    permits.acquire(f)
    expect(reasonOf(() => permits.acquire({ ...f, region: 'other' }))).toBeUndefined()
    expect(reasonOf(() => permits.acquire({ ...f, account: '2' }))).toBeUndefined()
  })

  it('stay exact while reservations come and go under running invocations', () => {
    let seed = 42
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return seed % n
    }
    const permits = new Concurrency(20)
    const running: (typeof f)[] = []
    let reserved = new Map<string, number>()
    for (let step = 0; step < 20_000; step++) {
      const key = random(2) === 0 ? f : g
      switch (random(4)) {
        case 0: {
          reserved = new Map(random(2) === 0 ? [] : [[key.name, random(10)]])
          permits.setReservations('1', 'r', reserved)
          break
        }
        case 1: {
          const index = running.findIndex(({ name }) => name === key.name)
          if (index >= 0) permits.release(running.splice(index, 1)[0]!)
          break
        }
        default: {
          const mine = running.filter(({ name }) => name === key.name).length
          const limit = reserved.get(key.name)
          const shared = running.filter(({ name }) => !reserved.has(name)).length
          const left = 20 - [...reserved.values()].reduce((sum, n) => sum + n, 0)
          const allowed = limit === undefined ? shared < left : mine < limit
          expect(reasonOf(() => permits.acquire(key)) === undefined).toBe(allowed)
          if (allowed) running.push(key)
        }
      }
      expect(permits.total()).toBe(running.length)
    }
    for (const key of running) permits.release(key)
    expect(permits.total()).toBe(0)
    expect(() => permits.release(f)).toThrow('released twice')
  })
})
