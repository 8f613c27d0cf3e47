/** What every implementation of the store must do: the queue of events. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { callsOf, key, type StoreUnderTest, validEvent } from './under-test.ts'

export function describeQueue(under: () => StoreUnderTest): void {
  describe('event queue', () => {
    let store: Store
    beforeEach(() => {
      store = under().store
    })
    const { createActive } = callsOf(() => store)

    const drift = async () => {
      const { enqueued, waiting, claimed, done, dead, discarded } = await store.queue.counts()
      return enqueued - waiting - claimed - done - dead - discarded
    }
    const account = '111111111111/us-east-1'
    const without = (...names: string[]) => ({
      accounts: new Map([[account, Number.POSITIVE_INFINITY]]),
      functions: new Map(names.map((name) => [`${account}/${name}`, 0])),
    })

    it('gives back what was put, oldest first, byte for byte', async () => {
      const payload = new Uint8Array(1024 * 1024).map((_, i) => i % 251)
      await store.queue.put(validEvent({ requestId: 'second', enqueuedAt: 2000, qualifier: 'live' }))
      await store.queue.put(validEvent({ requestId: 'first', enqueuedAt: 1000, payload }))
      const [first, second] = (await store.queue.claim(2000, 10)).events
      expect(first).toMatchObject({
        requestId: 'first',
        function: key('f'),
        attempts: 0,
        enqueuedAt: 1000,
        traceHeader: 'Root=1-0-0',
      })
      expect(first?.qualifier).toBeUndefined()
      expect(Buffer.compare(first?.payload ?? new Uint8Array(), payload)).toBe(0)
      expect(second).toMatchObject({ requestId: 'second', qualifier: 'live' })
    })

    it('keeps each of many that come at once with its own content, in the order in which they came', async () => {
      // More than go into one statement, and not a round number of them.
      const ids = Array.from({ length: 77 }, (_, i) => `event-${i}`)
      const put = (requestId: string) =>
        store.queue.put(validEvent({ requestId, traceHeader: `Root=${requestId}`, payload: Buffer.from(requestId) }))
      await Promise.all(ids.map(put))
      const claimed = (await store.queue.claim(9000, 100)).events
      expect(claimed.map(({ requestId }) => requestId)).toEqual(ids)
      expect(claimed.map(({ traceHeader }) => traceHeader)).toEqual(ids.map((id) => `Root=${id}`))
      expect(claimed.map(({ payload }) => Buffer.from(payload).toString())).toEqual(ids)
      expect(await store.queue.counts()).toMatchObject({ enqueued: 77, claimed: 77 })
    })

    it('gives nothing that is not due and each event to one claim only', async () => {
      await store.queue.put(validEvent({ enqueuedAt: 5000 }))
      expect((await store.queue.claim(4999, 10)).events).toEqual([])
      const claims = await Promise.all([store.queue.claim(5000, 10), store.queue.claim(5000, 10)])
      expect(claims.flatMap(({ events }) => events)).toHaveLength(1)
      expect(await store.queue.nextDue()).toBeUndefined()
    })

    it('keeps a claim for the instance that made it, however late it gets', async () => {
      await store.queue.put(validEvent())
      const [event] = (await store.queue.claim(1000, 1)).events
      const yearsLater = 1000 + 1e12
      expect(await store.queue.recover(yearsLater)).toBe(0)
      expect(await store.queue.claim(yearsLater, 1)).toEqual({ events: [], unnamed: [] })
      expect(await store.queue.nextDue()).toBeUndefined()
      expect(await store.queue.settle(event!.id, event!.epoch)).toBe(true)
    })

    it('takes the claim of a dead instance back, and a late worker of it can do nothing', async () => {
      await store.queue.put(validEvent())
      const [late] = (await store.queue.claim(1000, 1)).events
      store = await under().reopen()
      await store.queue.recover(2000)
      const [now] = (await store.queue.claim(2000, 1)).events
      expect(now).toMatchObject({ id: late?.id, attempts: 1 })
      const { id, epoch } = late ?? { id: 0, epoch: 0 }
      expect(await store.queue.settle(id, epoch)).toBe(false)
      expect(await store.queue.release(id, epoch, 1)).toBe(false)
      expect(await store.queue.settle(id, now?.epoch ?? 0)).toBe(true)
      expect(await store.queue.settle(id, now?.epoch ?? 0)).toBe(false)
      expect(await store.queue.counts()).toEqual({
        enqueued: 1,
        waiting: 0,
        claimed: 0,
        done: 1,
        dead: 0,
        discarded: 0,
      })
      expect(await store.queue.nextDue()).toBeUndefined()
    })

    it('makes a released event due again at its time, with one attempt more', async () => {
      await store.queue.put(validEvent())
      const [event] = (await store.queue.claim(1000, 1)).events
      expect(await store.queue.release(event?.id ?? 0, event?.epoch ?? 0, 60_000)).toBe(true)
      expect(await store.queue.release(event?.id ?? 0, event?.epoch ?? 0, 1)).toBe(false)
      expect(await store.queue.nextDue()).toBe(60_000)
      expect((await store.queue.claim(59_999, 1)).events).toEqual([])
      expect((await store.queue.claim(60_000, 1)).events[0]).toMatchObject({ requestId: 'r-1', attempts: 1 })
    })

    it('gives back what a host held that died, and nothing else', async () => {
      await store.queue.put(validEvent())
      await store.queue.put(validEvent({ requestId: 'r-2' }))
      const [event] = (await store.queue.claim(1000, 1)).events
      store = await under().reopen()
      expect(await store.queue.recover(1500)).toBe(1)
      expect(await store.queue.settle(event?.id ?? 0, event?.epoch ?? 0)).toBe(false)
      expect((await store.queue.claim(1500, 10)).events).toHaveLength(2)
      expect(await store.queue.recover(1500)).toBe(0)
      store = await under().reopen()
      expect(await store.queue.recover(1500)).toBe(2)
      expect(await drift()).toBe(0)
    })

    it('passes over throttled functions however many of the oldest events are theirs', async () => {
      const puts: Promise<void>[] = []
      for (let i = 0; i < 600; i++)
        puts.push(store.queue.put(validEvent({ function: key('busy'), enqueuedAt: 1000 + i })))
      for (const [i, name] of ['a', 'm', 'z'].entries()) {
        puts.push(store.queue.put(validEvent({ function: key(name), requestId: name, enqueuedAt: 9000 - i })))
      }
      await Promise.all(puts)
      const claimed = (await store.queue.claim(10_000, 2, without('busy'))).events
      expect(claimed.map(({ requestId }) => requestId)).toEqual(['z', 'm'])
      expect((await store.queue.claim(10_000, 5, without('busy', 'none'))).events.map((e) => e.requestId)).toEqual([
        'a',
      ])
      expect((await store.queue.claim(10_000, 5, without('busy'))).events).toEqual([])
      expect((await store.queue.claim(10_000, 5)).events).toHaveLength(5)
    })

    it('takes nothing of an account that the limits do not name, and says of which function', async () => {
      const other = { ...key('f'), account: '222222222222' }
      await store.queue.put(validEvent({ function: other, enqueuedAt: 1 }))
      await store.queue.put(validEvent({ function: other, enqueuedAt: 2 }))
      await store.queue.put(validEvent({ requestId: 'named' }))
      const { events, unnamed } = await store.queue.claim(5000, 10, without())
      expect(events.map(({ requestId }) => requestId)).toEqual(['named'])
      expect(unnamed).toEqual([other])
    })

    it('takes of each function what the limits say, one for itself or those of its account', async () => {
      for (let i = 0; i < 5; i++) {
        for (const name of ['a', 'b', 'c']) await store.queue.put(validEvent({ function: key(name) }))
      }
      const limits = { accounts: new Map([[account, 2]]), functions: new Map([[`${account}/b`, 4]]) }
      const { events } = await store.queue.claim(5000, 100, limits)
      const of = (name: string) => events.filter((event) => event.function.name === name).length
      expect([of('a'), of('b'), of('c')]).toEqual([2, 4, 2])
    })

    it('runs what was accepted under a clock that has been set back since', async () => {
      await store.queue.put(validEvent({ requestId: 'fresh', enqueuedAt: 3_600_000 }))
      await store.queue.put(validEvent({ requestId: 'retry' }))
      const [retry] = (await store.queue.claim(1000, 1)).events
      await store.queue.release(retry!.id, retry!.epoch, 61_000, 'retry')
      store = await under().reopen()
      await store.queue.recover(2000)
      expect((await store.queue.claim(2000, 10)).events.map(({ requestId }) => requestId)).toEqual(['fresh'])
      expect(await store.queue.nextDue()).toBe(61_000)
    })

    it('discards the events of one function, waiting and claimed', async () => {
      await store.queue.put(validEvent())
      await store.queue.put(validEvent())
      await store.queue.put(validEvent({ function: key('f2') }))
      const [claimed] = (await store.queue.claim(1000, 1)).events
      expect(await store.queue.discard(key('f'))).toBe(2)
      expect(await store.queue.settle(claimed?.id ?? 0, claimed?.epoch ?? 0)).toBe(false)
      expect(await store.queue.counts()).toEqual({
        enqueued: 3,
        waiting: 1,
        claimed: 0,
        done: 0,
        dead: 0,
        discarded: 2,
      })
    })

    it('discards a backlog longer than one step', async () => {
      await createActive('f')
      await Promise.all(Array.from({ length: 5100 }, () => store.queue.put(validEvent())))
      await store.functions.delete(key('f'))
      expect(await store.queue.counts()).toEqual({
        enqueued: 5100,
        waiting: 0,
        claimed: 0,
        done: 0,
        dead: 0,
        discarded: 5100,
      })
    })

    it('loses and invents nothing over a random walk of puts, claims, releases, settles and crashes', async () => {
      let seed = 42
      const random = (below: number) => {
        seed = (seed * 1103515245 + 12345) % 2147483648
        return seed % below
      }
      let put = 0
      const settled = new Set<string>()
      let held: { id: number; epoch: number; requestId: string }[] = []
      for (let step = 0, now = 1000; step < 300; step++, now += 10) {
        const action = random(10)
        if (action < 4) await store.queue.put(validEvent({ requestId: `e${put++}`, enqueuedAt: now }))
        else if (action < 6) held.push(...(await store.queue.claim(now, 1 + random(3))).events)
        else if (action < 8 && held.length > 0) {
          const [event] = held.splice(random(held.length), 1)
          if (event && (await store.queue.settle(event.id, event.epoch))) {
            expect(settled.has(event.requestId)).toBe(false)
            settled.add(event.requestId)
          }
        } else if (action === 8 && held.length > 0) {
          const [event] = held.splice(random(held.length), 1)
          if (event) await store.queue.release(event.id, event.epoch, now + random(100))
        } else if (random(20) === 0) {
          store = await under().reopen()
          await store.queue.recover(now)
          // Late writes of the instance before, or none.
          if (random(2)) held = []
        }
        expect(await drift()).toBe(0)
      }
      store = await under().reopen()
      await store.queue.recover(1_000_000)
      const rest = (await store.queue.claim(1_000_000, 1000)).events
      expect(rest.length + settled.size).toBe(put)
      expect((await store.queue.counts()).claimed).toBe(rest.length)
    })
  })
}
