import { expect, it } from 'vitest'
import { withoutRepeats } from '../../../../src/api/http/repeats.ts'

it('says what the operator has to mend once in ten seconds, and how often it was left out', () => {
  const entries: object[] = []
  let now = 0
  const log = withoutRepeats({ error: (detail, message) => void entries.push({ ...detail, message }) }, () => now)
  const full = () => log.error({ remedy: 'Free some space.' }, 'The disk is full.')
  full()
  full()
  now = 9_999
  full()
  log.error({ err: 1 }, 'a request failed')
  log.error({ err: 2 }, 'a request failed')
  now = 10_000
  full()
  log.error({ remedy: 'Move it.' }, 'The database is damaged.')
  full()
  expect(entries).toEqual([
    { remedy: 'Free some space.', message: 'The disk is full.' },
    { err: 1, message: 'a request failed' },
    { err: 2, message: 'a request failed' },
    { remedy: 'Free some space.', repeats: 2, message: 'The disk is full.' },
    { remedy: 'Move it.', message: 'The database is damaged.' },
    { remedy: 'Free some space.', message: 'The disk is full.' },
  ])
})
