/**
 * Provisioned concurrency as environments: keeps as many of each deployment started ahead as were asked for.
 *
 * Each configuration (of a version or alias) has its own demand. A new demand of the same configuration is make-before-break: what it
 * had stays until everything new is ready, unless the host has no room for both. Lost environments are replaced. Only a few start at one time, in turn between deployments,
 * so that invocations find the engine free; what fails is tried again after a growing delay.
 */
import type { FunctionVersion } from '../../lambda/function.ts'
import type { ExecutionEnvironment } from '../environment.ts'
import type { AheadStarter, ProvisionFailure } from './ahead.ts'

/** Delay after a failed start: 1 s, doubled each time, at most 5 min. */
const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 300_000
/** An environment that is lost earlier is no accident: a function that ends itself must not keep the host busy with replacements. */
const STABLE_MS = 10_000

export interface Share {
  readonly version: FunctionVersion
  readonly count: number
}

export interface Progress {
  /** Environments that exist, those that still start included. */
  readonly allocated: number
  /** Environments that are initialized. */
  readonly available: number
  /** Why one could not be had, until the next one is. */
  readonly failure: ProvisionFailure | undefined
}

export interface ProvisionerOptions {
  readonly pool: AheadStarter
  /** Environments that are being started at one time. */
  readonly parallel: number
  /** Called when the progress of a configuration may have changed. */
  readonly changed: (id: string) => void
  /** For tests: shorter delays. */
  readonly retryMinMs?: number
}

interface Demand {
  shares: readonly Share[]
  /** What earlier demands had, kept until `shares` is ready. */
  kept: readonly Share[]
}

interface Stock {
  readonly version: FunctionVersion
  /** Environments wanted, and the configurations that want them. */
  target: number
  wantedBy: string[]
  readonly starting: Set<ExecutionEnvironment>
  /** With the time since when, `performance.now()`. */
  readonly ready: Map<ExecutionEnvironment, number>
  failure: ProvisionFailure | undefined
  failures: number
  failedAt: number
  retry: NodeJS.Timeout | undefined
}

export class Provisioner {
  readonly #options: ProvisionerOptions
  readonly #demands = new Map<string, Demand>()
  /** By deployment id; the one whose turn is over goes to the end. */
  readonly #stocks = new Map<string, Stock>()
  #starting = 0
  #closed = false

  constructor(options: ProvisionerOptions) {
    this.#options = options
  }

  /** What a configuration shall have ready from now on; an empty demand removes it, with everything it had. */
  demand(id: string, shares: readonly Share[]): void {
    const before = this.#demands.get(id)
    if (shares.length === 0) this.#demands.delete(id)
    else this.#demands.set(id, { shares, kept: before === undefined ? [] : most(before.kept, before.shares) })
    this.#settle()
  }

  /** `undefined`: nothing was demanded. */
  progress(id: string): Progress | undefined {
    const demand = this.#demands.get(id)
    if (demand === undefined) return undefined
    let allocated = 0
    let available = 0
    let failure: ProvisionFailure | undefined
    for (const { version, count } of demand.shares) {
      const stock = this.#stocks.get(version.deploymentId)
      if (stock === undefined) continue
      allocated += Math.min(count, stock.ready.size + stock.starting.size)
      available += Math.min(count, stock.ready.size)
      failure ??= stock.failure
    }
    return { allocated, available, failure }
  }

  /** Starts nothing more; the environments are the pool's to remove. */
  close(): void {
    this.#closed = true
    for (const { retry } of this.#stocks.values()) clearTimeout(retry)
  }

  /** Brings targets, environments and demands into agreement. */
  #settle(): void {
    if (this.#closed) return
    for (const demand of this.#demands.values()) if (this.#isReady(demand)) demand.kept = []
    this.#aim()
    for (const stock of this.#stocks.values()) this.#releaseSurplus(stock)
    this.#fill()
  }

  #isReady({ shares }: Demand): boolean {
    return shares.every(({ version, count }) => (this.#stocks.get(version.deploymentId)?.ready.size ?? 0) >= count)
  }

  #aim(): void {
    for (const stock of this.#stocks.values()) {
      stock.target = 0
      stock.wantedBy = []
    }
    for (const [id, { shares, kept }] of this.#demands) {
      for (const { version, count } of most(kept, shares)) {
        const stock = this.#stock(version)
        stock.target += count
        stock.wantedBy.push(id)
      }
    }
    for (const [id, stock] of this.#stocks) {
      if (stock.target > 0 || stock.ready.size + stock.starting.size > 0) continue
      clearTimeout(stock.retry)
      this.#stocks.delete(id)
    }
  }

  /** Those that still start go first, then idle ones, last those that are busy: they leave after their invocation. */
  #releaseSurplus(stock: Stock): void {
    let surplus = stock.ready.size + stock.starting.size - stock.target
    if (surplus <= 0) return
    const idleFirst = [...stock.ready.keys()].sort((a, b) => Number(b.state === 'Idle') - Number(a.state === 'Idle'))
    for (const environment of [...stock.starting, ...idleFirst]) {
      if (surplus-- <= 0) return
      this.#drop(stock, environment)
      this.#options.pool.release(environment)
    }
  }

  #fill(): void {
    let passed = 0
    while (this.#starting < this.#options.parallel && passed < this.#stocks.size) {
      const [id, stock] = this.#stocks.entries().next().value!
      this.#stocks.delete(id)
      this.#stocks.set(id, stock)
      const lacks = stock.target > stock.ready.size + stock.starting.size
      if (lacks && stock.retry === undefined && this.#start(stock)) passed = 0
      else passed++
    }
  }

  #start(stock: Stock): boolean {
    const environment = this.#options.pool.startAhead(stock.version, {
      ready: () => {
        if (!stock.starting.delete(environment!)) return
        this.#starting--
        stock.ready.set(environment!, performance.now())
        stock.failure = undefined
        this.#moved(stock)
      },
      failed: (failure) => {
        if (stock.starting.has(environment!)) this.#failed(stock, failure)
      },
      gone: () => {
        const since = stock.ready.get(environment!)
        if (since !== undefined && performance.now() - since < STABLE_MS) this.#failed(stock, { kind: 'lost' })
        if (this.#drop(stock, environment!)) this.#moved(stock)
      },
    })
    if (environment === undefined) {
      this.#failed(stock, { kind: 'room' })
      this.#giveUpKept(stock)
      this.#notify(stock)
      return false
    }
    stock.starting.add(environment)
    this.#starting++
    return true
  }

  /** Where there is no room for old and new at once, the old makes room: the retry then finds it. */
  #giveUpKept({ wantedBy }: Stock): void {
    const kept = wantedBy.map((id) => this.#demands.get(id)).filter((demand) => demand && demand.kept.length > 0)
    if (kept.length === 0) return
    for (const demand of kept) demand!.kept = []
    queueMicrotask(() => this.#settle())
  }

  /** `false`: it was not one of these any more. */
  #drop(stock: Stock, environment: ExecutionEnvironment): boolean {
    if (stock.starting.delete(environment)) {
      this.#starting--
      return true
    }
    return stock.ready.delete(environment)
  }

  #failed(stock: Stock, failure: ProvisionFailure): void {
    if (this.#closed) return
    const now = performance.now()
    if (now - stock.failedAt > RETRY_MAX_MS) stock.failures = 0
    stock.failure = failure
    stock.failedAt = now
    const delay = Math.min(RETRY_MAX_MS, (this.#options.retryMinMs ?? RETRY_MIN_MS) * 2 ** Math.min(stock.failures, 16))
    stock.failures++
    clearTimeout(stock.retry)
    stock.retry = setTimeout(() => {
      stock.retry = undefined
      this.#settle()
    }, delay)
    stock.retry.unref()
  }

  #moved(stock: Stock): void {
    if (this.#closed) return
    const { wantedBy } = stock
    this.#settle()
    for (const id of wantedBy) this.#options.changed(id)
  }

  #notify(stock: Stock): void {
    for (const id of stock.wantedBy) this.#options.changed(id)
  }

  #stock(version: FunctionVersion): Stock {
    let stock = this.#stocks.get(version.deploymentId)
    if (stock === undefined) {
      stock = {
        version,
        target: 0,
        wantedBy: [],
        starting: new Set(),
        ready: new Map(),
        failure: undefined,
        failures: 0,
        failedAt: Number.NEGATIVE_INFINITY,
        retry: undefined,
      }
      this.#stocks.set(version.deploymentId, stock)
    }
    return stock
  }
}

/** The larger count of each version. */
function most(a: readonly Share[], b: readonly Share[]): Share[] {
  const shares = new Map<string, Share>()
  for (const share of [...a, ...b]) {
    const known = shares.get(share.version.deploymentId)
    if (known === undefined || known.count < share.count) shares.set(share.version.deploymentId, share)
  }
  return [...shares.values()]
}
