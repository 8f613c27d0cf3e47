import { describe, expect, it } from 'vitest'
import { DatabaseTrouble, explainSqlite } from '../../../../src/store/sqlite/sqlite-failure.ts'

const full = () => explainSqlite(Object.assign(new Error('full'), { code: 'SQLITE_FULL' }), '/data/hearth.db')

describe('trouble with the database', () => {
  it('is named with its remedy, and over when nobody meets it any more', () => {
    let now = 0
    const trouble = new DatabaseTrouble(() => now)
    trouble.met(full())
    now = 14_999
    trouble.met(full())
    now = 29_998
    expect(trouble.text).toBe('The disk that holds /data is full. Free some space and try again.')
    now = 29_999
    expect(trouble.text).toBeUndefined()
  })

  it('is not what a caller did wrong', () => {
    const trouble = new DatabaseTrouble()
    trouble.met(explainSqlite(Object.assign(new Error('unique'), { code: 'SQLITE_CONSTRAINT' }), '/data/hearth.db'))
    expect(trouble.text).toBeUndefined()
  })
})
