import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../src/lambda/token-bucket.ts'

describe('a token bucket', () => {
  it('gives what it holds at once and then at its rate', () => {
    const bucket = new TokenBucket(2, 3, 0)
    expect([0, 0, 0, 0].map((at) => bucket.take(at))).toEqual([true, true, true, false])
    expect(bucket.take(499)).toBe(false)
    expect(bucket.take(500)).toBe(true)
    expect(bucket.take(500)).toBe(false)
  })

  it('never holds more than its capacity, however long nobody takes', () => {
    const bucket = new TokenBucket(1000, 2, 0)
    expect(bucket.full(1e9)).toBe(true)
    expect([1e9, 1e9, 1e9].map((at) => bucket.take(at))).toEqual([true, true, false])
    expect(bucket.full(1e9)).toBe(false)
  })

  it('neither gives nor takes when the clock is set back', () => {
    const bucket = new TokenBucket(1, 1, 10_000)
    expect(bucket.take(10_000)).toBe(true)
    expect(bucket.take(0)).toBe(false)
    expect(bucket.take(1000)).toBe(true)
  })

  it('remembers what was taken when it is resized', () => {
    const bucket = new TokenBucket(10, 10, 0)
    for (let i = 0; i < 10; i++) bucket.take(0)
    bucket.resize(20, 20, 0)
    for (let i = 0; i < 10; i++) expect(bucket.take(0)).toBe(true)
    expect(bucket.take(0)).toBe(false)
    bucket.resize(1, 1, 0)
    expect(bucket.take(0)).toBe(false)
    expect(bucket.take(1000)).toBe(true)
  })
})
