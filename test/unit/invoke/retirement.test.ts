import { afterAll, describe, expect, it } from 'vitest'
import { EnvironmentPool } from '../../../src/execution/pool/pool.ts'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import { Resolver } from '../../../src/invoke/resolve.ts'
import { Retirement } from '../../../src/invoke/retirement.ts'
import type { FunctionVersion } from '../../../src/lambda/function.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import type { InvokeTarget } from '../../../src/store/invoke-targets.ts'
import { run as complete, fakeHost, until, validVersion } from '../execution/fake-host.ts'

const { host, live } = fakeHost()
const pool = new EnvironmentPool(host, { idleTimeoutMs: 60_000, maxEnvironments: 10, waitForEnvironmentMs: 1000 })
const versions = new Map<string, FunctionVersion>()
/** Reads of the store that have not been answered. */
const reads: (() => void)[] = []
const targets = {
  find: (_key: unknown, version: string) =>
    new Promise<InvokeTarget | undefined>((resolve) => {
      const found = versions.get(version)
      reads.push(() => resolve(found && { versions: [{ version: found, weight: 1 }] }))
    }),
  reservations: () => Promise.resolve(new Map<string, number>()),
  provisioned: () => Promise.resolve(new Map<string, Map<string, number>>()),
  changes: new RecentChanges(),
}
const resolver = new Resolver(targets, new Concurrency({ accountLimit: 10 }))
const retirement = new Retirement({ targets, resolver, pool })

async function run(version: FunctionVersion): Promise<string> {
  const environment = await pool.acquire(version)
  const invocation = {
    requestId: 'r',
    invokedFunctionArn: 'arn',
    traceHeader: '',
    payload: Buffer.from('1'),
    tail: false,
  }
  await complete(environment, invocation)
  await until(() => environment.state !== 'Invoke')
  return environment.id
}
function deploy(version: string): FunctionVersion {
  const deployed = validVersion({ version })
  versions.set(version, deployed)
  return deployed
}

afterAll(() => pool.close())

describe('the change of a function', () => {
  it('retires what was there before it, and nothing that began to run while the store was read', async () => {
    const old = deploy('$LATEST')
    await run(old)
    deploy('$LATEST')
    void retirement.changed([old])
    await until(() => reads.length === 1)
    const published = deploy('1')
    const first = await run(published)
    reads.shift()!()
    await until(() => live() === 1)
    expect(await run(published)).toBe(first)
    expect(pool.versionsOf(old).map(({ version }) => version)).toEqual(['1'])
  })

  it('is found for everything that runs when the feed has a gap', async () => {
    const old = deploy('$LATEST')
    await run(old)
    deploy('$LATEST')
    const before = live()
    const refreshed = retirement.refresh()
    while (live() === before) {
      reads.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    while (reads.length > 0) reads.shift()!()
    await refreshed
    expect(pool.versionsOf(old).every(({ deploymentId }) => deploymentId !== old.deploymentId)).toBe(true)
  })
})
