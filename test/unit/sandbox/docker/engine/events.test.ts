import { PassThrough } from 'node:stream'
import type Dockerode from 'dockerode'
import { expect, test, vi } from 'vitest'
import { type ContainerEvent, EngineEvents, parseEvent } from '../../../../../src/sandbox/docker/engine/events.ts'

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

test('an engine that is away is told of once, and followed again when it is back', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const streams: PassThrough[] = []
    let away = 0
    const getEvents = async () => {
      if (away-- > 0) throw new Error('connect ECONNREFUSED')
      streams.push(new PassThrough())
      return streams.at(-1)
    }
    const log = vi.fn()
    const heard: ContainerEvent[] = []
    const identity = { instance: 'i', owner: 'o', data: 'd' }
    const events = new EngineEvents({ getEvents } as unknown as Dockerode, identity, (event) => heard.push(event), log)
    await events.open()
    away = 5
    streams[0]!.destroy()
    for (let i = 0; i < 10 && streams.length === 1; i++) await vi.advanceTimersByTimeAsync(1000)
    expect(streams).toHaveLength(2)
    expect(log).toHaveBeenCalledTimes(1)
    streams[1]!.write(`${line('oom', {})}\n`)
    await vi.advanceTimersByTimeAsync(0)
    expect(heard).toEqual([{ id: 'abc', kind: 'oom' }])
    events.close()
  } finally {
    vi.useRealTimers()
  }
})
