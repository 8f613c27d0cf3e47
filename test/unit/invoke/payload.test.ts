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
    ['{"a":\n "x', 'Unexpected end-of-input: the JSON value is not complete', 'line: 2, column: 4'],
    ['[1,', 'Unexpected end-of-input: the JSON value is not complete', 'line: 1, column: 4'],
    [' ', 'Unexpected end-of-input: the JSON value is not complete', 'line: 1, column: 2'],
    ['[1 2]', 'The payload is not valid JSON', 'line: 1, column: 4'],
    ['1 2', 'The payload is not valid JSON', 'line: 1, column: 3'],
  ])('that is broken like %j is refused in plain words with its place', (text, words, place) => {
    expect(refusal(Buffer.from(text))).toBe(
      `Could not parse request body into json: Could not parse payload into json: ${words}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); ${place}]`,
    )
  })

  it.each([
    Buffer.from('{'),
    Buffer.from('{"a"'),
    Buffer.from('{"a":1,}'),
    Buffer.from('{a:1}'),
    Buffer.from('[1,]'),
    Buffer.from('01'),
    Buffer.from('-'),
    Buffer.from('"\\q"'),
    Buffer.from('null true'),
    Buffer.from('['.repeat(5000)),
    Buffer.from([0x22, 0xe2, 0x82, 0x22]),
    Buffer.from([0x22, 0xc3]),
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
  ])('that is broken further on is refused without any of it: %#', (bytes) => {
    expect(refusal(bytes)).toMatch(
      /^Could not parse request body into json: Could not parse payload into json: (The payload is not (valid JSON|UTF-8)|Unexpected end-of-input: the JSON value is not complete)(\n at \[Source: REDACTED \S+ disabled\); line: 1, column: \d+\])?$/,
    )
  })

  it('of the greatest size is described at once, whatever it is made of', () => {
    const size = 6 * 1024 * 1024
    for (const filler of [' ', 'a', '\n', '-', 'é', '[', '{"a":']) {
      const text = filler.repeat(Math.floor(size / Buffer.byteLength(filler)))
      expect(refusal(Buffer.from(text))).toMatch(/^Could not parse request body into json/)
      expect(refusal(Buffer.from(text)).length).toBeLessThan(1000)
    }
    expect(refusal(Buffer.concat([Buffer.from(`"${'é'.repeat(size / 4)}`), Buffer.from([0x87])]))).toContain(
      'Invalid UTF-8 start byte 0x87',
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
