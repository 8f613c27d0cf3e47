import { describe, expect, it } from 'vitest'
import { ScalingRate } from '../../../../src/execution/pool/scaling-rate.ts'

describe('the scaling rate', () => {
  let now = 0
  const taken = (rate: ScalingRate, id: string, tries: number) =>
    Array.from({ length: tries }, () => rate.take(id)).filter(Boolean).length

  it('gives each function 1,000 environments at once and then 100 in each second', () => {
    now = 0
    const rate = new ScalingRate(1000, () => now)
    expect(taken(rate, 'f', 1500)).toBe(1000)
    expect(taken(rate, 'g', 1500)).toBe(1000)
    now = 1000
    expect(taken(rate, 'f', 1500)).toBe(100)
    now = 1010
    expect(taken(rate, 'f', 10)).toBe(1)
  })

  it('does not save up what was not used', () => {
    now = 0
    const rate = new ScalingRate(1000, () => now)
    rate.take('f')
    now = 3_600_000
    expect(taken(rate, 'f', 5000)).toBe(1000)
  })

  it('holds exactly over any ten seconds after the first burst, however the tries fall', () => {
    now = 0
    const rate = new ScalingRate(50, () => now)
    taken(rate, 'f', 100)
    const at: number[] = []
    for (; now < 60_000; now += 7) if (rate.take('f')) at.push(now)
    for (const from of at) expect(at.filter((one) => one >= from && one < from + 10_000).length).toBeLessThanOrEqual(51)
    expect(at.length).toBeGreaterThanOrEqual(299)
  })

  it('remembers what was taken by every function, however many there are', () => {
    now = 0
    const rate = new ScalingRate(1, () => now)
    for (let i = 0; i < 5000; i++) expect(rate.take(`f${i}`)).toBe(true)
    for (let i = 0; i < 5000; i++) expect(rate.take(`f${i}`)).toBe(false)
    now = 10_000
    for (let i = 0; i < 5000; i++) expect(rate.take(`f${i}`)).toBe(true)
  })

  it('is no limit when it is 0', () => {
    expect(taken(new ScalingRate(0, () => 0), 'f', 5000)).toBe(5000)
  })
})
