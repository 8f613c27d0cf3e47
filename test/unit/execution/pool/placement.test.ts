import { describe, expect, it } from 'vitest'
import { decide, type PlacementCounts } from '../../../../src/execution/pool/placement.ts'

const counts = (given: Partial<PlacementCounts>): PlacementCounts => ({
  idle: 0,
  starting: 0,
  finishing: 0,
  waiting: 1,
  total: 0,
  max: 10,
  idleElsewhere: 0,
  ...given,
})

describe('placement', () => {
  it.each([
    ['reuses an idle environment before anything else', { idle: 1, starting: 3, total: 10 }, 'reuse'],
    ['starts one for each waiting invocation that has none on its way', { waiting: 3, starting: 2 }, 'start'],
    ['waits when enough are starting', { waiting: 2, starting: 2 }, 'wait'],
    ['waits for one that has already answered', { waiting: 1, finishing: 1 }, 'wait'],
    [
      'gives up an idle environment of another function when the host is full',
      { total: 10, idleElsewhere: 1 },
      'evict-and-start',
    ],
    ['waits when the host is full and nothing is idle', { total: 10 }, 'wait'],
  ] as const)('%s', (_title, given, expected) => {
    expect(decide(counts(given))).toBe(expected)
  })
})
