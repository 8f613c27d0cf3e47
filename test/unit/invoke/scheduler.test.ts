/**
 * Random interleavings of everything that decides who runs: invoke, update, delete, alias move, reservations, provisioned concurrency,
 * failing starts, crashes and lost sandboxes, on the real scheduler (Resolver, Concurrency, Invoker, EnvironmentPool, Provisioner,
 * Allocation, Retirement); only the store and the sandboxes are stand-ins.
 */
import { describe, expect, it } from 'vitest'
import { EnvironmentPool } from '../../../src/execution/pool/pool.ts'
import { Provisioner } from '../../../src/execution/pool/provisioner.ts'
import { Allocation } from '../../../src/invoke/allocation.ts'
import { BufferedAnswer } from '../../../src/invoke/buffered-answer.ts'
import { ChangeReader } from '../../../src/invoke/change-reader.ts'
import { Concurrency, type Limits } from '../../../src/invoke/concurrency.ts'
import { Invoker } from '../../../src/invoke/invoke.ts'
import { Resolver } from '../../../src/invoke/resolve.ts'
import { Retirement } from '../../../src/invoke/retirement.ts'
import { LambdaException } from '../../../src/lambda/errors.ts'
import type { FunctionKey, FunctionVersion } from '../../../src/lambda/function.ts'
import { SandboxError } from '../../../src/sandbox/driver.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import type { EventQueueStore } from '../../../src/store/event-queue-store.ts'
import type { InvokeTargets } from '../../../src/store/invoke-targets.ts'
import type { ProvisionedConfig, ProvisionedStore } from '../../../src/store/provisioned-store.ts'
import { Random } from '../../fuzz/random.ts'
import { fakeHost, validVersion } from '../execution/fake-host.ts'

const RUNS = 10_000
const RUNS_AT_ONCE = 50
const STEPS = 14
const ACCOUNT_LIMIT = 6
const MAX_ENVIRONMENTS = 5

const keyOf = (name: string): FunctionKey => ({ account: '1', region: 'r', name })
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

interface Stored {
  latest: FunctionVersion
  /** Two published versions; the alias `live` is on one of them, perhaps with weight on the other. */
  readonly versions: readonly FunctionVersion[]
  live: number
  weight: number
  reserved: number | undefined
  provisioned: ProvisionedConfig | undefined
}

/** What the store would answer. */
class World implements InvokeTargets {
  readonly functions = new Map<string, Stored>()

  create(name: string): void {
    const version = (text: string) => validVersion({ ...keyOf(name), version: text })
    this.functions.set(name, {
      latest: version('$LATEST'),
      versions: [version('1'), version('2')],
      live: 0,
      weight: 0,
      reserved: undefined,
      provisioned: undefined,
    })
  }

  find(key: FunctionKey, qualifier: string) {
    const stored = this.functions.get(key.name)
    if (stored === undefined) return Promise.resolve(undefined)
    if (qualifier === 'live') return Promise.resolve({ versions: this.#behind(stored) })
    const version = qualifier === '$LATEST' ? stored.latest : stored.versions[Number(qualifier) - 1]
    return Promise.resolve(version && { versions: [{ version, weight: 1 }] })
  }

  #behind({ versions, live, weight }: Stored) {
    return [
      { version: versions[live]!, weight: 1 - weight },
      { version: versions[1 - live]!, weight },
    ].filter((each) => each.weight > 0)
  }

  reservations() {
    const all = [...this.functions].flatMap(([name, { reserved }]) =>
      reserved === undefined ? [] : [[name, reserved] as const],
    )
    return Promise.resolve(new Map(all))
  }

  provisioned() {
    const all = [...this.functions].flatMap(([name, stored]) => {
      if (stored.provisioned === undefined) return []
      // The alias is not weighted while it is provisioned: shares are tested elsewhere.
      return [[name, new Map([[stored.versions[stored.live]!.version, stored.provisioned.requested]])] as const]
    })
    return Promise.resolve(new Map(all))
  }

  readonly changes = new RecentChanges()

  /** What every function but this takes out of the account. */
  takenByOthers(name: string): number {
    let taken = 0
    for (const [other, { reserved, provisioned }] of this.functions) {
      if (other !== name) taken += reserved ?? provisioned?.requested ?? 0
    }
    return taken
  }
}

/** Every permit is compared with a count of all running invocations under the limits that were set last. */
class Watched extends Concurrency {
  readonly permits: { name: string; version: string }[] = []
  #limits: Limits = { reserved: new Map(), provisioned: new Map() }

  override setLimits(account: string, region: string, limits: Limits): void {
    this.#limits = limits
    super.setLimits(account, region, limits)
    this.#probe()
  }

  override acquire(key: FunctionKey, version: string, synchronous: boolean): void {
    const allowed = this.#allowed(key.name, version)
    let got = true
    try {
      super.acquire(key, version, synchronous)
    } catch (error) {
      expect(error).toBeInstanceOf(LambdaException)
      got = false
    }
    expect(got).toBe(allowed)
    if (!got) throw new LambdaException('TooManyRequestsException', 'Rate Exceeded.')
    this.permits.push({ name: key.name, version })
    expect(this.permits.length).toBeLessThanOrEqual(ACCOUNT_LIMIT)
    const reserved = this.#limits.reserved.get(key.name)
    if (reserved !== undefined) expect(this.#of(key.name)).toBeLessThanOrEqual(reserved)
  }

  override release(key: FunctionKey, version: string): void {
    const index = this.permits.findIndex((one) => one.name === key.name && one.version === version)
    expect(index).toBeGreaterThanOrEqual(0)
    this.permits.splice(index, 1)
    super.release(key, version)
    expect(this.total()).toBe(this.permits.length)
    this.#probe()
  }

  /** Every version is asked for a permit, so that a wrong count shows at once and not only when an invocation happens to meet it. */
  #probe(): void {
    for (const name of ['f', 'g']) {
      for (const version of ['$LATEST', '1', '2']) {
        let got = true
        try {
          super.acquire(keyOf(name), version, false)
        } catch {
          got = false
        }
        if (got) super.release(keyOf(name), version)
        if (got !== this.#allowed(name, version)) {
          throw new Error(`a permit for ${name}:${version} is ${got ? 'given' : 'refused'} wrongly`)
        }
      }
    }
  }

  #of(name: string): number {
    return this.permits.filter((one) => one.name === name).length
  }

  #allowed(name: string, version: string): boolean {
    const { reserved, provisioned } = this.#limits
    if (this.permits.length >= ACCOUNT_LIMIT) return false
    const limit = reserved.get(name)
    if (limit !== undefined && this.#of(name) >= limit) return false
    const mine = this.permits.filter((one) => one.name === name && one.version === version).length
    if (mine < (provisioned.get(name)?.get(version) ?? 0)) return true
    if (limit !== undefined) return this.#onDemand(name) + this.#provisioned(name) < limit
    const names = new Set([...this.permits.map((one) => one.name), ...provisioned.keys()])
    let left = ACCOUNT_LIMIT
    for (const count of reserved.values()) left -= count
    for (const one of names) if (!reserved.has(one)) left -= this.#provisioned(one) + this.#onDemand(one)
    return left > 0
  }

  #provisioned(name: string): number {
    return [...(this.#limits.provisioned.get(name)?.values() ?? [])].reduce((sum, count) => sum + count, 0)
  }

  #onDemand(name: string): number {
    return ['$LATEST', '1', '2'].reduce((sum, version) => {
      const running = this.permits.filter((one) => one.name === name && one.version === version).length
      return sum + Math.max(0, running - (this.#limits.provisioned.get(name)?.get(version) ?? 0))
    }, 0)
  }
}

async function run(seed: number): Promise<void> {
  const generator = new Random(seed)
  const random = (below: number) => generator.below(below)
  const world = new World()
  const held: { finish(): void; crash(): void; lose(): void }[] = []
  let refuseNext = 0
  const fake = fakeHost({
    refuseStart: () =>
      refuseNext > 0 && refuseNext-- > 0 ? new SandboxError('unexpected', 'Test', 'no engine', '') : undefined,
    behaviour: {
      event: (runtime, event) => {
        held.push({
          finish: () => {
            runtime.respond(event, '1')
            runtime.session.ready()
          },
          crash: () => runtime.sandbox.exit({ process: 'runtime', code: 1, outOfMemory: false }),
          lose: () => runtime.sandbox.lost('taken away'),
        })
      },
    },
  })
  const concurrency = new Watched({ accountLimit: ACCOUNT_LIMIT })
  const resolver = new Resolver(world, concurrency)
  const pool = new EnvironmentPool(fake.host, {
    idleTimeoutMs: 60_000,
    maxEnvironments: MAX_ENVIRONMENTS,
    waitForEnvironmentMs: 60_000,
  })
  const invoker = new Invoker({
    resolver,
    concurrency,
    pool,
    queue: {} as EventQueueStore,
    bus: fake.host.bus,
    logFailure: () => {},
    wakeQueue: () => {},
    clock: Date.now,
  })
  const provisioner = new Provisioner({ pool, parallel: 2, changed: (id) => allocation.progressed(id), retryMinMs: 1 })
  const store = {
    of: (key: FunctionKey) => {
      const config = world.functions.get(key.name)?.provisioned
      return Promise.resolve(config === undefined ? [] : [config])
    },
    report: () => Promise.resolve(true),
  } as unknown as ProvisionedStore
  const allocation = new Allocation({ store, targets: world, provisioner, log: () => {} })
  const retirement = new Retirement({ targets: world, resolver, pool })
  const readers = [retirement, allocation].map(
    (consumer) => new ChangeReader({ feed: world.changes, consumer, failed: () => {} }),
  )
  const changed = (name: string) => {
    world.changes.announce(keyOf(name))
  }

  let open = 0
  const invoke = (name: string, qualifier: string) => {
    open++
    const request = {
      caller: { kind: 'account', account: '1' },
      key: keyOf(name),
      qualifier,
      requestId: `r-${open}`,
      invocationType: 'RequestResponse',
      tail: false,
      clientContext: undefined,
      traceHeader: 'Root=1',
      payload: Buffer.from('{}'),
    } as const
    invoker.invoke(request, new BufferedAnswer()).then(
      () => open--,
      (error: unknown) => {
        open--
        if (!(error instanceof LambdaException)) throw error
      },
    )
  }
  const endOne = () => {
    const one = held.splice(random(held.length), 1)[0]
    if (one === undefined) return
    const way = random(8)
    if (way === 0) one.crash()
    else if (way === 1) one.lose()
    else one.finish()
  }
  const change = (name: string, stored: Stored) => {
    const room = ACCOUNT_LIMIT - world.takenByOthers(name)
    const provisioned = stored.provisioned?.requested ?? 0
    switch (random(6)) {
      case 0:
        stored.latest = validVersion({ ...keyOf(name), version: '$LATEST' })
        break
      case 1:
        stored.live = 1 - stored.live
        stored.weight = stored.provisioned === undefined && random(2) === 0 ? 0.5 : 0
        if (stored.provisioned) stored.provisioned = { ...stored.provisioned, revision: String(random(1e9)) }
        break
      case 2:
        stored.reserved = random(3) === 0 ? undefined : Math.max(provisioned, random(room + 1))
        break
      case 3: {
        const requested = random(Math.min(stored.reserved ?? room, 3) + 1)
        stored.weight = 0
        stored.provisioned =
          requested === 0
            ? undefined
            : {
                qualifier: 'live',
                requested,
                allocated: 0,
                available: 0,
                status: 'IN_PROGRESS',
                statusReason: undefined,
                lastModified: 0,
                revision: String(random(1e9)),
              }
        break
      }
      case 4:
        if (random(3) === 0) world.functions.delete(name)
        break
      default:
        refuseNext = random(3)
    }
    changed(name)
  }

  for (let step = 0; step < STEPS; step++) {
    const name = random(2) === 0 ? 'f' : 'g'
    const stored = world.functions.get(name)
    if (stored === undefined) {
      world.create(name)
      changed(name)
    } else {
      const what = random(9)
      if (what < 3) change(name, stored)
      else if (what < 5) endOne()
      else invoke(name, ['$LATEST', 'live', '1', '2'][random(4)]!)
    }
    // An environment that was given up for another one counts no more.
    const living = pool.environments().filter(({ state }) => state !== 'Shutdown')
    expect(living.length).toBeLessThanOrEqual(MAX_ENVIRONMENTS)
    for (let turns = random(4); turns > 0; turns--) await turn()
  }
  // Nobody starves: once what runs ends and nothing new comes, every invocation is answered.
  refuseNext = 0
  for (let turns = 0; open > 0; turns++) {
    if (turns > 1_000_000) throw new Error(`${open} invocations wait for ever`)
    for (const one of held.splice(0)) one.finish()
    await turn()
  }
  expect(concurrency.total()).toBe(0)
  for (const name of ['f', 'g']) {
    world.functions.delete(name)
    changed(name)
  }
  provisioner.close()
  for (const reader of readers) await reader.close()
  await pool.close()
  expect(fake.live()).toBe(0)
  expect(pool.total).toBe(0)
}

describe('the scheduler', () => {
  it(`keeps every limit, leaks no permit and lets no invocation starve in ${RUNS} random interleavings`, async () => {
    const unfinished = new Set<number>()
    for (let first = 0; first < RUNS; first += RUNS_AT_ONCE) {
      await Promise.all(
        Array.from({ length: RUNS_AT_ONCE }, async (_, index) => {
          const seed = first + index
          unfinished.add(seed)
          await run(seed).catch((error: unknown) => {
            throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
          })
          unfinished.delete(seed)
        }),
      )
    }
    expect(unfinished).toEqual(new Set())
  }, 300_000)
})
