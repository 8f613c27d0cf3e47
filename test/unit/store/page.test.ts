import { describe, expect, it } from 'vitest'
import { pageOf, pageSize, readMarker } from '../../../src/store/page.ts'

const place = (name: string) => ({ name, number: 0 })

describe('pages', () => {
  it('have at most 50 items, and 50 by default', () => {
    expect([pageSize({}), pageSize({ maxItems: 3 }), pageSize({ maxItems: 10_000 })]).toEqual([50, 3, 50])
  })

  it('lead to the item after their last one', () => {
    const page = pageOf(['a', 'ü', 'c'], 2, (row) => row, place)
    expect(page.items).toEqual(['a', 'ü'])
    expect(readMarker({ marker: page.nextMarker })).toEqual({ name: 'ü', number: 0 })
  })

  it('end without a marker', () => {
    expect(pageOf(['a', 'b'], 2, (row) => row, place).nextMarker).toBeUndefined()
    expect(readMarker({})).toBeUndefined()
    expect(readMarker({ marker: '' })).toBeUndefined()
  })

  it('refuse markers that were made up', () => {
    for (const marker of ['x', 'bnVsbA', Buffer.from('[1,2]').toString('base64url'), 'A'.repeat(100_000)]) {
      expect(() => readMarker({ marker })).toThrow(expect.objectContaining({ name: 'InvalidParameterValueException' }))
    }
  })
})
