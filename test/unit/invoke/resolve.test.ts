import { describe, expect, it } from 'vitest'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import { drawVersion, Resolver } from '../../../src/invoke/resolve.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import type { InvokeTarget, InvokeTargets } from '../../../src/store/invoke-targets.ts'
import { validVersion } from '../execution/fake-host.ts'

const key = { account: '000000000000', region: 'us-east-1', name: 'f' }

function targets(
  find: () => Promise<InvokeTarget | undefined>,
): InvokeTargets & { reads: number; changes: RecentChanges } {
  const fake = {
    reads: 0,
    find: () => {
      fake.reads++
      return find()
    },
    reservations: () => Promise.resolve(new Map<string, number>()),
    provisioned: () => Promise.resolve(new Map<string, Map<string, number>>()),
    changes: new RecentChanges(3),
  }
  return fake
}

describe('the resolver', () => {
  it('reads the store once for a function that does not change, and again when it did', async () => {
    let version = validVersion()
    const store = targets(() => Promise.resolve({ versions: [{ version, weight: 1 }] }))
    const resolver = new Resolver(store, new Concurrency({ accountLimit: 10 }))
    await resolver.resolve(key, '$LATEST')
    await resolver.resolve(key, '$LATEST')
    expect(store.reads).toBe(1)
    version = validVersion()
    store.changes.announce(key)
    expect((await resolver.resolve(key, '$LATEST'))?.versions[0]?.version).toBe(version)
  })

  it('does not keep what it read while the function changed', async () => {
    const old = validVersion()
    let release: () => void = () => {}
    const store = targets(
      () =>
        new Promise((resolve) => {
          release = () => resolve({ versions: [{ version: old, weight: 1 }] })
        }),
    )
    const resolver = new Resolver(store, new Concurrency({ accountLimit: 10 }))
    const reading = resolver.resolve(key, '$LATEST')
    while (store.reads === 0) await new Promise((resolve) => setImmediate(resolve))
    store.changes.announce(key)
    release()
    await reading
    expect(resolver.cached(key, '$LATEST')).toBeUndefined()
  })

  it('forgets what changed and nothing else, and everything when the feed does not go back that far', async () => {
    const store = targets(() => Promise.resolve({ versions: [{ version: validVersion(), weight: 1 }] }))
    const resolver = new Resolver(store, new Concurrency({ accountLimit: 10 }))
    const other = { ...key, name: 'g' }
    for (const each of [key, other]) await resolver.resolve(each, '$LATEST')
    for (let i = 0; i < 3; i++) store.changes.announce(key)
    expect(resolver.cached(key, '$LATEST')).toBeUndefined()
    expect(resolver.cached(other, '$LATEST')).toBeDefined()
    for (let i = 0; i < 4; i++) store.changes.announce(key)
    expect(resolver.cached(other, '$LATEST')).toBeUndefined()
  })

  it('keeps nothing of a region that has no functions', async () => {
    const resolver = new Resolver(
      targets(() => Promise.resolve(undefined)),
      new Concurrency({ accountLimit: 10 }),
    )
    await resolver.resolve({ ...key, region: 'made-up-1' }, '$LATEST')
    expect(resolver.limitsKnown({ ...key, region: 'made-up-1' })).toBe(false)
  })

  it('does not remember functions that do not exist', async () => {
    const store = targets(() => Promise.resolve(undefined))
    const resolver = new Resolver(store, new Concurrency({ accountLimit: 10 }))
    expect(await resolver.resolve(key, 'x')).toBeUndefined()
    expect(await resolver.resolve(key, 'x')).toBeUndefined()
    expect(store.reads).toBe(2)
  })
})

describe('a weighted alias', () => {
  const [a, b] = [validVersion({ version: '1' }), validVersion({ version: '2' })]
  const target: InvokeTarget = {
    versions: [
      { version: a, weight: 0.8 },
      { version: b, weight: 0.2 },
    ],
  }

  it.each([
    [0, '1'],
    [0.79, '1'],
    [0.8, '2'],
    [0.999, '2'],
  ])('draws at %d version %s', (draw, version) => {
    expect(drawVersion(target, () => draw).version).toBe(version)
  })

  it('never draws a version of weight 0', () => {
    const none: InvokeTarget = {
      versions: [
        { version: a, weight: 1 },
        { version: b, weight: 0 },
      ],
    }
    expect(drawVersion(none, () => 0.9999999).version).toBe('1')
  })
})
