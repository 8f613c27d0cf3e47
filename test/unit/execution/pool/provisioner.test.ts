import { afterEach, describe, expect, it } from 'vitest'
import type { ExecutionEnvironment } from '../../../../src/execution/environment.ts'
import { EnvironmentPool, type PoolSettings } from '../../../../src/execution/pool/pool.ts'
import { Provisioner } from '../../../../src/execution/pool/provisioner.ts'
import type { FunctionVersion } from '../../../../src/lambda/function.ts'
import { type FakeHostOptions, fakeHost, run, until, validVersion } from '../fake-host.ts'

let stop: () => Promise<void> = () => Promise.resolve()
afterEach(() => stop())

interface Given {
  readonly host?: FakeHostOptions
  readonly pool?: Partial<PoolSettings>
  readonly parallel?: number
  readonly retryMinMs?: number
}

function provisioned({ host = {}, pool: settings = {}, parallel = 2, retryMinMs = 5 }: Given = {}) {
  const fake = fakeHost(host)
  const pool = new EnvironmentPool(fake.host, {
    idleTimeoutMs: 60_000,
    maxEnvironments: 100,
    waitForEnvironmentMs: 10_000,
    ...settings,
  })
  const provisioner = new Provisioner({ pool, parallel, changed: () => {}, retryMinMs })
  stop = async () => {
    provisioner.close()
    await pool.close()
  }
  const available = (id: string) => provisioner.progress(id)?.available ?? 0
  const of = (version: FunctionVersion) =>
    pool.environments().filter((one) => one.version.deploymentId === version.deploymentId)
  const invoke = async (version: FunctionVersion) => {
    const environment = pool.tryAcquire(version) ?? (await pool.acquire(version))
    const result = await run(environment, {
      requestId: crypto.randomUUID(),
      invokedFunctionArn: 'arn',
      traceHeader: 'Root=1',
      payload: Buffer.from('{}'),
      tail: false,
    })
    return { environment, result }
  }
  return { ...fake, pool, provisioner, available, of, invoke }
}

/** Invocations that end when the test calls what is pending. */
function heldInvocations() {
  const pending: (() => void)[] = []
  const behaviour: FakeHostOptions['behaviour'] = {
    event: (runtime, event) => {
      pending.push(() => {
        runtime.respond(event, '1')
        runtime.session.ready()
      })
    },
  }
  return { pending, behaviour }
}

const idle = (environments: ExecutionEnvironment[]) => environments.every(({ state }) => state === 'Idle')

describe('provisioned environments', () => {
  it('are started ahead, say so in their variables and serve invocations without an Init Duration', async () => {
    const types: (string | undefined)[] = []
    const { provisioner, available, invoke, logs, events } = provisioned({
      host: {
        refuseStart: (_cell, { environment }) => {
          types.push(environment.AWS_LAMBDA_INITIALIZATION_TYPE)
          return undefined
        },
      },
    })
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 2 }])
    await until(() => available('f:1') === 2)
    const both = await Promise.all([invoke(version), invoke(version)])
    expect(new Set(both.map(({ environment }) => environment)).size).toBe(2)
    const third = await invoke(version)
    expect(third.result.ok).toBe(true)
    expect(types.slice(0, 2)).toEqual(['provisioned-concurrency', 'provisioned-concurrency'])
    await until(() => events.filter(({ type }) => type === 'invocation.finished').length === 3)
    const finished = events.filter((event) => event.type === 'invocation.finished')
    expect(finished.slice(0, 2)).toMatchObject([
      { cold: false, provisioned: true },
      { cold: false, provisioned: true },
    ])
    await until(() => logs.lines.some((line) => line.startsWith('REPORT')))
    expect(logs.lines.filter((line) => line.startsWith('INIT_REPORT'))[0]).toMatch(/\tPhase: init\tStatus: success$/)
  })

  it('are used before on-demand ones, and spill over into those', async () => {
    const { pending, behaviour } = heldInvocations()
    const { provisioner, available, invoke } = provisioned({ host: { behaviour } })
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 2 }])
    await until(() => available('f:1') === 2)
    const calls = [invoke(version), invoke(version), invoke(version)]
    await until(() => pending.length === 3)
    for (const release of pending) release()
    const used = await Promise.all(calls)
    expect(used.map(({ environment }) => environment.provisioned)).toEqual([true, true, false])
    await until(() => idle(used.map(({ environment }) => environment)))
    const again = invoke(version)
    await until(() => pending.length === 4)
    pending[3]!()
    expect((await again).environment.provisioned).toBe(true)
  })

  it('are neither removed when idle nor given up for other functions', async () => {
    const { provisioner, available, invoke, of, pool } = provisioned({ pool: { idleTimeoutMs: 5, maxEnvironments: 2 } })
    const kept = validVersion({ name: 'kept', version: '1' })
    provisioner.demand('kept:1', [{ version: kept, count: 1 }])
    await until(() => available('kept:1') === 1)
    const before = of(kept)
    for (const name of ['a', 'b', 'c']) {
      expect((await invoke(validVersion({ name }))).result.ok).toBe(true)
      await until(() => pool.total === 1)
    }
    expect(of(kept)).toEqual(before)
  })

  it('are replaced when they are lost or their runtime ends', async () => {
    const { provisioner, available, of, runtimes } = provisioned()
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 2 }])
    await until(() => available('f:1') === 2)
    runtimes[0]!.sandbox.lost('removed by somebody')
    runtimes[1]!.sandbox.exit({ process: 'runtime', code: 1, signal: undefined, outOfMemory: false })
    await until(() => runtimes.length === 4 && available('f:1') === 2)
    await until(() => of(version).length === 2)
    expect(of(version).every(({ booted }) => booted)).toBe(true)
  })

  it('are reported as failed when their Init fails, and tried again until it does not', async () => {
    let broken = true
    const { provisioner, available, pool } = provisioned({
      host: {
        behaviour: {
          boot: (runtime) => {
            if (!broken) runtime.session.ready()
            else runtime.session.initError({ payload: Buffer.from('{}'), errorType: 'Error' })
          },
        },
      },
    })
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 1 }])
    await until(() => provisioner.progress('f:1')?.failure?.kind === 'init')
    expect(available('f:1')).toBe(0)
    broken = false
    await until(() => available('f:1') === 1)
    expect(provisioner.progress('f:1')?.failure).toBeUndefined()
    await until(() => pool.total === 1)
  })

  it('say that there is no room when the host is full, and come when there is', async () => {
    const { provisioner, available, pool } = provisioned({ pool: { maxEnvironments: 3 } })
    const [a, b] = [validVersion({ name: 'a', version: '1' }), validVersion({ name: 'b', version: '1' })]
    provisioner.demand('a:1', [{ version: a!, count: 2 }])
    await until(() => available('a:1') === 2)
    provisioner.demand('b:1', [{ version: b!, count: 1 }])
    await until(() => provisioner.progress('b:1')?.failure?.kind === 'room')
    provisioner.demand('a:1', [{ version: a!, count: 1 }])
    await until(() => available('b:1') === 1 && pool.total === 2)
  })

  it('leave a place to on-demand invocations of other functions', async () => {
    const { provisioner, available, invoke } = provisioned({ pool: { maxEnvironments: 3 } })
    provisioner.demand('f:1', [{ version: validVersion({ version: '1' }), count: 3 }])
    await until(() => provisioner.progress('f:1')?.failure?.kind === 'room' && available('f:1') === 2)
    expect((await invoke(validVersion({ name: 'other' }))).result.ok).toBe(true)
  })

  it('of an alias that moves make room where the host has none for old and new', async () => {
    const { provisioner, available, of } = provisioned({ pool: { maxEnvironments: 3 } })
    const [one, two] = [validVersion({ version: '1' }), validVersion({ version: '2' })]
    provisioner.demand('f:live', [{ version: one!, count: 2 }])
    await until(() => available('f:live') === 2)
    provisioner.demand('f:live', [{ version: two!, count: 2 }])
    await until(() => available('f:live') === 2 && of(two!).length === 2 && of(one!).length === 0)
  })

  it('start few at one time, in turn between functions', async () => {
    let starting = 0
    let most = 0
    const names: string[] = []
    const { provisioner, available } = provisioned({
      parallel: 2,
      host: {
        refuseStart: (_cell, { environment }) => {
          names.push(environment.AWS_LAMBDA_FUNCTION_NAME!)
          most = Math.max(most, ++starting)
          return undefined
        },
        behaviour: {
          boot: (runtime) => {
            setTimeout(() => {
              starting--
              runtime.session.ready()
            }, 2)
          },
        },
      },
    })
    provisioner.demand('a:1', [{ version: validVersion({ name: 'a', version: '1' }), count: 6 }])
    provisioner.demand('b:1', [{ version: validVersion({ name: 'b', version: '1' }), count: 2 }])
    await until(() => available('a:1') === 6 && available('b:1') === 2)
    expect(most).toBe(2)
    // The small demand does not wait for the end of the large one.
    expect(names.lastIndexOf('b')).toBeLessThan(names.length - 2)
  })

  it('of an alias that moves stay until those of the new version are ready', async () => {
    const gates: (() => void)[] = []
    let gated = false
    const { provisioner, available, of, pool } = provisioned({
      parallel: 10,
      host: {
        behaviour: {
          boot: (runtime) => {
            if (gated) gates.push(() => runtime.session.ready())
            else runtime.session.ready()
          },
        },
      },
    })
    const [one, two] = [validVersion({ version: '1' }), validVersion({ version: '2' })]
    provisioner.demand('f:live', [{ version: one!, count: 3 }])
    await until(() => available('f:live') === 3)
    gated = true
    provisioner.demand('f:live', [{ version: two!, count: 3 }])
    await until(() => gates.length === 3)
    expect(of(one!).filter(({ state }) => state === 'Idle')).toHaveLength(3)
    gates[0]!()
    gates[1]!()
    await until(() => available('f:live') === 2)
    expect(of(one!).filter(({ state }) => state === 'Idle')).toHaveLength(3)
    gates[2]!()
    await until(() => available('f:live') === 3 && of(one!).length === 0)
    expect(pool.total).toBe(3)
  })

  it('that are not wanted any more go at once when idle, and after their invocation when busy', async () => {
    const { pending, behaviour } = heldInvocations()
    const { provisioner, available, invoke, pool } = provisioned({ host: { behaviour } })
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 3 }])
    await until(() => available('f:1') === 3)
    const busy = invoke(version)
    await until(() => pending.length === 1)
    provisioner.demand('f:1', [])
    await until(() => pool.total === 1)
    pending[0]!()
    expect((await busy).result.ok).toBe(true)
    await until(() => pool.total === 0)
  })

  it('are not started again for a function that was deleted', async () => {
    const { provisioner, available, pool, live } = provisioned()
    const version = validVersion({ version: '1' })
    provisioner.demand('f:1', [{ version, count: 2 }])
    await until(() => available('f:1') === 2)
    pool.retire([version])
    provisioner.demand('f:1', [])
    await until(() => live() === 0 && pool.total === 0)
  })

  it('of a function that ends itself after every Init do not keep the host busy', async () => {
    let boots = 0
    const { provisioner } = provisioned({
      retryMinMs: 3_600_000,
      host: {
        behaviour: {
          boot: (runtime) => {
            boots++
            runtime.session.ready()
            setImmediate(() =>
              runtime.sandbox.exit({ process: 'runtime', code: 1, signal: undefined, outOfMemory: false }),
            )
          },
        },
      },
    })
    provisioner.demand('f:1', [{ version: validVersion({ version: '1' }), count: 1 }])
    await until(() => provisioner.progress('f:1')?.failure?.kind === 'lost')
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(boots).toBe(1)
  })
})
