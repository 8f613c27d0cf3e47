/**
 * Name and qualifier to the version that runs. Cached until the function changes; a warm invoke reads neither store nor disk.
 */
import { type FunctionKey, type FunctionVersion, functionId } from '../lambda/function.ts'
import type { InvokeTarget, InvokeTargets } from '../store/invoke-targets.ts'
import type { Concurrency } from './concurrency.ts'

/** Functions kept in the cache; the one read longest ago leaves first. */
const CACHED_FUNCTIONS = 20_000

export class Resolver {
  readonly #targets: InvokeTargets
  readonly #concurrency: Concurrency
  /** By function id, then by qualifier. */
  readonly #cache = new Map<string, Map<string, InvokeTarget>>()
  /** Grows with every change: what was read from the store before a change is not cached after it. */
  #generation = 0
  readonly #limitsLoaded = new Set<string>()

  constructor(targets: InvokeTargets, concurrency: Concurrency) {
    this.#targets = targets
    this.#concurrency = concurrency
  }

  /** Forgets a function; called for each committed change. Limits of its account are read again. */
  async changed(key: FunctionKey): Promise<void> {
    this.#generation++
    this.#cache.delete(functionId(key))
    const account = `${key.account}/${key.region}`
    if (this.#limitsLoaded.has(account)) await this.loadLimits(key)
  }

  /** What is known without asking the store. */
  cached(key: FunctionKey, qualifier: string): InvokeTarget | undefined {
    return this.#cache.get(functionId(key))?.get(qualifier)
  }

  /** `undefined`: the function, version or alias does not exist. */
  async resolve(key: FunctionKey, qualifier: string): Promise<InvokeTarget | undefined> {
    const known = this.cached(key, qualifier)
    if (known !== undefined) return known
    const generation = this.#generation
    const target = await this.#targets.find(key, qualifier)
    // Of what does not exist nothing is kept, not even the region that a caller made up.
    if (target === undefined) return undefined
    if (!this.limitsKnown(key)) await this.loadLimits(key)
    if (generation === this.#generation) this.#remember(key, qualifier, target)
    return target
  }

  limitsKnown(key: FunctionKey): boolean {
    return this.#limitsLoaded.has(`${key.account}/${key.region}`)
  }

  /** Reads the limits of the function's account and region, and of no other function there again until something changes. */
  async loadLimits(key: FunctionKey): Promise<void> {
    const account = `${key.account}/${key.region}`
    for (;;) {
      const generation = this.#generation
      const [reserved, provisioned] = await Promise.all([
        this.#targets.reservations(key.account, key.region),
        this.#targets.provisioned(key.account, key.region),
      ])
      if (generation !== this.#generation) continue
      this.#concurrency.setLimits(key.account, key.region, { reserved, provisioned })
      this.#limitsLoaded.add(account)
      return
    }
  }

  #remember(key: FunctionKey, qualifier: string, target: InvokeTarget): void {
    const id = functionId(key)
    const qualifiers = this.#cache.get(id) ?? new Map<string, InvokeTarget>()
    qualifiers.set(qualifier, target)
    this.#cache.delete(id)
    this.#cache.set(id, qualifiers)
    if (this.#cache.size > CACHED_FUNCTIONS) this.#cache.delete(this.#cache.keys().next().value!)
  }
}

/** Draws the version of one invocation: behind a weighted alias each draws for itself. */
export function drawVersion(target: InvokeTarget, random: () => number = Math.random): FunctionVersion {
  const { versions } = target
  let draw = versions.length > 1 ? random() : 0
  for (const { version, weight } of versions) {
    if (draw < weight) return version
    draw -= weight
  }
  return versions[versions.length - 1]!.version
}
