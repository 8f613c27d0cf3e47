import { describe, expect, it } from 'vitest'
import { provisionedShares } from '../../../src/lambda/provisioned.ts'

describe('provisioned concurrency of a weighted alias', () => {
  it.each([
    [10, [1], [10]],
    [10, [0.9, 0.1], [9, 1]],
    [1, [0.9, 0.1], [1, 0]],
    [3, [0.5, 0.5], [2, 1]],
    [7, [0.7, 0.3], [5, 2]],
  ])('%d is shared by the weights %j as %j', (requested, weights, counts) => {
    expect(
      provisionedShares(
        requested,
        weights.map((weight) => ({ weight })),
      ).map(({ count }) => count),
    ).toEqual(counts)
  })

  it('is always given out in full', () => {
    for (let requested = 1; requested < 200; requested++) {
      for (let weight = 0; weight <= 100; weight++) {
        const shares = provisionedShares(requested, [{ weight: 1 - weight / 100 }, { weight: weight / 100 }])
        expect(shares.reduce((sum, { count }) => sum + count, 0)).toBe(requested)
      }
    }
  })
})
