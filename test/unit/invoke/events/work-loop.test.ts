import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WorkLoop } from '../../../../src/invoke/events/work-loop.ts'

/** Milliseconds: timers are set to whole ones. */
const STEP_MS = 1

/** Everything on virtual time: the loop's clock and its timers are the same. */
let claims: number[]
/** What the next claims find; empty: nothing. */
let found: (Promise<void> | Error)[]
let due: number | undefined
let failures: unknown[]
let loop: WorkLoop

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  claims = []
  found = []
  due = undefined
  failures = []
  loop = new WorkLoop({
    claim: async () => {
      claims.push(Date.now())
      const next = found.shift()
      if (next instanceof Error) throw next
      if (next !== undefined) loop.follow(next)
      return next !== undefined
    },
    nextDue: async () => due,
    failed: (error) => void failures.push(error),
    clock: Date.now,
  })
})
afterEach(async () => {
  vi.useRealTimers()
  await loop.stop(0)
})

/** From timer to timer; at each, everything that follows from it happens first. */
async function advance(ms: number): Promise<void> {
  const end = Date.now() + ms
  for (;;) {
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
    if (Date.now() >= end) return
    vi.advanceTimersByTime(Math.min(STEP_MS, end - Date.now()))
  }
}
function gate(): { readonly closed: Promise<void>; open(): void } {
  let open = () => {}
  const closed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { closed, open: () => open() }
}

describe('a work loop', () => {
  it('does nothing before it is started', async () => {
    loop.wake()
    await advance(20_000)
    expect(claims).toEqual([])
  })

  it('claims until nothing is left, and then sleeps until something becomes due', async () => {
    found = [Promise.resolve(), Promise.resolve()]
    due = 1_500
    loop.start()
    await advance(0)
    // Two that found something; what they began ended, which is a reason to look once more.
    const first = claims.length
    expect(first).toBeGreaterThanOrEqual(3)
    await advance(1_499)
    expect(claims).toHaveLength(first)
    await advance(1)
    expect(claims).toHaveLength(first + 1)
  })

  it('looks every five seconds though nobody wakes it, and never more often than every 10 ms', async () => {
    loop.start()
    await advance(14_999)
    expect(claims).toEqual([0, 5_000, 10_000])
    due = 0
    await advance(1)
    claims.length = 0
    await advance(100)
    expect(claims).toHaveLength(10)
  })

  it('makes one look of many wakes, and does not miss one that comes while it looks', async () => {
    loop.start()
    await advance(0)
    claims.length = 0
    for (let i = 0; i < 100; i++) loop.wake()
    await advance(0)
    expect(claims).toHaveLength(1)
    const looking = gate()
    const claim = vi.fn(async () => {
      await looking.closed
      return false
    })
    const slow = new WorkLoop({ claim, nextDue: async () => undefined, failed: () => {}, clock: Date.now })
    slow.start()
    await advance(0)
    slow.wake()
    expect(claim).toHaveBeenCalledTimes(1)
    looking.open()
    await advance(0)
    expect(claim).toHaveBeenCalledTimes(2)
    await slow.stop(0)
  })

  it('looks again when a piece of work ends', async () => {
    const [first, second] = [gate(), gate()]
    found = [first.closed, second.closed]
    loop.start()
    await advance(0)
    expect([claims.length, loop.running]).toEqual([3, 2])
    first.open()
    await advance(0)
    expect([claims.length, loop.running]).toEqual([4, 1])
    second.open()
    await advance(0)
    expect([claims.length, loop.running]).toEqual([5, 0])
  })

  it('tells of a list that cannot be read, and tries again later', async () => {
    found = [new Error('disk full')]
    loop.start()
    await advance(0)
    expect(failures).toEqual([new Error('disk full')])
    await advance(5_000)
    expect(claims).toEqual([0, 5_000])
  })

  it('stops when what runs has ended, and claims nothing more', async () => {
    const work = gate()
    found = [work.closed, Promise.resolve()]
    loop.start()
    await advance(0)
    let stopped = false
    const stopping = loop.stop(20_000).then(() => {
      stopped = true
    })
    found = [Promise.resolve()]
    claims.length = 0
    await advance(10_000)
    expect(stopped).toBe(false)
    work.open()
    await advance(0)
    await stopping
    loop.wake()
    await advance(20_000)
    expect(claims).toEqual([])
  })

  it('does not wait for ever for what does not end', async () => {
    found = [new Promise(() => {})]
    loop.start()
    await advance(0)
    const stopping = loop.stop(1_000)
    await advance(1_000)
    await stopping
    expect(loop.running).toBe(1)
  })

  it('also waits for what a claim begins that was under way when it was stopped', async () => {
    const [claiming, work] = [gate(), gate()]
    const late = new WorkLoop({
      claim: async () => {
        await claiming.closed
        late.follow(work.closed)
        return true
      },
      nextDue: async () => undefined,
      failed: () => {},
      clock: Date.now,
    })
    late.start()
    await advance(0)
    let stopped = false
    const stopping = late.stop(20_000).then(() => {
      stopped = true
    })
    claiming.open()
    await advance(0)
    expect([stopped, late.running]).toEqual([false, 1])
    work.open()
    await advance(0)
    await stopping
  })
})
