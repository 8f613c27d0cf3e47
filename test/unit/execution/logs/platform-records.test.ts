import { describe, expect, it } from 'vitest'
import type { InvocationReport, Message } from '../../../../src/execution/logs/platform-lines.ts'
import { JsonRecords } from '../../../../src/execution/logs/platform-records.ts'
import type { SystemLogLevel } from '../../../../src/lambda/function.ts'

const MIB = 1024 * 1024
const TRACE = 'Root=1-a;Sampled=0'
const records = (level: SystemLogLevel, runtimeVersion: string | undefined = 'nodejs:22') =>
  new JsonRecords({
    initialization: 'on-demand',
    functionName: 'f',
    functionVersion: '$LATEST',
    runtimeVersion,
    runtimeVersionArn: runtimeVersion && 'arn:aws:lambda:us-east-1::runtime:0',
    level,
    clock: () => Date.parse('2026-01-05T10:00:00Z'),
  })
const report = (changes: Partial<InvocationReport> = {}): InvocationReport => ({
  requestId: 'id',
  durationMs: 1.23456,
  memorySizeMb: 128,
  outOfMemory: false,
  traceHeader: TRACE,
  ...changes,
})
const parsed = (messages: readonly Message[]) =>
  messages.map((message) => JSON.parse(typeof message === 'string' ? message : message(36 * MIB)))
const types = (messages: readonly Message[]) => parsed(messages).map(({ type }) => type)

describe('platform records', () => {
  it('are start and report for an ordinary invocation at level INFO', () => {
    const lines = records('INFO')
    expect(
      parsed([
        ...lines.initReport({ durationMs: 5, phase: 'init' }),
        ...lines.start('id', TRACE),
        ...lines.end(report()),
      ]),
    ).toEqual([
      { time: '2026-01-05T10:00:00.000Z', type: 'platform.start', record: { requestId: 'id', version: '$LATEST' } },
      {
        time: '2026-01-05T10:00:00.000Z',
        type: 'platform.report',
        record: {
          requestId: 'id',
          status: 'success',
          metrics: { durationMs: 1.235, billedDurationMs: 2, memorySizeMB: 128, maxMemoryUsedMB: 36 },
        },
      },
    ])
  })

  it('are all of them at level DEBUG', () => {
    const lines = records('DEBUG')
    const all = [
      ...lines.initStart(),
      ...lines.initReport({ durationMs: 5, phase: 'init' }),
      ...lines.start('id', TRACE),
      ...lines.end(report({ initDurationMs: 5 })),
    ]
    expect(types(all)).toEqual([
      'platform.initStart',
      'platform.initRuntimeDone',
      'platform.initReport',
      'platform.start',
      'platform.runtimeDone',
      'platform.report',
    ])
    expect(parsed(all).at(-1).record.metrics).toMatchObject({ billedDurationMs: 7, initDurationMs: 5 })
  })

  it('are only those of failures at level WARN', () => {
    const lines = records('WARN')
    expect([...lines.initStart(), ...lines.start('id', TRACE), ...lines.end(report())]).toEqual([])
    const failed = lines.end(report({ status: 'error', errorType: 'Runtime.OutOfMemory', outOfMemory: true }))
    expect(parsed(failed).map(({ type, record }) => [type, record.status, record.errorType])).toEqual([
      ['platform.runtimeDone', 'error', 'Runtime.OutOfMemory'],
      ['platform.report', 'error', 'Runtime.OutOfMemory'],
    ])
    expect(parsed(failed)[1].record.metrics.maxMemoryUsedMB).toBe(128)
    expect(types(lines.end(report({ status: 'timeout', errorType: 'Sandbox.Timedout' })))).toHaveLength(2)
    expect(types(lines.initReport({ durationMs: 5, phase: 'invoke', status: 'timeout' }))).toEqual([
      'platform.initRuntimeDone',
      'platform.initReport',
    ])
    expect(parsed(lines.fault(['a', 'b', '']))).toMatchObject([{ type: 'platform.fault', record: 'a\nb' }])
    expect(types(lines.dropped(9))).toEqual(['platform.logsDropped'])
  })

  it('name the trace of a sampled invocation, and how its environment was initialized', () => {
    const lines = new JsonRecords({ ...options(), initialization: 'provisioned-concurrency', level: 'DEBUG' })
    const traceHeader = 'Root=1-a;Parent=b;Sampled=1'
    const tracing = { spanId: 'b', type: 'X-Amzn-Trace-Id', value: traceHeader }
    expect(parsed([...lines.start('id', traceHeader), ...lines.end(report({ traceHeader }))])).toMatchObject([
      { type: 'platform.start', record: { tracing } },
      { type: 'platform.runtimeDone', record: { tracing } },
      { type: 'platform.report', record: { tracing } },
    ])
    for (const { record } of parsed([...lines.initStart(), ...lines.initReport({ durationMs: 5, phase: 'init' })])) {
      expect(record.initializationType).toBe('provisioned-concurrency')
    }
  })

  it('tell at level INFO of an Init ahead of invocations, because no report of an invocation does', () => {
    const ahead = new JsonRecords({ ...options(), initialization: 'provisioned-concurrency', level: 'INFO' })
    expect(types(ahead.initReport({ durationMs: 5, phase: 'init' }))).toEqual(['platform.initReport'])
    expect(types(records('INFO').initReport({ durationMs: 5, phase: 'init' }))).toEqual([])
  })

  it('count an error that the runtime reported as a failure', () => {
    expect(parsed(records('INFO').end(report({ functionErrorType: 'TypeError' })))[1].record).toMatchObject({
      status: 'error',
      errorType: 'TypeError',
    })
  })

  it('name the start of an image function at level DEBUG only: it has no runtime version', () => {
    expect(types(new JsonRecords({ ...options(), level: 'INFO' }).initStart())).toEqual([])
    expect(types(new JsonRecords({ ...options(), level: 'DEBUG' }).initStart())).toEqual(['platform.initStart'])
  })
})

const options = () => ({
  initialization: 'on-demand' as const,
  functionName: 'f',
  functionVersion: '1',
  runtimeVersion: undefined,
  runtimeVersionArn: undefined,
  clock: () => 0,
})
