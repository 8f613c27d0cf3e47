/** Metrics that are looked up for each scrape. */
import { Gauge, type Registry } from 'prom-client'
import type { FunctionKey } from '../lambda/function.ts'
import { FUNCTION_LABELS, type FunctionSeries } from './function-series.ts'

/** One ProvisionedConcurrencyConfig, for its gauges. */
export interface ProvisionedCount {
  readonly function: FunctionKey
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
  readonly functions: readonly {
    readonly account: string
    readonly region: string
    readonly function: string
    readonly waiting: number
    readonly claimed: number
  }[]
  readonly deliveries: {
    readonly decided: number
    readonly delivered: number
    readonly abandoned: number
    readonly waiting: number
  }
}

/** Provisioned configurations that have series of their own. */
const PROVISIONED_MAX = 1_000
const PLACES = ['enqueued', 'waiting', 'claimed', 'done', 'dead', 'discarded'] as const
const DELIVERY_PLACES = ['decided', 'delivered', 'abandoned', 'waiting'] as const

export function registerGauges(registers: Registry[], sources: MetricSources, series: FunctionSeries): void {
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
  new Gauge({
    name: 'hearth_provisioned_concurrency',
    help: 'Environments of provisioned concurrency: requested, allocated (started) and available (initialized).',
    labelNames: [...FUNCTION_LABELS, 'qualifier', 'count'],
    registers,
    collect() {
      this.reset()
      for (const [index, { function: key, qualifier, ...counts }] of sources.provisioned().entries()) {
        const shown = index < PROVISIONED_MAX ? qualifier : 'other'
        for (const [count, value] of Object.entries(counts)) {
          this.inc({ ...series.labelsOf(key), qualifier: shown, count }, value)
        }
      }
    },
  })
  registerQueueGauges(registers, sources.queue, series)
}

function registerQueueGauges(registers: Registry[], queue: () => Promise<QueueMetrics>, series: FunctionSeries): void {
  // One look at the queue for all gauges of a scrape.
  let looking: Promise<QueueMetrics> | undefined
  const look = () => {
    looking ??= queue().finally(() => {
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
      const counts = await look()
      for (const place of PLACES) this.set({ place }, counts[place])
    },
  })
  new Gauge({
    name: 'hearth_queue_bytes',
    help: 'Bytes that the database uses. At the maximum (HEARTH_QUEUE_MAX_BYTES) the host refuses Event invokes.',
    labelNames: ['count'],
    registers,
    async collect() {
      const { usedBytes, maxBytes } = await look()
      this.set({ count: 'used' }, usedBytes)
      this.set({ count: 'maximum' }, maxBytes)
    },
  })
  registerQueueHealth(registers, look)
  new Gauge({
    name: 'hearth_queue_depth',
    help: 'Events in the queue by function, of the functions with the most.',
    labelNames: [...FUNCTION_LABELS],
    registers,
    async collect() {
      const { functions } = await look()
      this.reset()
      for (const { account, region, function: name, waiting, claimed } of functions) {
        this.inc(series.labelsOf({ account, region, name }), waiting + claimed)
      }
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
}

/** What an alarm would look at. */
function registerQueueHealth(registers: Registry[], look: () => Promise<QueueMetrics>): void {
  new Gauge({
    name: 'hearth_events_drift',
    help: 'Difference between the counts of events. Any value but 0 is a defect of the host.',
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
}
