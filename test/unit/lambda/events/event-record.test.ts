import { describe, expect, it } from 'vitest'
import { deadLetterAttributes, type EndedEvent, invocationRecord } from '../../../../src/lambda/events/event-record.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const failed: EndedEvent = {
  function: { account: '111111111111', region: 'us-east-1', name: 'f' },
  qualifier: undefined,
  requestId: 'r-1',
  payload: bytes('{"big":12345678901234567890}\n'),
  condition: 'RetriesExhausted',
  invokeCount: 3,
  response: {
    executedVersion: '$LATEST',
    functionError: 'Unhandled',
    payload: bytes('{"errorMessage":"no","errorType":"E"}'),
  },
}
const text = (event: EndedEvent, kind: Parameters<typeof invocationRecord>[2] = 'sqs') =>
  Buffer.from(invocationRecord(event, Date.UTC(2026, 0, 5, 10, 0, 0, 123), kind)).toString()

describe('the record for destinations', () => {
  it('has the recorded shape, and payloads as they were, digit for digit', () => {
    expect(text(failed)).toBe(
      '{"version":"1.0","timestamp":"2026-01-05T10:00:00.123Z","requestContext":{"requestId":"r-1","functionArn":"arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"big":12345678901234567890},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no","errorType":"E"}}',
    )
  })

  it('names the alias that was invoked, and no error after a success', () => {
    const record = JSON.parse(
      text({
        ...failed,
        qualifier: 'live',
        condition: 'Success',
        response: { executedVersion: '7', payload: bytes('not json') },
      }),
    )
    expect(record.requestContext.functionArn).toMatch(/:f:live$/)
    expect(record.responseContext).toEqual({ statusCode: 200, executedVersion: '7' })
    expect(record.responsePayload).toBe('not json')
  })

  it('has no response when the function did not run', () => {
    const { response: _, ...unrun } = failed
    const record = JSON.parse(text({ ...unrun, condition: 'EventAgeExceeded', invokeCount: 0 }))
    expect(Object.keys(record)).toEqual(['version', 'timestamp', 'requestContext', 'requestPayload'])
  })

  it('leaves out payloads that the target would refuse for their size', () => {
    const large = { ...failed, response: { ...failed.response!, payload: bytes(JSON.stringify('x'.repeat(300_000))) } }
    expect(Object.keys(JSON.parse(text(large, 'sns')))).not.toContain('responsePayload')
    expect(JSON.parse(text(large, 'sqs')).responsePayload).toHaveLength(300_000)
    const event = JSON.parse(text({ ...failed, payload: large.response.payload }, 'sns')) as Record<string, unknown>
    expect([event.requestPayload, event.responsePayload]).toEqual([undefined, { errorMessage: 'no', errorType: 'E' }])
    const both = { ...large, payload: large.response.payload }
    expect(Object.keys(JSON.parse(text(both, 'events')))).toEqual([
      'version',
      'timestamp',
      'requestContext',
      'responseContext',
    ])
  })
})

describe('the attributes of a dead letter', () => {
  it("are the request's id, a code and the function's message", () => {
    expect(deadLetterAttributes(failed)).toEqual({ RequestID: 'r-1', ErrorCode: '200', ErrorMessage: 'no' })
  })

  it('hold the first 1 KB of the message, whole characters only, and none that SQS refuses', () => {
    const message = (payload: string) =>
      deadLetterAttributes({ ...failed, response: { ...failed.response!, payload: bytes(payload) } }).ErrorMessage
    const long = message(JSON.stringify({ errorMessage: `a${'é'.repeat(2000)}` }))
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(1024)
    expect(long).toMatch(/^aé+$/)
    expect(message('{"errorMessage":"a\\u0000b"}')).toBe('a\ufffdb')
    expect(encodeURIComponent(message('{"errorMessage":"\\ud800"}'))).toBe('%EF%BF%BD')
    expect(message('plain text')).toBe('plain text')
    expect(message('')).toBe('Unhandled')
  })

  it('say why a function did not run', () => {
    const { response: _, ...unrun } = failed
    expect(deadLetterAttributes({ ...unrun, refusal: { status: 429, message: 'Rate Exceeded.' } })).toMatchObject({
      ErrorCode: '429',
      ErrorMessage: 'Rate Exceeded.',
    })
  })
})
