import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { Lifetime, stopLimitMs } from '../../../src/host/lifetime.ts'

const never = () => new Promise<never>(() => {})
let messages: string[]
let happened: string[]
let lifetime: Lifetime
const note = (what: string) => () => void happened.push(what)

beforeEach(() => {
  vi.useFakeTimers()
  messages = []
  happened = []
  lifetime = new Lifetime({ drainTimeout: 30, log: { error: (_detail, message) => messages.push(message) } })
})
afterEach(() => void vi.useRealTimers())

/** Milliseconds that a stop takes, and what it returns. */
async function stop(): Promise<{ ms: number; failed: readonly string[] }> {
  const began = performance.now()
  const stopped = lifetime.stop().then((failed) => ({ ms: performance.now() - began, failed }))
  await vi.runAllTimersAsync()
  return stopped
}

describe('a stop of the host', () => {
  it('first lets everybody begin nothing new, then closes the last part opened first', async () => {
    for (const name of ['store', 'driver', 'pool']) lifetime.opened(name, name, note(`${name} closed`))
    lifetime.drains('events', async () => note('events halted')())
    lifetime.drains('server', async () => note('server halted')())
    expect(await stop()).toEqual({ ms: 0, failed: [] })
    expect(happened).toEqual(['events halted', 'server halted', 'pool closed', 'driver closed', 'store closed'])
  })

  it('gives all that is under way one drain time together', async () => {
    for (const name of ['events', 'server']) {
      lifetime.drains(name, async (left) => {
        happened.push(`${name} may take ${left()}`)
        await new Promise((resolve) => setTimeout(resolve, left()))
        happened.push(`${name} has ${left()} left`)
      })
    }
    lifetime.opened('pool', undefined, note('pool closed'))
    const { ms } = await stop()
    expect(ms).toBe(30_000)
    expect(happened).toEqual([
      'events may take 30000',
      'server may take 30000',
      'events has 0 left',
      'server has 0 left',
      'pool closed',
    ])
  })

  it('cuts off what hangs, names it, and closes the rest, all before one deadline', async () => {
    lifetime.opened('the store', undefined, note('store closed'))
    for (const name of ['a', 'b', 'c', 'd']) lifetime.opened(name, undefined, never)
    lifetime.drains('the events', never)
    const { ms, failed } = await stop()
    expect(ms).toBeLessThanOrEqual(stopLimitMs(30))
    expect(failed).toEqual(['the events', 'd', 'c', 'b', 'a'])
    expect(messages).toEqual(
      failed.map((name) => `${name} could not be stopped; the host exits without waiting for it`),
    )
    expect(happened).toEqual(['store closed'])
  })

  it('leaves a part that hangs most of the time, because removing containers takes some', async () => {
    let hung = 0
    for (let n = 0; n < 12; n++) lifetime.opened(`part ${n}`, undefined, note('closed'))
    lifetime.opened('pool', undefined, never)
    const began = performance.now()
    lifetime.opened('before', undefined, () => {
      hung = performance.now() - began
    })
    const { ms } = await stop()
    expect(ms - hung).toBeGreaterThan(15_000)
    expect(happened).toHaveLength(12)
  })

  it('goes on when a part fails, and names it', async () => {
    lifetime.opened('the store', undefined, note('store closed'))
    lifetime.opened('the driver', undefined, () => {
      throw new Error('no engine')
    })
    expect((await stop()).failed).toEqual(['the driver'])
    expect(happened).toEqual(['store closed'])
  })

  it('happens once, however often it is asked for', async () => {
    lifetime.opened('the store', undefined, note('closed'))
    await Promise.all([stop(), lifetime.stop(), lifetime.stop()])
    expect(happened).toEqual(['closed'])
  })
})

it('compose.yaml kills the host only after its stop must have ended', () => {
  const compose = readFileSync(new URL('../../../compose.yaml', import.meta.url), 'utf8')
  const seconds = Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1])
  const { config } = loadConfig({ flags: {}, env: {}, cwd: tmpdir() })
  const limit = stopLimitMs(config.drainTimeout) / 1000
  expect(seconds).toBeGreaterThan(limit)
  expect(seconds).toBeLessThan(limit + 10)
})
