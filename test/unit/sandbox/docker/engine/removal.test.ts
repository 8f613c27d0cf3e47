import type Dockerode from 'dockerode'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Removals } from '../../../../../src/sandbox/docker/engine/removal.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** An engine that has the containers of this set. */
function setUp() {
  const containers = new Set<string>()
  let asked = 0
  const docker = {
    getContainer: (name: string) => ({
      remove: async () => {
        asked++
        if (!containers.delete(name)) throw Object.assign(new Error('no such container'), { statusCode: 404 })
      },
    }),
  } as unknown as Dockerode
  const removals = new Removals(docker, 4, () => {})
  return { containers, removals, asked: () => asked }
}

it('a container that the engine makes after its create was given up is removed, and then its address is free', async () => {
  const { containers, removals } = setUp()
  const gone = vi.fn()
  removals.removeLate('late', gone)
  await vi.advanceTimersByTimeAsync(5000)
  expect(gone).not.toHaveBeenCalled()
  containers.add('late')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(containers.size).toBe(0)
  expect(gone).toHaveBeenCalledTimes(1)
})

it('the engine is asked a few times only for a container that never comes', async () => {
  const { removals, asked } = setUp()
  const gone = vi.fn()
  removals.removeLate('never', gone)
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(asked()).toBe(5)
  expect(gone).toHaveBeenCalledTimes(1)
})

it('nothing is asked any more when the host stops', async () => {
  const { removals, asked } = setUp()
  removals.removeLate('late', () => {})
  removals.close()
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(asked()).toBe(0)
})

it('no more removals than allowed run at once, and one that fails makes room for the next', async () => {
  let running = 0
  let most = 0
  const docker = {
    getContainer: (name: string) => ({
      remove: async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 10))
        running--
        if (name === 'stuck') throw Object.assign(new Error('driver failed'), { statusCode: 500 })
      },
    }),
  } as unknown as Dockerode
  const removals = new Removals(docker, 2, () => {})
  const gone: string[] = []
  for (const name of ['stuck', 'a', 'b', 'c', 'd']) void removals.remove(name, () => gone.push(name))
  // All tries of the one that fails; the later attempt would come after it.
  await vi.advanceTimersByTimeAsync(10_000)
  removals.close()
  expect(most).toBe(2)
  expect(gone).toEqual(['a', 'b', 'c', 'd'])
})
