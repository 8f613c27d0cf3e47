/**
 * Series of metrics that have a function in their labels. Account, region and name come from the host. Functions beyond a bound share the
 * series `other` of their account; those of a deleted function are removed.
 */
import type { Counter, Histogram } from 'prom-client'
import { type FunctionKey, functionId } from '../lambda/function.ts'

/** Functions of one account that have series of their own, and accounts that have. */
export const SERIES_LIMITS = { functions: 500, accounts: 50 }
const OTHER = 'other'
/** Deleted functions that are remembered: what still runs of them is counted as `other`. */
const GONE_MAX = 10_000

export const FUNCTION_LABELS = ['account', 'region', 'function'] as const

type Metric = Counter | Histogram
type Labels = Record<string, string>

interface Known {
  readonly key: FunctionKey
  readonly labels: Labels
  /** All labels of each series, by the values of those that are not the function's. */
  readonly series: Map<Metric, Map<string, Labels>>
}

export class FunctionSeries {
  readonly #limits: typeof SERIES_LIMITS
  readonly #known = new Map<string, Known>()
  /** Functions of each account that have series. */
  readonly #accounts = new Map<string, number>()
  /** The one deleted longest ago first. */
  readonly #gone = new Set<string>()

  /** @param limits for tests */
  constructor(limits = SERIES_LIMITS) {
    this.#limits = limits
  }

  count(counter: Counter, key: FunctionKey, labels: Labels = {}): void {
    counter.inc(this.#labels(counter, key, labels))
  }

  observe(histogram: Histogram, key: FunctionKey, value: number): void {
    histogram.observe(this.#labels(histogram, key, {}), value)
  }

  /** The labels of a function for gauges, which are made anew for each scrape. */
  labelsOf(key: FunctionKey): Labels {
    return this.#function(key)?.labels ?? this.#shared(key)
  }

  get functions(): FunctionKey[] {
    return [...this.#known.values()].map(({ key }) => key)
  }

  /** The function was deleted. What still runs of it is counted as `other`. */
  forget(key: FunctionKey): void {
    const id = functionId(key)
    this.#gone.add(id)
    if (this.#gone.size > GONE_MAX) this.#gone.delete(this.#gone.values().next().value!)
    const known = this.#known.get(id)
    if (known === undefined) return
    for (const [metric, series] of known.series) for (const labels of series.values()) metric.remove(labels)
    this.#known.delete(id)
    const left = this.#accounts.get(known.key.account)! - 1
    if (left > 0) this.#accounts.set(known.key.account, left)
    else this.#accounts.delete(known.key.account)
  }

  /** The function is there: it may be a new one of an old name. */
  expect(key: FunctionKey): void {
    this.#gone.delete(functionId(key))
  }

  #labels(metric: Metric, key: FunctionKey, own: Labels): Labels {
    const known = this.#function(key)
    if (known === undefined) return { ...this.#shared(key), ...own }
    const values = Object.values(own).join(' ')
    const before = known.series.get(metric)?.get(values)
    if (before !== undefined) return before
    const labels = { ...known.labels, ...own }
    const series = known.series.get(metric) ?? new Map<string, Labels>()
    known.series.set(metric, series.set(values, labels))
    return labels
  }

  /** `undefined`: it has no series of its own. */
  #function(key: FunctionKey): Known | undefined {
    const id = functionId(key)
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const { account, region, name } = key
    const others = this.#accounts.get(account)
    const room = others === undefined ? this.#accounts.size < this.#limits.accounts : others < this.#limits.functions
    if (!room || this.#gone.has(id)) return undefined
    const added = { key: { account, region, name }, labels: { account, region, function: name }, series: new Map() }
    this.#known.set(id, added)
    this.#accounts.set(account, (others ?? 0) + 1)
    return added
  }

  #shared({ account }: FunctionKey): Labels {
    return { account: this.#accounts.has(account) ? account : OTHER, region: OTHER, function: OTHER }
  }
}
