import { describe, expect, it } from 'vitest'
import { checkAlike } from '../../../src/lambda/alias.ts'
import { validVersion } from '../execution/fake-host.ts'

describe('the two versions of a weighted alias', () => {
  const main = validVersion({ version: '1' })
  const other = (changes: Partial<typeof main>) => () => checkAlike(main, { ...main, version: '2', ...changes })

  it('may differ in code and memory', () => {
    expect(other({ codeSha256: 'other', memorySize: 512 })).not.toThrow()
  })

  it('must have one role and one dead-letter queue', () => {
    expect(other({ role: 'arn:aws:iam::111111111111:role/other' })).toThrow(
      'Versions 1 and 2 have different execution roles. Both versions of an alias must have the same role.',
    )
    expect(other({ deadLetterTarget: 'arn:aws:sqs:us-east-1:111111111111:q' })).toThrow(
      'Versions 1 and 2 have different dead-letter queue configurations. Both versions of an alias must have the same one, or none.',
    )
  })
})
