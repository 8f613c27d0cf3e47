import { beforeEach, describe, expect, it } from 'vitest'
import { DiskPace } from '../../../../src/store/sqlite/disk-pace.ts'

describe('the pace of a disk', () => {
  let pace: DiskPace
  let now: number

  beforeEach(() => {
    pace = new DiskPace()
    now = 1000
  })

  /** What the event loop does when there is a flush: it waits for it, if the disk is taken for quick. */
  function flushes(times: number, ms: (i: number) => number): number {
    let waited = 0
    for (let i = 0; i < times; i++, now += 1) {
      if (!pace.isQuick(now)) continue
      waited++
      now += ms(i)
      pace.took(ms(i), now)
    }
    return waited
  }

  it('is waited for while it is quick, for all its hiccups', () => {
    expect(flushes(1000, (i) => (i % 50 === 49 ? 20 : 0.2))).toBe(1000)
  })

  it('is not waited for when it is slow, but tried at times: for a fiftieth of the time', () => {
    const waited = flushes(10_000, () => 5)
    expect(waited).toBeGreaterThan(1)
    expect(waited * 5).toBeLessThanOrEqual((now - 1000) / 50 + 5)
  })

  it('is waited for again when it has become quick', () => {
    flushes(1000, () => 5)
    flushes(1000, () => 0.2)
    expect(flushes(100, () => 0.2)).toBe(100)
  })
})
