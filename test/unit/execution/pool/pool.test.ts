import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Invocation } from '../../../../src/execution/invocation.ts'
import { EnvironmentPool, NoCapacity, type PoolSettings } from '../../../../src/execution/pool/pool.ts'
import { ScalingRateExceeded } from '../../../../src/execution/pool/scaling-rate.ts'
import type { FunctionVersion } from '../../../../src/lambda/function.ts'
import type { InvocationEvent } from '../../../../src/runtime-api/api.ts'
import { type FakeHostOptions, type FakeRuntime, fakeHost, run, until, validVersion } from '../fake-host.ts'

function pooled(options: FakeHostOptions = {}, settings: Partial<PoolSettings> = {}) {
  const fake = fakeHost(options)
  const pool = new EnvironmentPool(fake.host, {
    idleTimeoutMs: 60_000,
    maxEnvironments: 100,
    waitForEnvironmentMs: 10_000,
    ...settings,
  })
  const invoke = async (version: FunctionVersion, payload = '{}') => {
    const environment = await pool.acquire(version)
    const invocation: Invocation = {
      requestId: crypto.randomUUID(),
      invokedFunctionArn: 'arn',
      traceHeader: 'Root=1',
      payload: Buffer.from(payload),
      tail: false,
    }
    return { environment, result: await run(environment, invocation) }
  }
  return { ...fake, pool, invoke }
}

/** A runtime whose answers the test releases itself. */
function held(): { behaviour: FakeHostOptions['behaviour']; pending: (() => void)[] } {
  const pending: (() => void)[] = []
  return {
    pending,
    behaviour: {
      event: (runtime: FakeRuntime, event: InvocationEvent) => {
        pending.push(() => {
          runtime.respond(event, '1')
          runtime.session.ready()
        })
      },
    },
  }
}

describe('the pool', () => {
  it('reuses the environment that was used last', async () => {
    const { behaviour, pending } = held()
    const { invoke, runtimes, pool } = pooled({ behaviour })
    const version = validVersion()
    const first = invoke(version)
    await until(() => pending.length === 1)
    const second = invoke(version)
    await until(() => pending.length === 2)
    pending[0]!()
    const a = await first
    pending[1]!()
    const b = await second
    await until(() => pool.environments().every(({ state }) => state === 'Idle'))
    const third = invoke(version)
    await until(() => pending.length === 3)
    pending[2]!()
    expect((await third).environment).toBe(b.environment)
    expect(a.environment).not.toBe(b.environment)
    expect(runtimes).toHaveLength(2)
  })

  it('waits for a provisioned environment that has just answered, even beside an idle one on demand', async () => {
    const { behaviour, pending } = held()
    let ready = () => {}
    const late = (runtime: FakeRuntime, event: InvocationEvent) => {
      runtime.respond(event, '1')
      ready = () => runtime.session.ready()
    }
    const { invoke, pool, runtimes } = pooled({
      behaviour: {
        event: (runtime, event) => (runtime === runtimes[1] ? late(runtime, event) : behaviour!.event!(runtime, event)),
      },
    })
    const version = validVersion({ version: '1' })
    const onDemand = invoke(version)
    await until(() => pending.length === 1)
    pending[0]!()
    await onDemand
    const ahead = pool.startAhead(version, { ready: () => {}, failed: () => {}, gone: () => {} })!
    await until(() => pool.environments().every(({ state }) => state === 'Idle'))
    expect((await invoke(version)).environment).toBe(ahead)
    // It has answered and does not ask for the next event yet.
    const next = invoke(version)
    ready()
    expect((await next).environment).toBe(ahead)
    // It works on after its answer: that must not hold up what could run on demand.
    const impatient = invoke(version)
    await until(() => pending.length === 2)
    pending[1]!()
    expect((await impatient).environment).not.toBe(ahead)
    ready()
  })

  it('starts as many environments as invocations run at once, and no more', async () => {
    const { behaviour, pending } = held()
    const { invoke, runtimes } = pooled({ behaviour })
    const version = validVersion()
    const all = Array.from({ length: 10 }, () => invoke(version))
    await until(() => pending.length === 10)
    for (const release of pending) release()
    await Promise.all(all)
    expect(runtimes).toHaveLength(10)
  })

  it('reuses one environment for invocations that come one after the other without a pause', async () => {
    const { invoke, runtimes } = pooled({
      behaviour: {
        event: (runtime, event) => {
          runtime.respond(event, '1')
          setTimeout(() => runtime.session.ready(), 1)
        },
      },
    })
    const version = validVersion()
    for (let i = 0; i < 20; i++) await invoke(version)
    expect(runtimes).toHaveLength(1)
  })

  it('starts another environment when one that has answered does not become free', async () => {
    const { invoke, runtimes } = pooled({ behaviour: { event: (runtime, event) => runtime.respond(event, '1') } })
    const version = validVersion()
    await invoke(version)
    await invoke(version)
    expect(runtimes).toHaveLength(2)
  })

  it('gives an invocation the environment that comes first, freed or new', async () => {
    const { behaviour, pending } = held()
    let delay = 0
    const { invoke, runtimes } = pooled({ behaviour, startDelayMs: () => delay })
    const version = validVersion()
    const first = invoke(version)
    await until(() => pending.length === 1)
    delay = 3_600_000
    const second = invoke(version)
    pending[0]!()
    await first
    await until(() => pending.length === 2)
    pending[1]!()
    expect((await second).result.ok).toBe(true)
    expect(runtimes).toHaveLength(1)
  })

  it('removes an environment that was idle for too long', async () => {
    const { invoke, live, pool } = pooled({}, { idleTimeoutMs: 5 })
    await invoke(validVersion())
    await until(() => live() === 0 && pool.total === 0)
  })

  it('gives up the longest idle environment of another function when the host is full', async () => {
    const { invoke, live, pool } = pooled({}, { maxEnvironments: 2 })
    const [a, b, c] = [validVersion({ name: 'a' }), validVersion({ name: 'b' }), validVersion({ name: 'c' })]
    await invoke(a!)
    await until(() => pool.environments().every(({ state }) => state === 'Idle'))
    await invoke(b!)
    await until(() => pool.environments().every(({ state }) => state === 'Idle'))
    expect((await invoke(c!)).result.ok).toBe(true)
    await until(() => live() === 2)
    expect(
      pool
        .environments()
        .map(({ version }) => version.name)
        .sort(),
    ).toEqual(['b', 'c'])
  })

  it('gives room that becomes free to the function whose invocation has waited longest', async () => {
    const { behaviour, pending } = held()
    const { invoke, pool } = pooled({ behaviour }, { maxEnvironments: 1 })
    const [a, b] = [validVersion({ name: 'a' }), validVersion({ name: 'b' })]
    const lost = invoke(a!)
    await until(() => pending.length === 1)
    const longest = invoke(b!)
    await pause(2)
    const later = invoke(a!)
    void pool.environments()[0]!.shutdown('its sandbox was lost')
    expect((await lost).result.ok).toBe(false)
    await until(() => pending.length === 2)
    expect(pool.environments().map(({ version }) => version.name)).toEqual(['b'])
    pending[1]!()
    await longest
    await until(() => pending.length === 3)
    pending[2]!()
    expect((await later).environment.version.name).toBe('a')
  })

  it('refuses an invocation for which no room becomes free in time', async () => {
    const { behaviour, pending } = held()
    const { invoke } = pooled({ behaviour }, { maxEnvironments: 1, waitForEnvironmentMs: 5 })
    const version = validVersion()
    const first = invoke(version)
    await until(() => pending.length === 1)
    await expect(invoke(version)).rejects.toBeInstanceOf(NoCapacity)
    pending[0]!()
    expect((await first).result.ok).toBe(true)
  })

  it('does not wait beyond that time for an environment that has answered and does not ask for the next event', async () => {
    const behaviour = { event: (runtime: FakeRuntime, event: InvocationEvent) => runtime.respond(event, '1') }
    const { invoke } = pooled({ behaviour }, { maxEnvironments: 1, waitForEnvironmentMs: 50 })
    const version = validVersion()
    expect((await invoke(version)).result.ok).toBe(true)
    await expect(invoke(version)).rejects.toBeInstanceOf(NoCapacity)
  })

  it('tells one waiting invocation why its environment could not start, and goes on with the others', async () => {
    let starts = 0
    const { invoke, pool } = pooled({ refuseStart: () => (++starts === 1 ? new Error('no engine') : undefined) })
    const version = validVersion()
    const outcomes = await Promise.allSettled([invoke(version), invoke(version), invoke(version)])
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(starts).toBe(3)
    await until(() => pool.total === 2)
  })

  it('retires environments of a replaced deployment: idle ones at once, busy ones when their invocation ends', async () => {
    const { behaviour, pending } = held()
    const { invoke, live, pool } = pooled({ behaviour })
    const old = validVersion()
    const busy = invoke(old)
    await until(() => pending.length === 1)
    const idle = invoke(old)
    await until(() => pending.length === 2)
    pending[1]!()
    await idle
    await until(() => pool.environments().some(({ state }) => state === 'Idle'))
    pool.retire([old])
    await until(() => live() === 1)
    pending[0]!()
    expect((await busy).result.ok).toBe(true)
    await until(() => live() === 0 && pool.total === 0)
  })

  it('refuses the invocation that would need one environment too many in ten seconds; idle and provisioned ones cost nothing', async () => {
    let now = 0
    const { behaviour, pending } = held()
    const { invoke, pool } = pooled({ behaviour }, { scalingRate: 2, now: () => now })
    const version = validVersion()
    for (let ahead = 0; ahead < 3; ahead++) {
      pool.startAhead(validVersion({ name: 'kept' }), { ready() {}, failed() {}, gone() {} })
    }
    const first = invoke(version)
    const second = invoke(version)
    await expect(invoke(version)).rejects.toBeInstanceOf(ScalingRateExceeded)
    const other = invoke(validVersion({ name: 'other' }))
    await until(() => pending.length === 3)
    pending[0]!()
    await first
    await until(() => pool.environments().some(({ state, version: { name } }) => name !== 'kept' && state === 'Idle'))
    const third = invoke(version)
    await until(() => pending.length === 4)
    now = 4_999
    await expect(invoke(version)).rejects.toBeInstanceOf(ScalingRateExceeded)
    now = 5_000
    const fourth = invoke(version)
    await until(() => pending.length === 5)
    for (const answer of pending.slice(1)) answer()
    expect((await Promise.all([second, third, fourth, other])).every(({ result }) => result.ok)).toBe(true)
  })

  it('leaves nothing behind when it closes, and refuses what comes later', async () => {
    const { behaviour, pending } = held()
    const { invoke, live, pool } = pooled({ behaviour })
    const version = validVersion()
    const running = invoke(version)
    await until(() => pending.length === 1)
    await pool.close()
    expect(await running).toMatchObject({ result: { ok: false, errorType: 'Sandbox.Failure' } })
    expect(live()).toBe(0)
    await expect(invoke(version)).rejects.toBeInstanceOf(NoCapacity)
  })
})
