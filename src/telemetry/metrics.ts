/**
 * Prometheus metrics of the host, fed by platform events only; names follow AWS/Lambda's where one exists. No label has a value that a
 * function chooses, and the number of series is bounded (function-series.ts).
 */
import { Counter, Histogram, Registry } from 'prom-client'
import type { FunctionKey } from '../lambda/function.ts'
import type { EventBus, PlatformEvent } from './events.ts'
import { FUNCTION_LABELS, FunctionSeries, type SERIES_LIMITS } from './function-series.ts'
import { type MetricSources, registerGauges } from './gauges.ts'
import { outcomeLabel } from './outcomes.ts'

/** Counters that have a function, with the labels that they have besides. */
const COUNTERS = {
  invocations: {
    name: 'hearth_invocations_total',
    help: 'Invocations that ran, by function and outcome: success, an error type of the platform or a runtime, or other.',
    labels: ['outcome', 'cold'],
  },
  throttles: {
    name: 'hearth_throttles_total',
    help: 'Invocations answered with TooManyRequestsException.',
    labels: ['reason'],
  },
  recursive: {
    name: 'hearth_recursive_invocations_dropped_total',
    help: 'Invocations that recursion detection stopped.',
    labels: [],
  },
  failures: {
    name: 'hearth_platform_errors_total',
    help: 'Invocations that the platform could not run, by exception.',
    labels: ['exception'],
  },
  untrusted: {
    name: 'hearth_signature_validation_errors_total',
    help: 'Untrusted packages and layers that were deployed, because the code-signing policy is Warn.',
    labels: ['fault'],
  },
  enqueued: {
    name: 'hearth_async_events_received_total',
    help: 'Events accepted with 202.',
    labels: [],
  },
  provisioned: {
    name: 'hearth_provisioned_concurrency_invocations_total',
    help: 'Invocations that ran in an environment of provisioned concurrency.',
    labels: [],
  },
  spilled: {
    name: 'hearth_provisioned_concurrency_spillover_invocations_total',
    help: 'Invocations of versions with provisioned concurrency that ran on demand.',
    labels: [],
  },
} as const

export class Metrics {
  readonly #registry = new Registry()
  readonly #series: FunctionSeries
  readonly #counters: Readonly<Record<keyof typeof COUNTERS, Counter>>
  readonly #duration: Histogram
  readonly #phases: Histogram

  /** @param limits for tests */
  constructor(bus: EventBus, sources: MetricSources, limits?: typeof SERIES_LIMITS) {
    const registers = [this.#registry]
    this.#series = new FunctionSeries(limits)
    const counters = Object.entries(COUNTERS).map(([key, { name, help, labels }]) => {
      const counter = new Counter({ name, help, labelNames: [...FUNCTION_LABELS, ...labels], registers })
      return [key, counter] as const
    })
    this.#counters = Object.fromEntries(counters) as Record<keyof typeof COUNTERS, Counter>
    this.#duration = new Histogram({
      name: 'hearth_invocation_duration_seconds',
      help: 'Duration of invocations as in the REPORT line.',
      labelNames: [...FUNCTION_LABELS],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 900],
      registers,
    })
    this.#phases = new Histogram({
      name: 'hearth_environment_start_seconds',
      help: 'Cold start by phase: reserve, listen, sandbox, init.',
      labelNames: ['phase'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 10],
      registers,
    })
    registerGauges(registers, sources, this.#series)
    bus.subscribe((event) => this.#observe(event))
  }

  /** The text of GET /_hearth/metrics. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** Functions that have series of their own. */
  get functions(): FunctionKey[] {
    return this.#series.functions
  }

  /** A function changed: the series of one that is gone go with it. */
  changed(key: FunctionKey, exists: boolean): void {
    if (exists) this.#series.expect(key)
    else this.#series.forget(key)
  }

  #observe(event: PlatformEvent): void {
    const series = this.#series
    const counters = this.#counters
    switch (event.type) {
      case 'invocation.finished':
        series.count(counters.invocations, event.function, {
          outcome: outcomeLabel(event.outcome),
          cold: String(event.cold),
        })
        if (event.provisioned) series.count(counters.provisioned, event.function)
        series.observe(this.#duration, event.function, event.durationMs / 1000)
        break
      case 'invocation.spilled':
        series.count(counters.spilled, event.function)
        break
      case 'invocation.throttled':
        series.count(counters.throttles, event.function, { reason: event.reason })
        break
      case 'invocation.recursive':
        series.count(counters.recursive, event.function)
        break
      case 'platform.error':
        series.count(counters.failures, event.function, { exception: event.exception })
        break
      case 'code.untrusted':
        series.count(counters.untrusted, event.function, { fault: event.fault })
        break
      case 'event.enqueued':
        series.count(counters.enqueued, event.function)
        break
      case 'environment.started':
        for (const [phase, ms] of Object.entries(event.phases)) this.#phases.observe({ phase }, ms / 1000)
        return
      case 'environment.state':
        return
    }
  }
}
