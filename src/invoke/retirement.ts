/** When a function changes: read the limits of its account again, and retire environments that belong to none of its versions any more. */
import type { EnvironmentPool } from '../execution/pool/pool.ts'
import { type FunctionKey, functionId } from '../lambda/function.ts'
import type { InvokeTargets } from '../store/invoke-targets.ts'
import type { ChangeConsumer } from './change-reader.ts'
import type { Resolver } from './resolve.ts'

export interface RetirementOptions {
  readonly targets: InvokeTargets
  readonly resolver: Resolver
  readonly pool: EnvironmentPool
}

export class Retirement implements ChangeConsumer {
  readonly #options: RetirementOptions

  constructor(options: RetirementOptions) {
    this.#options = options
  }

  /** Invocations that run finish on the code they started with. */
  async changed(keys: readonly FunctionKey[]): Promise<void> {
    await this.#options.resolver.changed(keys)
    for (const key of keys) await this.#retire(key)
  }

  async refresh(): Promise<void> {
    const { resolver, pool } = this.#options
    await resolver.refresh()
    const running = new Map(pool.environments().map(({ version }) => [functionId(version), version]))
    for (const key of running.values()) await this.#retire(key)
  }

  async #retire(key: FunctionKey): Promise<void> {
    const { pool, targets } = this.#options
    // Only of these is it decided: what begins to run meanwhile may be newer than what is read.
    const running = pool.versionsOf(key)
    const current = new Set<string>()
    for (const version of new Set(running.map(({ version }) => version))) {
      const target = await targets.find(key, version)
      for (const each of target?.versions ?? []) current.add(each.version.deploymentId)
    }
    pool.retire(running.filter(({ deploymentId }) => !current.has(deploymentId)))
  }
}
