import { describe, expect, it } from 'vitest'
import {
  checkDeadLetterTarget,
  checkedDestination,
  destinationFunction,
  parseDestination,
} from '../../../src/lambda/destination.ts'

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

  it('are refused in the words of AWS, with the side that was asked for', () => {
    const bad = arn('iam', 'function:f')
    expect(() => checkedDestination('onSuccess', bad)).toThrow(
      `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${bad}), onFailure=null) is invalid.`,
    )
    expect(() => checkedDestination('onFailure', bad)).toThrow(
      `The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=${bad})) is invalid.`,
    )
  })

  it('may name a bucket for failures only', () => {
    expect(checkedDestination('onFailure', 'arn:aws:s3:::bucket').kind).toBe('s3')
    expect(() => checkedDestination('onSuccess', 'arn:aws:s3:::bucket')).toThrow('is invalid')
  })

  it('name a function with or without a qualifier', () => {
    expect(destinationFunction(checkedDestination('onSuccess', arn('lambda', 'function:f')))).toEqual({
      key: { account: '111111111111', region: 'us-east-1', name: 'f' },
      qualifier: undefined,
    })
    expect(destinationFunction(checkedDestination('onSuccess', arn('lambda', 'function:f:live'))).qualifier).toBe(
      'live',
    )
  })

  it('of dead-letter queues are queues and topics', () => {
    checkDeadLetterTarget(arn('sqs', 'q'))
    checkDeadLetterTarget(arn('sns', 't'))
    for (const other of [arn('lambda', 'function:f'), 'arn:aws:s3:::bucket', 'arn:aws:iam::1:x']) {
      expect(() => checkDeadLetterTarget(other)).toThrow('standard SQS queue')
    }
  })
})
