import { describe, expect, it } from 'vitest'
import { DatabaseTrouble, explainSqlite } from '../../../src/store/sqlite-failure.ts'

const full = () => explainSqlite(Object.assign(new Error('full'), { code: 'SQLITE_FULL' }), '/data/hearth.db')

describe('trouble with the database', () => {
  it('is named with its remedy until something is committed', () => {
    const trouble = new DatabaseTrouble(() => 0)
    trouble.met(full())
    expect(trouble.text).toBe('The disk that holds /data is full. Free some space and try again.')
    trouble.began(7)
    trouble.committed(8)
    expect(trouble.text).toBeUndefined()
  })

  it('is not over because a transaction that changed nothing was committed, or one that met it', () => {
    const trouble = new DatabaseTrouble(() => 0)
    trouble.met(full())
    trouble.began(7)
    trouble.committed(7)
    expect(trouble.text).toBeDefined()
    trouble.met(full())
    trouble.committed(8)
    expect(trouble.text).toBeDefined()
  })

  it('is over when nobody meets it any more: a host without requests would never find out', () => {
    let now = 0
    const trouble = new DatabaseTrouble(() => now)
    trouble.met(full())
    now = 14_999
    trouble.met(full())
    now = 29_998
    expect(trouble.text).toBeDefined()
    now = 29_999
    expect(trouble.text).toBeUndefined()
  })

  it('is not what a caller did wrong', () => {
    const trouble = new DatabaseTrouble()
    trouble.met(explainSqlite(Object.assign(new Error('unique'), { code: 'SQLITE_CONSTRAINT' }), '/data/hearth.db'))
    expect(trouble.text).toBeUndefined()
  })
})
