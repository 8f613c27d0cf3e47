import { describe, expect, it } from 'vitest'
import {
  checkDeadLetterTarget,
  checkedDestinations,
  destinationFunction,
  parseDestination,
} from '../../../../src/lambda/events/destination.ts'

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:111111111111:${resource}`

describe('ARNs of destinations', () => {
  it.each([
    [arn('sqs', 'queue'), 'sqs'],
    [arn('sns', 'topic'), 'sns'],
    [arn('lambda', 'function:f:live'), 'lambda'],
    [arn('events', 'event-bus/default'), 'events'],
    ['arn:aws:s3:::bucket', 's3'],
  ])('%s is of kind %s', (text, kind) => {
    expect(parseDestination(text)?.kind).toBe(kind)
  })

  it.each([
    arn('sqs', 'queue.fifo'),
    arn('sns', 'topic.fifo'),
    arn('iam', 'function:f'),
    arn('lambda', 'layer:l:1'),
    arn('kinesis', 'stream/s'),
    'arn:aws:sqs:::queue',
    'kafka://topic',
    `arn:aws:sqs:us-east-1:111111111111:${'q'.repeat(81)}`,
    '',
  ])('%s is none', (text) => {
    expect(parseDestination(text)).toBeUndefined()
  })

  it('are refused in the words of AWS, with the whole configuration', () => {
    const bad = arn('iam', 'function:f')
    const refused = (success: string, failure: string) =>
      `The provided destination config DestinationConfig(onSuccess=${success}, onFailure=${failure}) is invalid.`
    expect(() => checkedDestinations({ onSuccess: bad })).toThrow(refused(`OnSuccess(destination=${bad})`, 'null'))
    expect(() => checkedDestinations({ onFailure: bad })).toThrow(refused('null', `OnFailure(destination=${bad})`))
    const good = arn('sqs', 'q')
    expect(() => checkedDestinations({ onSuccess: good, onFailure: bad })).toThrow(
      refused(`OnSuccess(destination=${good})`, `OnFailure(destination=${bad})`),
    )
  })

  it('are none where they are absent or empty', () => {
    expect(checkedDestinations({})).toEqual([])
    expect(checkedDestinations({ onSuccess: '', onFailure: '' })).toEqual([])
  })

  it('may name a bucket for failures only', () => {
    const bucket = 'arn:aws:s3:::bucket'
    expect(checkedDestinations({ onFailure: bucket })).toMatchObject([{ kind: 's3' }])
    expect(() => checkedDestinations({ onSuccess: bucket })).toThrow('is invalid')
  })

  it('name a function with or without a qualifier', () => {
    const [plain, live] = checkedDestinations({
      onSuccess: arn('lambda', 'function:f'),
      onFailure: arn('lambda', 'function:f:live'),
    }).map(destinationFunction)
    expect(plain).toEqual({
      key: { account: '111111111111', region: 'us-east-1', name: 'f' },
      qualifier: undefined,
    })
    expect(live?.qualifier).toBe('live')
  })

  it('of dead-letter queues are queues and topics', () => {
    checkDeadLetterTarget(arn('sqs', 'q'))
    checkDeadLetterTarget(arn('sns', 't'))
    for (const other of [arn('lambda', 'function:f'), 'arn:aws:s3:::bucket', 'arn:aws:iam::1:x']) {
      expect(() => checkDeadLetterTarget(other)).toThrow('standard SQS queue')
    }
  })
})
