/** Prometheus metrics of the host, fed by platform events only; names follow AWS/Lambda's where one exists. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EventBus } from './events.ts'

/** One ProvisionedConcurrencyConfig, for its gauges. */
export interface ProvisionedCount {
  readonly function: string
  readonly qualifier: string
  readonly requested: number
  readonly allocated: number
  readonly available: number
}

export interface MetricSources {
  readonly provisioned: () => readonly ProvisionedCount[]
  readonly environments: () => number
  readonly running: () => number
  readonly queue: () => Promise<QueueMetrics>
}

export interface QueueMetrics {
  readonly enqueued: number
  readonly waiting: number
  readonly claimed: number
  readonly done: number
  readonly dead: number
  readonly discarded: number
  readonly drift: number
  readonly usedBytes: number
  readonly maxBytes: number
  readonly oldestSeconds: number | null
  readonly functions: readonly { readonly function: string; readonly waiting: number; readonly claimed: number }[]
  readonly deliveries: {
    readonly decided: number
    readonly delivered: number
    readonly abandoned: number
    readonly waiting: number
  }
}

const PLACES = ['enqueued', 'waiting', 'claimed', 'done', 'dead', 'discarded'] as const
const DELIVERY_PLACES = ['decided', 'delivered', 'abandoned', 'waiting'] as const

export class Metrics {
  readonly #registry = new Registry()

  constructor(bus: EventBus, sources: MetricSources) {
    const registers = [this.#registry]
    const invocations = new Counter({
      name: 'hearth_invocations_total',
      help: 'Invocations that ran, by function and outcome (success or the error type).',
      labelNames: ['function', 'outcome', 'cold'],
      registers,
    })
    const duration = new Histogram({
      name: 'hearth_invocation_duration_seconds',
      help: 'Duration of invocations as in the REPORT line.',
      labelNames: ['function'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900],
      registers,
    })
    const throttles = new Counter({
      name: 'hearth_throttles_total',
      help: 'Invocations answered with TooManyRequestsException.',
      labelNames: ['function', 'reason'],
      registers,
    })
    const recursive = new Counter({
      name: 'hearth_recursive_invocations_dropped_total',
      help: 'Invocations that recursion detection stopped.',
      labelNames: ['function'],
      registers,
    })
    const failures = new Counter({
      name: 'hearth_platform_errors_total',
      help: 'Invocations that the platform could not run, by exception.',
      labelNames: ['function', 'exception'],
      registers,
    })
    const untrusted = new Counter({
      name: 'hearth_signature_validation_errors_total',
      help: 'Packages and layers deployed although they are not trusted: code-signing policy Warn.',
      labelNames: ['function', 'fault'],
      registers,
    })
    const enqueued = new Counter({
      name: 'hearth_async_events_received_total',
      help: 'Events accepted with 202.',
      labelNames: ['function'],
      registers,
    })
    const phases = new Histogram({
      name: 'hearth_environment_start_seconds',
      help: 'Cold start by phase: reserve, listen, sandbox, init.',
      labelNames: ['phase'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 10],
      registers,
    })
    const provisioned = new Counter({
      name: 'hearth_provisioned_concurrency_invocations_total',
      help: 'Invocations that ran in an environment of provisioned concurrency.',
      labelNames: ['function'],
      registers,
    })
    const spilled = new Counter({
      name: 'hearth_provisioned_concurrency_spillover_invocations_total',
      help: 'Invocations of versions with provisioned concurrency that ran on demand.',
      labelNames: ['function'],
      registers,
    })
    new Gauge({
      name: 'hearth_provisioned_concurrency',
      help: 'Environments of provisioned concurrency: requested, allocated (started) and available (initialized).',
      labelNames: ['function', 'qualifier', 'count'],
      registers,
      collect() {
        this.reset()
        for (const { function: name, qualifier, ...counts } of sources.provisioned()) {
          for (const [count, value] of Object.entries(counts)) this.set({ function: name, qualifier, count }, value)
        }
      },
    })
    new Gauge({
      name: 'hearth_environments',
      help: 'Execution environments in any state.',
      registers,
      collect() {
        this.set(sources.environments())
      },
    })
    new Gauge({
      name: 'hearth_concurrent_executions',
      help: 'Invocations that run now.',
      registers,
      collect() {
        this.set(sources.running())
      },
    })
    // One look at the queue for all gauges of a scrape.
    let looking: Promise<QueueMetrics> | undefined
    const look = () => {
      looking ??= sources.queue().finally(() => {
        looking = undefined
      })
      return looking
    }
    new Gauge({
      name: 'hearth_events',
      help: 'Events of the durable queue by place; enqueued = waiting + claimed + done + dead + discarded.',
      labelNames: ['place'],
      registers,
      async collect() {
        const queue = await look()
        for (const place of PLACES) this.set({ place }, queue[place])
      },
    })
    new Gauge({
      name: 'hearth_queue_bytes',
      help: 'Bytes that the database uses; at the maximum (HEARTH_QUEUE_MAX_BYTES) Event invokes are refused.',
      labelNames: ['count'],
      registers,
      async collect() {
        const { usedBytes, maxBytes } = await look()
        this.set({ count: 'used' }, usedBytes)
        this.set({ count: 'maximum' }, maxBytes)
      },
    })
    new Gauge({
      name: 'hearth_events_drift',
      help: 'Conservation of events: anything but 0 is a defect of the host.',
      registers,
      async collect() {
        this.set((await look()).drift)
      },
    })
    new Gauge({
      name: 'hearth_events_oldest_seconds',
      help: 'Age of the oldest event in the queue; 0 when it is empty.',
      registers,
      async collect() {
        this.set((await look()).oldestSeconds ?? 0)
      },
    })
    new Gauge({
      name: 'hearth_queue_depth',
      help: 'Events in the queue by function, of the functions with the most.',
      labelNames: ['function'],
      registers,
      async collect() {
        const { functions } = await look()
        this.reset()
        for (const each of functions) this.inc({ function: each.function }, each.waiting + each.claimed)
      },
    })
    new Gauge({
      name: 'hearth_deliveries',
      help: 'Records and dead letters by place; decided = waiting + delivered + abandoned.',
      labelNames: ['place'],
      registers,
      async collect() {
        const { deliveries } = await look()
        for (const place of DELIVERY_PLACES) this.set({ place }, deliveries[place])
      },
    })
    bus.subscribe((event) => {
      switch (event.type) {
        case 'invocation.finished': {
          const labels = { function: event.function.name, outcome: event.outcome, cold: String(event.cold) }
          invocations.inc(labels)
          if (event.provisioned) provisioned.inc({ function: event.function.name })
          duration.observe({ function: event.function.name }, event.durationMs / 1000)
          return
        }
        case 'invocation.spilled':
          spilled.inc({ function: event.function.name })
          return
        case 'invocation.throttled':
          throttles.inc({ function: event.function.name, reason: event.reason })
          return
        case 'invocation.recursive':
          recursive.inc({ function: event.function.name })
          return
        case 'platform.error':
          failures.inc({ function: event.function.name, exception: event.exception })
          return
        case 'code.untrusted':
          untrusted.inc({ function: event.function.name, fault: event.fault })
          return
        case 'event.enqueued':
          enqueued.inc({ function: event.function.name })
          return
        case 'environment.started':
          for (const [phase, ms] of Object.entries(event.phases)) phases.observe({ phase }, ms / 1000)
          return
        case 'environment.state':
          return
      }
    })
  }

  /** The text of GET /_hearth/metrics. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
