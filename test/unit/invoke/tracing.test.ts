/** What the runtime gets of a trace, and the spans that an SDK gets. */
import {
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { EnvironmentPool } from '../../../src/execution/pool/pool.ts'
import { BufferedAnswer } from '../../../src/invoke/buffered-answer.ts'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import { Invoker } from '../../../src/invoke/invoke.ts'
import { Resolver } from '../../../src/invoke/resolve.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import type { EventQueueStore } from '../../../src/store/event-queue-store.ts'
import { fakeHost, until, validVersion } from '../execution/fake-host.ts'

const CALLER = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1'

let close: () => Promise<void>
afterEach(async () => {
  trace.disable()
  await close()
})

function host(tracingMode: 'Active' | 'PassThrough', respond: 'answer' | 'fail' = 'answer') {
  const seen: string[] = []
  const fake = fakeHost({
    behaviour: {
      event: (runtime, event) => {
        seen.push(event.traceHeader)
        if (respond === 'answer') runtime.respond(event, '1')
        else runtime.sandbox.exit({ process: 'runtime', code: 1, outOfMemory: false })
        if (respond === 'answer') runtime.session.ready()
      },
    },
  })
  const concurrency = new Concurrency({ accountLimit: 10 })
  const pool = new EnvironmentPool(fake.host, { idleTimeoutMs: 1000, maxEnvironments: 10, waitForEnvironmentMs: 1000 })
  close = () => pool.close()
  const version = validVersion({ tracingMode })
  const targets = {
    find: () => Promise.resolve({ versions: [{ version, weight: 1 }] }),
    reservations: () => Promise.resolve(new Map<string, number>()),
    provisioned: () => Promise.resolve(new Map<string, Map<string, number>>()),
    changes: new RecentChanges(),
  }
  const invoker = new Invoker({
    resolver: new Resolver(targets, concurrency),
    concurrency,
    pool,
    queue: {} as EventQueueStore,
    bus: fake.host.bus,
    logFailure: () => {},
    wakeQueue: () => {},
    clock: Date.now,
  })
  const invoke = async (traceHeader: string, samplingDecided: boolean) => {
    const answer = new BufferedAnswer()
    const result = await invoker.invoke(
      {
        caller: { kind: 'account', account: version.account },
        key: version,
        qualifier: undefined,
        requestId: 'r1',
        invocationType: 'RequestResponse',
        tail: false,
        clientContext: undefined,
        traceHeader,
        samplingDecided,
        payload: Buffer.from('{}'),
      },
      answer,
    )
    return { ...result, result: answer.result }
  }
  return { ...fake, seen, invoke, concurrency, pool }
}

describe('the trace header that a runtime gets', () => {
  it('is the one of a caller who sampled, with a Parent of this invocation', async () => {
    const { invoke, seen, logs } = host('PassThrough')
    expect(await invoke(CALLER, true)).not.toHaveProperty('traceHeader')
    expect(seen[0]).toMatch(
      /^Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=[0-9a-f]{16};Sampled=1;Lineage=[0-9a-f:]+$/,
    )
    expect(seen[0]).not.toContain('9a9197af755a6419')
    const segment = /Parent=([0-9a-f]+)/.exec(seen[0]!)![1]
    await until(() =>
      logs.lines.includes(`XRAY TraceId: 1-5bef4de7-ad49b0e87f6ef6c87fc2e700\tSegmentId: ${segment}\tSampled: true\t`),
    )
  })

  it('is unchanged when the caller did not sample, even if the function traces actively', async () => {
    const { invoke, seen } = host('Active')
    const unsampled = CALLER.replace('Sampled=1', 'Sampled=0')
    await invoke(unsampled, true)
    // The count of rounds is all that is added.
    expect(seen.map((header) => header.replace(/;Lineage=.*$/, ''))).toEqual([unsampled])
  })

  it('is sampled by an actively tracing function whose caller said nothing', async () => {
    const { invoke, seen } = host('Active')
    const outcome = await invoke('Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0', false)
    expect(seen[0]).toMatch(/;Parent=[0-9a-f]{16};Sampled=1;Lineage=/)
    expect(outcome).toMatchObject({ traceHeader: 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1' })
  })
})

interface Recorded {
  readonly name: string
  readonly attributes: SpanOptions['attributes']
  readonly parent: SpanContext | undefined
  readonly id: string
  ended: boolean
  failed: boolean
}

/** The smallest SDK: it remembers. */
function recordSpans(): Recorded[] {
  const spans: Recorded[] = []
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const parent = context && trace.getSpanContext(context)
    const id = String(spans.length + 1).padStart(16, '0')
    const recorded: Recorded = { name, attributes: options.attributes, parent, id, ended: false, failed: false }
    spans.push(recorded)
    const spanContext = { ...INVALID_SPAN_CONTEXT, traceId: parent?.traceId ?? 'f'.repeat(32), spanId: id }
    return {
      spanContext: () => spanContext,
      isRecording: () => true,
      end: () => {
        recorded.ended = true
      },
      setStatus: () => {
        recorded.failed = true
      },
    } as unknown as Span
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: () => undefined as never }) })
  return spans
}

describe('spans', () => {
  it('stand for the invocation, its wait, the cold start and the runtime, below the span of the caller', async () => {
    const spans = recordSpans()
    const { invoke, seen } = host('PassThrough')
    await invoke(CALLER, true)
    expect(spans.map(({ name }) => name).sort()).toEqual(['cold start f', 'invoke f', 'queue wait', 'runtime'])
    await until(() => spans.every(({ ended }) => ended))
    const of = (name: string) => spans.find((span) => span.name === name)!
    expect(of('invoke f')).toMatchObject({
      parent: { traceId: '5bef4de7ad49b0e87f6ef6c87fc2e700', spanId: '9a9197af755a6419' },
      attributes: { 'faas.name': 'f', 'faas.invocation_id': 'r1' },
      failed: false,
    })
    for (const name of ['queue wait', 'runtime']) expect(of(name).parent?.spanId).toBe(of('invoke f').id)
    expect(of('cold start f').parent).toBeUndefined()
    expect(seen[0]).toContain(`Parent=${of('invoke f').id}`)
    spans.length = 0
    await invoke(CALLER, true)
    expect(spans.map(({ name }) => name)).toEqual(['invoke f', 'runtime'])
  })

  it('say when the function failed', async () => {
    const spans = recordSpans()
    const { invoke } = host('PassThrough', 'fail')
    await invoke(CALLER, true)
    expect(spans.find(({ name }) => name === 'invoke f')).toMatchObject({ ended: true, failed: true })
  })
})

describe('a tracing SDK that throws', () => {
  it.each(['when a span starts', 'when a span ends'])('%s costs no permit and no environment', async (when) => {
    const startSpan = (name: string): Span => {
      if (when === 'when a span starts' && name !== 'cold start f') throw new Error('sampler')
      const end = () => {
        throw new Error('exporter')
      }
      return {
        spanContext: () => INVALID_SPAN_CONTEXT,
        isRecording: () => true,
        end,
        setStatus: end,
      } as unknown as Span
    }
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as unknown as Tracer })
    const { invoke, concurrency, pool } = host('Active')
    expect(await invoke(CALLER, true)).toMatchObject({ result: { ok: true } })
    await until(() => pool.environments().every(({ state }) => state === 'Idle'))
    expect(await invoke(CALLER, true)).toMatchObject({ result: { ok: true } })
    expect([concurrency.total(), pool.total]).toEqual([0, 1])
  })
})
