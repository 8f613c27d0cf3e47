import { expect, test } from 'vitest'
import { parseEvent } from '../../../../src/sandbox/docker/events.ts'

const line = (action: string, attributes: object) =>
  JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'abc', Attributes: attributes } })

test('the end of a container and the out-of-memory killer are understood, everything else is not', () => {
  expect(parseEvent(line('die', { exitCode: '137' }))).toEqual({ id: 'abc', kind: 'die', exitCode: 137 })
  expect(parseEvent(line('die', {}))).toEqual({ id: 'abc', kind: 'die' })
  expect(parseEvent(line('oom', {}))).toEqual({ id: 'abc', kind: 'oom' })
  expect(parseEvent(line('start', {}))).toBeUndefined()
  expect(parseEvent('{"half')).toBeUndefined()
  expect(parseEvent('{}')).toBeUndefined()
})
