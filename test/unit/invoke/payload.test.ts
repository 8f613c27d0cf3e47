import { describe, expect, it } from 'vitest'
import { checkedPayload, decodedClientContext } from '../../../src/invoke/payload.ts'
import type { LambdaException } from '../../../src/lambda/errors.ts'

const VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

function refusal(bytes: Uint8Array): string {
  try {
    checkedPayload(bytes)
    return 'accepted'
  } catch (error) {
    const { name, message } = error as LambdaException
    expect(name).toBe('InvalidRequestContentException')
    return message
  }
}

describe('the payload', () => {
  it.each(['{"a": [1, 2.5e3, null]}', ' "text" ', '0', 'true', 'null', '[]'])('passes %s through untouched', (text) => {
    const bytes = Buffer.from(text)
    expect(checkedPayload(bytes)).toBe(bytes)
  })

  it('is the empty object when there is none', () => {
    expect(Buffer.from(checkedPayload(new Uint8Array(0))).toString()).toBe('{}')
  })

  it.each([
    // The first two places and all texts are recorded from AWS (reference: invoke.md 4).
    [Buffer.from([0x22, 0x87, 0x22]), 'Invalid UTF-8 start byte 0x87', 3],
    [Buffer.from([0x99]), `Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ${VALUES}`, 1],
    [Buffer.from('STRING_VALUE'), `Unrecognized token 'STRING_VALUE': was expecting ${VALUES}`, 13],
    [Buffer.from([0x6e, 0x87, 0x72]), 'Invalid UTF-8 start byte 0x87', 3],
    [Buffer.from('naïve'), `Unrecognized token 'naïve': was expecting ${VALUES}`, 7],
    [Buffer.from("'x'"), `Unexpected character (''' (code 39)): expected a valid value ${VALUES}`, 1],
    [Buffer.from('0D'), "Unexpected character ('D' (code 68)): Expected space separating root-level values", 2],
  ])('that is not JSON is refused in the words of AWS: %s', (bytes, text, column) => {
    expect(refusal(bytes)).toBe(
      `Could not parse request body into json: Could not parse payload into json: ${text}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`,
    )
  })

  it.each([
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '[1,',
    '"x',
    '{"a":1,}',
    '[1 2]',
    '{a:1}',
    '01',
    '-',
    '"\\q"',
    '1 2',
    '\u0001',
    '['.repeat(5000),
  ])('that is broken like %j is refused with its place', (text) => {
    expect(refusal(Buffer.from(text))).toMatch(
      /^Could not parse request body into json: Could not parse payload into json: [\s\S]+; line: 1, column: \d+\]$/,
    )
  })
})

describe('the client context', () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64')

  it('is handed on as the JSON text that was encoded', () => {
    expect(decodedClientContext(encoded('{"custom": {"a": "1"}}'))).toBe('{"custom": {"a": "1"}}')
  })

  it.each([encoded('[]'), encoded('"x"'), encoded('{'), '%%%', encoded('null')])('is refused as %s', (header) => {
    expect(() => decodedClientContext(header)).toThrow('Client context must be a valid Base64-encoded JSON object.')
  })

  it('is refused beyond 3583 bytes', () => {
    const header = encoded(JSON.stringify({ custom: { a: 'x'.repeat(3000) } }))
    expect(header.length).toBeGreaterThan(3583)
    expect(() => decodedClientContext(header)).toThrow('at most 3583 bytes')
  })
})
