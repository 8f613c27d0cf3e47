import { describe, expect, it } from 'vitest'
import { errorTypeOf, normaliseErrorType, withoutErrorCause } from '../../../src/runtime-api/error-type.ts'

describe('the error type for logs', () => {
  it.each([
    ['Runtime.ExitError', 'Runtime.ExitError'],
    ['Function.ResponseSizeTooLarge', 'Function.ResponseSizeTooLarge'],
    ['Function.bad', 'Function.Unknown'],
    ['Function<ValueError>', 'Runtime.Unknown'],
    ['ValueError', 'Runtime.Unknown'],
    ['Runtime.Exit\nError', 'Runtime.Unknown'],
    ['', 'Runtime.Unknown'],
    [`Runtime.${'A'.repeat(5000)}`, 'Runtime.Unknown'],
  ])('%j becomes %s', (given, expected) => {
    expect(normaliseErrorType(given)).toBe(expected)
  })

  const body = Buffer.from('{"errorType":"Runtime.FromBody"}')

  it('is taken from the header, else the trailer, else the body', () => {
    expect(errorTypeOf('Runtime.FromHeader', 'Runtime.FromTrailer', body)).toBe('Runtime.FromHeader')
    expect(errorTypeOf('', 'Runtime.FromTrailer', body)).toBe('Runtime.FromTrailer')
    expect(errorTypeOf(undefined, undefined, body)).toBe('Runtime.FromBody')
  })

  it.each(['', 'null', '[]', '{', '"text"', '{"errorType":7}', '\u0000'])(
    'is Runtime.Unknown for the body %j',
    (text) => {
      expect(errorTypeOf(undefined, undefined, Buffer.from(text))).toBe('Runtime.Unknown')
    },
  )
})

describe('a body that combines the error with its X-Ray cause', () => {
  it('loses the cause', () => {
    const body = Buffer.from('{"errorMessage":"m","errorType":"T","stackTrace":["a"],"errorCause":{"paths":[]}}')
    expect(Buffer.from(withoutErrorCause(body)).toString()).toBe(
      '{"errorMessage":"m","errorType":"T","stackTrace":["a"]}',
    )
  })

  it('stays as it is when it has none or is no JSON', () => {
    for (const text of ['{"errorMessage":"m"}', 'plain']) {
      const body = Buffer.from(text)
      expect(withoutErrorCause(body)).toBe(body)
    }
  })
})
