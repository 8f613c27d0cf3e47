/**
 * Provisioned concurrency between store and environments: when a function changes, and once at start, what its configurations ask for
 * becomes the provisioner's demand; what the provisioner reaches becomes their status. The control plane only reads and writes the store.
 */
import type { Progress, Provisioner, Share } from '../execution/pool/provisioner.ts'
import { type FunctionKey, functionId } from '../lambda/function.ts'
import { provisionedShares } from '../lambda/provisioned.ts'
import type { InvokeTargets } from '../store/invoke-targets.ts'
import type { ProvisionedConfig, ProvisionedReport, ProvisionedStore } from '../store/provisioned-store.ts'
import type { ProvisionedCount } from '../telemetry/gauges.ts'
import type { ChangeConsumer } from './change-reader.ts'

/** Milliseconds until a status that could not be stored is stored again. */
const REWRITE_MS = 5_000

export interface AllocationOptions {
  readonly store: ProvisionedStore
  readonly targets: InvokeTargets
  readonly provisioner: Provisioner
  readonly log: (message: string, fields: Record<string, unknown>) => void
}

/** A configuration as it was last read. */
interface Known {
  readonly key: FunctionKey
  readonly config: ProvisionedConfig
  /** A version behind it cannot run yet: what its environments are of is an earlier demand. */
  readonly pending: boolean
  /** Why it never will. */
  readonly problem: string | undefined
  /** The last report, to write only what changed. */
  written: string | undefined
  writing: boolean
  again: boolean
}

export class Allocation implements ChangeConsumer {
  readonly #options: AllocationOptions
  /** By function id, then by qualifier. */
  readonly #known = new Map<string, Map<string, Known>>()
  /** One reading after the other: what was read later is newer. */
  #reading: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: AllocationOptions) {
    this.#options = options
  }

  /** Takes up every stored configuration: environments do not survive a host, configurations do. */
  async start(): Promise<void> {
    await this.changed(await this.#options.store.restart())
  }

  /** Writes and reads nothing more. */
  stop(): void {
    this.#stopped = true
    this.#known.clear()
  }

  changed(keys: readonly FunctionKey[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const key of keys) await this.#read(key)
    })
  }

  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const known = [...this.#known.values()].flatMap((configs) => [...configs.values()].map(({ key }) => key))
      const stored = await this.#options.store.functions()
      const all = new Map([...known, ...stored].map((key) => [functionId(key), key]))
      for (const key of all.values()) await this.#read(key)
    })
  }

  #inTurn(read: () => Promise<void>): Promise<void> {
    const turn = this.#reading.then(read)
    this.#reading = turn.catch(() => {})
    return turn
  }

  /** The provisioner has come further with a configuration. */
  progressed(id: string): void {
    const at = id.lastIndexOf(':')
    const known = this.#known.get(id.slice(0, at))?.get(id.slice(at + 1))
    if (known !== undefined) this.#report(known)
  }

  /** For metrics. */
  counts(): ProvisionedCount[] {
    return [...this.#known.values()].flatMap((configs) =>
      [...configs.values()].map(({ key, config: { qualifier, requested } }) => {
        const { allocated = 0, available = 0 } = this.#options.provisioner.progress(idOf(key, qualifier)) ?? {}
        const { account, region, name } = key
        return { function: { account, region, name }, qualifier, requested, allocated, available }
      }),
    )
  }

  async #read(key: FunctionKey): Promise<void> {
    if (this.#stopped) return
    const { store, targets, provisioner } = this.#options
    const id = functionId(key)
    const before = this.#known.get(id)
    const configs = await store.of(key)
    if (before === undefined && configs.length === 0) return
    const after = new Map<string, Known>()
    const demands: (readonly [id: string, shares: Share[]])[] = []
    for (const config of configs) {
      const { qualifier, requested } = config
      const target = await targets.find(key, qualifier)
      const versions = target?.versions ?? []
      const failed = versions.find(({ version }) => version.state === 'Failed')?.version
      const runnable = versions.filter(({ version }) => version.state === 'Active')
      // A version that is still Pending announces itself when it is Active; what is there stays until then.
      const pending = runnable.length < versions.length
      if (!pending) {
        demands.push([idOf(key, qualifier), provisionedShares(requested, versions).filter(({ count }) => count > 0)])
      }
      const known = before?.get(qualifier)
      after.set(qualifier, {
        key,
        config,
        pending,
        problem: failed && (failed.stateReason ?? 'The function could not be made ready.'),
        written: known?.config.revision === config.revision ? known.written : undefined,
        writing: false,
        again: false,
      })
    }
    if (this.#stopped) return
    for (const qualifier of before?.keys() ?? []) {
      if (!after.has(qualifier)) provisioner.demand(idOf(key, qualifier), [])
    }
    if (after.size === 0) this.#known.delete(id)
    else this.#known.set(id, after)
    for (const [demand, shares] of demands) provisioner.demand(demand, shares)
    for (const known of after.values()) this.#report(known)
  }

  /** One write at a time for each configuration; what happens meanwhile is written together afterwards. */
  #report(known: Known): void {
    if (known.writing) {
      known.again = true
      return
    }
    const { key, config } = known
    const progress = known.pending ? undefined : this.#options.provisioner.progress(idOf(key, config.qualifier))
    const report = reportOf(config.requested, progress, known.problem)
    const text = JSON.stringify(report)
    if (text === known.written) return
    known.written = text
    known.writing = true
    if (report.status === 'FAILED') {
      const failure = progress?.failure
      const error = failure?.kind === 'platform' ? { error: String(failure.error) } : {}
      const fields = { function: key.name, qualifier: config.qualifier, reason: report.statusReason, ...error }
      this.#options.log('provisioned concurrency could not be allocated; the host tries again', fields)
    }
    this.#options.store
      .report(key, config.qualifier, config.revision, report)
      .catch((error: unknown) => {
        known.written = undefined
        const fields = { function: key.name, qualifier: config.qualifier, error: String(error) }
        this.#options.log('the status of provisioned concurrency could not be saved; the host tries again', fields)
        setTimeout(() => this.progressed(idOf(key, config.qualifier)), REWRITE_MS).unref()
      })
      .finally(() => {
        known.writing = false
        if (!known.again) return
        known.again = false
        this.#report(known)
      })
  }
}

/** What Get shows of a configuration. Pure. */
function reportOf(requested: number, progress: Progress | undefined, problem: string | undefined): ProvisionedReport {
  const { available = 0, failure } = progress ?? {}
  // Recorded: AWS does not count an environment as allocated while it starts.
  const allocated = available
  if (available >= requested) return { allocated, available, status: 'READY', statusReason: undefined }
  const statusReason = problem ?? (failure && REASONS[failure.kind])
  return { allocated, available, status: statusReason === undefined ? 'IN_PROGRESS' : 'FAILED', statusReason }
}

const REASONS = {
  init: 'FUNCTION_ERROR_INIT_FAILURE',
  lost: 'An execution environment ended right after its initialization.',
  room: 'This host has no room for more execution environments (HEARTH_MAX_ENVIRONMENTS).',
  platform: "The host could not start an execution environment. The host's log has the reason.",
} as const

function idOf(key: FunctionKey, qualifier: string): string {
  return `${functionId(key)}:${qualifier}`
}
