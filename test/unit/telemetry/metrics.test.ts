import { describe, expect, it } from 'vitest'
import type { FunctionKey } from '../../../src/lambda/function.ts'
import { EventBus } from '../../../src/telemetry/events.ts'
import type { MetricSources } from '../../../src/telemetry/gauges.ts'
import { Metrics } from '../../../src/telemetry/metrics.ts'

const QUEUE = {
  enqueued: 0,
  waiting: 0,
  claimed: 0,
  done: 0,
  dead: 0,
  discarded: 0,
  drift: 0,
  usedBytes: 0,
  maxBytes: 1,
  oldestSeconds: null,
  functions: [],
  deliveries: { decided: 0, delivered: 0, abandoned: 0, waiting: 0 },
}

function setUp(limits?: { functions: number; accounts: number }, sources: Partial<MetricSources> = {}) {
  const bus = new EventBus()
  const all = { provisioned: () => [], environments: () => 0, running: () => 0, queue: async () => QUEUE, ...sources }
  const metrics = new Metrics(bus, all, limits)
  const finished = (of: FunctionKey, outcome = 'success') =>
    bus.emit({
      type: 'invocation.finished',
      function: of,
      version: '1',
      requestId: 'r',
      durationMs: 1,
      cold: false,
      provisioned: false,
      outcome,
    })
  /** Lines of a metric, with its name taken off. */
  const lines = async (name: string) =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) => line.slice(name.length))
  return { bus, metrics, finished, lines }
}
const key = (name: string, account = '111111111111', region = 'eu-west-1'): FunctionKey => ({ account, region, name })

describe('metrics of functions', () => {
  it('name the account and the region beside the function', async () => {
    const { finished, lines } = setUp()
    finished(key('f'))
    finished(key('f', '222222222222', 'us-east-1'))
    expect(await lines('hearth_invocations_total')).toEqual([
      '{account="111111111111",region="eu-west-1",function="f",outcome="success",cold="false"} 1',
      '{account="222222222222",region="us-east-1",function="f",outcome="success",cold="false"} 1',
    ])
  })

  it('have a closed list of outcomes, however many error types a function makes up', async () => {
    const { metrics, finished, lines } = setUp()
    finished(key('f'), 'Runtime.ImportModuleError')
    for (let n = 0; n < 100_000; n++) finished(key('f'), `Function.Made${n}`)
    const outcomes = (await lines('hearth_invocations_total')).map((line) => line.slice(line.indexOf('outcome')))
    expect(outcomes).toEqual([
      'outcome="Runtime.ImportModuleError",cold="false"} 1',
      'outcome="other",cold="false"} 100000',
    ])
    expect((await metrics.text()).length).toBeLessThan(20_000)
  })

  it('are bounded for each account and in accounts; what is beyond shares one series', async () => {
    const { finished, lines } = setUp({ functions: 2, accounts: 2 })
    for (const name of ['a', 'b', 'c', 'd', 'a']) finished(key(name))
    finished(key('e', '222222222222'))
    for (const account of ['333333333333', '444444444444']) finished(key('f', account))
    const series = (await lines('hearth_invocations_total')).map((line) =>
      line.replace(',outcome="success",cold="false"', ''),
    )
    expect(series).toEqual([
      '{account="111111111111",region="eu-west-1",function="a"} 2',
      '{account="111111111111",region="eu-west-1",function="b"} 1',
      '{account="111111111111",region="other",function="other"} 2',
      '{account="222222222222",region="eu-west-1",function="e"} 1',
      '{account="other",region="other",function="other"} 2',
    ])
    expect(await lines('hearth_invocation_duration_seconds_count')).toHaveLength(5)
  })

  it('go with their function, and its place is free again', async () => {
    const { bus, metrics, finished, lines } = setUp({ functions: 1, accounts: 1 })
    finished(key('a'), 'success')
    finished(key('a'), 'Sandbox.Timedout')
    bus.emit({ type: 'invocation.throttled', function: key('a'), reason: 'R' })
    bus.emit({ type: 'event.enqueued', function: key('a'), requestId: 'r' })
    metrics.changed(key('a'), false)
    expect(await metrics.text()).not.toContain('function="a"')
    finished(key('b'))
    expect(await lines('hearth_async_events_received_total')).toEqual([])
    expect((await lines('hearth_invocations_total'))[0]).toContain('function="b"')
  })

  it('count what still runs of a deleted function as other, and a new one of its name again', async () => {
    const { metrics, finished, lines } = setUp()
    finished(key('other-one'))
    finished(key('a'))
    metrics.changed(key('a'), false)
    finished(key('a'))
    expect(await metrics.text()).not.toContain('function="a"')
    expect((await lines('hearth_invocations_total')).at(-1)).toContain('function="other"')
    metrics.changed(key('a'), true)
    finished(key('a'))
    expect((await lines('hearth_invocations_total')).at(-1)).toContain('function="a"')
  })

  it('stay bounded over any number of functions that come and go', async () => {
    const { metrics, finished } = setUp()
    for (let n = 0; n < 20_000; n++) {
      finished(key(`f${n}`))
      metrics.changed(key(`f${n}`), false)
    }
    expect((await metrics.text()).length).toBeLessThan(20_000)
  })

  it('show provisioned concurrency and the queue with the same labels', async () => {
    const { lines } = setUp(undefined, {
      provisioned: () => [{ function: key('f'), qualifier: 'live', requested: 3, allocated: 2, available: 1 }],
      queue: async () => ({
        ...QUEUE,
        functions: [{ account: '111111111111', region: 'eu-west-1', function: 'f', waiting: 4, claimed: 1 }],
      }),
    })
    expect(await lines('hearth_provisioned_concurrency')).toEqual([
      '{account="111111111111",region="eu-west-1",function="f",qualifier="live",count="requested"} 3',
      '{account="111111111111",region="eu-west-1",function="f",qualifier="live",count="allocated"} 2',
      '{account="111111111111",region="eu-west-1",function="f",qualifier="live",count="available"} 1',
    ])
    expect(await lines('hearth_queue_depth')).toEqual(['{account="111111111111",region="eu-west-1",function="f"} 5'])
  })
})
