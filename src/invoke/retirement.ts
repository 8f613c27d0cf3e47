/** When a function changes: forget what was cached of it, and retire environments that belong to none of its versions any more. */
import type { EnvironmentPool } from '../execution/pool.ts'
import type { FunctionKey } from '../lambda/function.ts'
import type { InvokeTargets } from '../store/invoke-targets.ts'
import type { Resolver } from './resolve.ts'

export interface RetirementOptions {
  readonly targets: InvokeTargets
  readonly resolver: Resolver
  readonly pool: EnvironmentPool
  readonly log: (message: string, fields: Record<string, unknown>) => void
}

export class Retirement {
  readonly #options: RetirementOptions

  constructor(options: RetirementOptions) {
    this.#options = options
  }

  /** Called for each committed change. Invocations that run finish on the code they started with. */
  changed(key: FunctionKey): void {
    const { log } = this.#options
    this.#apply(key).catch((error: unknown) => {
      log('environments of a changed function could not be checked; they end when they are idle', {
        function: key.name,
        error: String(error),
      })
    })
  }

  async #apply(key: FunctionKey): Promise<void> {
    const { resolver, pool, targets } = this.#options
    await resolver.changed(key)
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
