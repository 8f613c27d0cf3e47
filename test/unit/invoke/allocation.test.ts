import { afterEach, describe, expect, it, vi } from 'vitest'
import { EnvironmentPool } from '../../../src/execution/pool/pool.ts'
import { Provisioner } from '../../../src/execution/pool/provisioner.ts'
import { Allocation } from '../../../src/invoke/allocation.ts'
import type { FunctionVersion } from '../../../src/lambda/function.ts'
import type { InvokeTargets } from '../../../src/store/invoke-targets.ts'
import type { ProvisionedConfig, ProvisionedReport, ProvisionedStore } from '../../../src/store/provisioned-store.ts'
import { type FakeHostOptions, fakeHost, until, validVersion } from '../execution/fake-host.ts'

let close: () => Promise<void>
afterEach(() => close())

function allocated(version: FunctionVersion, options: FakeHostOptions = {}) {
  const fake = fakeHost(options)
  const pool = new EnvironmentPool(fake.host, { idleTimeoutMs: 1000, maxEnvironments: 10, waitForEnvironmentMs: 1000 })
  const provisioner = new Provisioner({
    pool,
    parallel: 2,
    changed: (id) => allocation.progressed(id),
    retryMinMs: 3_600_000,
  })
  close = async () => {
    provisioner.close()
    await pool.close()
  }
  const world = { version, configs: [] as ProvisionedConfig[] }
  const reports: (ProvisionedReport & { readonly revision: string })[] = []
  const logged: string[] = []
  let fail = 0
  const store = {
    restart: () => Promise.resolve([version]),
    functions: () => Promise.resolve(world.configs.length > 0 ? [version] : []),
    of: () => Promise.resolve(world.configs),
    report: (_key: unknown, _qualifier: string, revision: string, report: ProvisionedReport) => {
      if (fail-- > 0) return Promise.reject(new Error('disk full'))
      reports.push({ revision, ...report })
      return Promise.resolve(true)
    },
  } as unknown as ProvisionedStore
  const targets = {
    find: () => Promise.resolve({ versions: [{ version: world.version, weight: 1 }] }),
  } as unknown as InvokeTargets
  const allocation = new Allocation({ store, targets, provisioner, log: (message) => logged.push(message) })
  const ask = (requested: number, revision: string) => {
    world.configs = [
      {
        qualifier: 'live',
        requested,
        revision,
        allocated: 0,
        available: 0,
        status: 'IN_PROGRESS',
        statusReason: undefined,
        lastModified: 0,
      },
    ]
    void allocation.changed([version])
  }
  const last = () => reports.at(-1)
  return { ...fake, pool, world, allocation, ask, reports, last, logged, failWrites: (count: number) => (fail = count) }
}

describe('the status of provisioned concurrency', () => {
  it('is IN_PROGRESS until all is available, then READY', async () => {
    const version = validVersion({ version: '1' })
    const { account, region, name } = version
    const { ask, reports, last, allocation } = allocated(version)
    ask(3, 'r1')
    await until(() => last()?.status === 'READY')
    expect(last()).toEqual({ revision: 'r1', allocated: 3, available: 3, status: 'READY', statusReason: undefined })
    expect(reports.slice(0, -1).every(({ status }) => status === 'IN_PROGRESS')).toBe(true)
    expect(allocation.counts()).toEqual([
      { function: { account, region, name }, qualifier: 'live', requested: 3, allocated: 3, available: 3 },
    ])
  })

  it('counts no environment as allocated that still starts', async () => {
    let boot = () => {}
    const { ask, last, reports, runtimes, allocation } = allocated(validVersion({ version: '1' }), {
      behaviour: { boot: ({ session }) => (boot = () => session.ready()) },
    })
    ask(1, 'r1')
    await until(() => runtimes.length === 1 && allocation.counts()[0]?.allocated === 1)
    expect(reports.map(({ allocated, available }) => [allocated, available])).toEqual([[0, 0]])
    await until(() => runtimes[0]?.boots === 1)
    await new Promise(setImmediate)
    boot()
    await until(() => last()?.status === 'READY')
    expect(last()).toMatchObject({ allocated: 1, available: 1 })
  })

  it('is FAILED with the recorded reason when Init fails', async () => {
    const { ask, last, logged } = allocated(validVersion({ version: '1' }), {
      behaviour: { boot: ({ session }) => session.initError({ payload: Buffer.from('{}'), errorType: 'Error' }) },
    })
    ask(1, 'r1')
    await until(() => last()?.status === 'FAILED')
    expect(last()).toMatchObject({ allocated: 0, available: 0, statusReason: 'FUNCTION_ERROR_INIT_FAILURE' })
    expect(logged).toContain('provisioned concurrency could not be allocated; the host tries again')
  })

  it('waits for a version that is Pending and says why one that Failed is not allocated', async () => {
    const { ask, last, world, allocation, pool } = allocated(validVersion({ version: '1', state: 'Pending' }))
    ask(1, 'r1')
    await until(() => last()?.status === 'IN_PROGRESS')
    expect(pool.total).toBe(0)
    world.version = validVersion({ version: '1', state: 'Failed', stateReason: 'no image' })
    void allocation.changed([world.version])
    await until(() => last()?.status === 'FAILED')
    expect(last()?.statusReason).toBe('no image')
    world.version = validVersion({ version: '1' })
    void allocation.changed([world.version])
    await until(() => last()?.status === 'READY')
  })

  it('releases everything when the configuration is gone', async () => {
    const { ask, last, world, allocation, pool } = allocated(validVersion({ version: '1' }))
    ask(2, 'r1')
    await until(() => last()?.status === 'READY')
    world.configs = []
    void allocation.changed([world.version])
    await until(() => pool.total === 0)
    expect(allocation.counts()).toEqual([])
  })

  it('is written again after a write that failed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { ask, last, logged, failWrites, allocation } = allocated(validVersion({ version: '1', state: 'Pending' }))
      failWrites(1)
      ask(1, 'r1')
      while (logged.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(last()).toBeUndefined()
      await vi.advanceTimersByTimeAsync(5_000)
      expect(last()?.status).toBe('IN_PROGRESS')
      allocation.stop()
    } finally {
      vi.useRealTimers()
    }
  })

  it('is read again as a whole when the feed of changes has a gap: what is new and what is gone', async () => {
    const { ask, last, world, allocation, pool } = allocated(validVersion({ version: '1' }))
    ask(2, 'r1')
    await until(() => last()?.status === 'READY')
    world.configs = []
    await allocation.refresh()
    await until(() => pool.total === 0)
    ask(1, 'r2')
    await allocation.refresh()
    await until(() => last()?.revision === 'r2' && last()?.status === 'READY')
  })

  it('is taken up at start', async () => {
    const { world, allocation, last } = allocated(validVersion({ version: '1' }))
    world.configs = [
      {
        qualifier: '1',
        requested: 1,
        revision: 'r1',
        allocated: 0,
        available: 0,
        status: 'IN_PROGRESS',
        statusReason: undefined,
        lastModified: 0,
      },
    ]
    await allocation.start()
    await until(() => last()?.status === 'READY')
  })
})
