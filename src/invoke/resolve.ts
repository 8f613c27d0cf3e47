/**
 * Name and qualifier to the version that runs. Cached until the function changes; a warm invoke reads neither store nor disk.
 */
import { type FunctionKey, type FunctionVersion, functionId } from '../lambda/function.ts'
import type { InvokeTarget, InvokeTargets } from '../store/invoke-targets.ts'
import type { ChangeConsumer } from './change-reader.ts'
import type { Concurrency } from './concurrency.ts'

type AccountRegion = Pick<FunctionKey, 'account' | 'region'>

/** Functions kept in the cache; the one read longest ago leaves first. */
const CACHED_FUNCTIONS = 20_000

export class Resolver implements ChangeConsumer {
  readonly #targets: InvokeTargets
  readonly #concurrency: Concurrency
  /** By function id, then by qualifier. */
  readonly #cache = new Map<string, Map<string, InvokeTarget>>()
  /** Up to which the cache knows of changes: what was read from the store before a change is not cached after it. */
  #position: number
  /** Accounts and regions whose limits were read. */
  readonly #limitsLoaded = new Map<string, AccountRegion>()

  constructor(targets: InvokeTargets, concurrency: Concurrency) {
    this.#targets = targets
    this.#concurrency = concurrency
    this.#position = targets.changes.position
  }

  /** Reads the limits of the functions' accounts again. The cache needs no call: it looks at the feed whenever it is asked. */
  async changed(keys: readonly FunctionKey[]): Promise<void> {
    for (const [account, key] of new Map(keys.map((each) => [accountOf(each), each]))) {
      if (this.#limitsLoaded.has(account)) await this.loadLimits(key)
    }
  }

  async refresh(): Promise<void> {
    for (const key of [...this.#limitsLoaded.values()]) await this.loadLimits(key)
  }

  /** What is known without asking the store. */
  cached(key: FunctionKey, qualifier: string): InvokeTarget | undefined {
    this.#catchUp()
    return this.#cache.get(functionId(key))?.get(qualifier)
  }

  /** `undefined`: the function, version or alias does not exist. */
  async resolve(key: FunctionKey, qualifier: string): Promise<InvokeTarget | undefined> {
    const known = this.cached(key, qualifier)
    if (known !== undefined) return known
    const position = this.#position
    const target = await this.#targets.find(key, qualifier)
    // Of what does not exist nothing is kept, not even the region that a caller made up.
    if (target === undefined) return undefined
    if (!this.limitsKnown(key)) await this.loadLimits(key)
    this.#catchUp()
    if (position === this.#position) this.#remember(key, qualifier, target)
    return target
  }

  limitsKnown(key: FunctionKey): boolean {
    return this.#limitsLoaded.has(accountOf(key))
  }

  /** Reads the limits of the function's account and region, and of no other function there again until something changes. */
  async loadLimits(key: AccountRegion): Promise<void> {
    for (;;) {
      this.#catchUp()
      const position = this.#position
      const [reserved, provisioned] = await Promise.all([
        this.#targets.reservations(key.account, key.region),
        this.#targets.provisioned(key.account, key.region),
      ])
      this.#catchUp()
      if (position !== this.#position) continue
      this.#concurrency.setLimits(key.account, key.region, { reserved, provisioned })
      this.#limitsLoaded.set(accountOf(key), { account: key.account, region: key.region })
      return
    }
  }

  /** Forgets what has changed since. */
  #catchUp(): void {
    const { changes } = this.#targets
    if (changes.position === this.#position) return
    const { position, keys } = changes.read(this.#position)
    this.#position = position
    if (keys === 'gap') this.#cache.clear()
    else for (const key of keys) this.#cache.delete(functionId(key))
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

function accountOf({ account, region }: AccountRegion): string {
  return `${account}/${region}`
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
