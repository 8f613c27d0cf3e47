import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Destinations } from '../../../../src/invoke/destinations/destinations.ts'
import type { DestinationTarget } from '../../../../src/invoke/destinations/target.ts'
import { signature } from '../../../../src/invoke/destinations/webhook.ts'
import { ABANDON_AFTER_MS, DeliveryWorker } from '../../../../src/invoke/events/delivery-worker.ts'
import type { ClaimedDelivery, NewDelivery } from '../../../../src/store/delivery-store.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { key, validEvent } from '../../../contract/store/under-test.ts'
import { until } from '../../../support/until.ts'

const QUEUE = 'arn:aws:sqs:us-east-1:111111111111:dead'
let folder: string
let store: Store
let now = 1000
let worker: DeliveryWorker | undefined
let logged: string[]
/** Why deliveries failed, as the log has it. */
let reasons: unknown[]
let delays: unknown[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-deliveries-'))
  store = await openStore(join(folder, 'hearth.db'))
  now = 1000
  logged = []
  reasons = []
  delays = []
})
afterEach(async () => {
  await worker?.stop(0)
  worker = undefined
  await store.close()
  rmSync(folder, { recursive: true })
})

/** The next host on the same data folder. */
async function reopen(): Promise<void> {
  await store.close()
  store = await openStore(join(folder, 'hearth.db'))
}

async function start(destinations: DestinationTarget): Promise<void> {
  worker = new DeliveryWorker({
    store: store.deliveries,
    destinations,
    backoffBaseMs: 1000,
    clock: () => now,
    log: (message, fields) => {
      logged.push(message)
      reasons.push(fields?.error)
      delays.push(fields?.delayMs)
    },
  })
  await worker.start()
}

/** Ends an event with these deliveries. */
async function decide(...deliveries: Partial<NewDelivery>[]): Promise<void> {
  await store.queue.put(validEvent({ enqueuedAt: now }))
  const [event] = (await store.queue.claim(now, 1)).events
  await store.queue.settle(event!.id, event!.epoch, {
    as: 'dead',
    deliveries: deliveries.map((changes) => ({
      function: key('f'),
      target: QUEUE,
      detail: {
        kind: 'dead-letter',
        requestId: 'r-1',
        functionArn: 'arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST',
        traceHeader: 'Root=1-a;Lineage=1:0123abcd:3',
        attributes: { RequestID: 'r-1', ErrorCode: '200', ErrorMessage: 'käputt\n' },
      },
      body: new TextEncoder().encode('{"a":1}'),
      createdAt: now,
      ...changes,
    })),
    events: [],
  })
  worker?.wake()
}
const advance = (ms: number) => {
  now += ms
  worker?.wake()
}
const delivered = (n: number) => until(async () => (await store.deliveries.counts()).delivered === n)

describe('targets that failed', () => {
  it('are forgotten when nothing waits for them any more', async () => {
    await start({ send: () => Promise.reject(new Error('gone')) })
    await decide(...Array.from({ length: 40 }, (_, n) => ({ target: `${QUEUE}-${n}` })))
    await until(async () => logged.length === 40 && (await store.deliveries.nextDue(now)) !== undefined)
    expect(worker!.targets).toBe(40)
    advance(ABANDON_AFTER_MS + 1)
    await until(async () => (await store.deliveries.counts()).abandoned === 40)
    advance(11 * 60_000)
    await until(() => worker!.targets === 0)
  })

  it('are remembered while their delivery waits', async () => {
    const tries: number[] = []
    await start({
      send: () => {
        tries.push(now)
        return Promise.reject(new Error('down'))
      },
    })
    await decide({})
    for (let n = 1; n <= 12; n++) {
      await until(() => tries.length === n && logged.length === n)
      await until(async () => (await store.deliveries.nextDue(now)) !== undefined)
      expect(worker!.targets).toBe(1)
      now = (await store.deliveries.nextDue(now))!
      worker!.wake()
    }
    // The longest pause is five minutes.
    expect(tries.at(-1)! - tries.at(-2)!).toBeLessThanOrEqual(300_000)
  })
})

describe('a delivery', () => {
  it('is tried with growing pauses until its target takes it', async () => {
    const tries: number[] = []
    await start({
      async send() {
        tries.push(now)
        if (tries.length < 4) throw new Error('down')
      },
    })
    await decide({})
    for (const [failures, pause] of [1000, 2000, 4000].entries()) {
      // The pause begins when the failure is stored.
      await until(() => logged.length === failures + 1)
      await until(async () => (await store.deliveries.nextDue(now)) === now + pause)
      advance(pause - 1)
      advance(1)
    }
    await delivered(1)
    expect(tries).toEqual([1000, 2000, 4000, 8000])
    expect(await store.deliveries.counts()).toEqual({ decided: 1, delivered: 1, abandoned: 0, targets: [] })
  })

  it('of eight that fail together makes its target pause as one would', async () => {
    const tries: number[] = []
    await decide(...Array.from({ length: 8 }, () => ({})))
    await start({
      async send() {
        tries.push(now)
        if (tries.length <= 8) throw new Error('down')
      },
    })
    await until(() => logged.length === 8)
    await until(async () => (await store.deliveries.nextDue(now)) === now + 1000)
    expect(delays).toEqual(Array(8).fill(1000))
    advance(1000)
    await delivered(8)
    expect(tries.slice(8)).toEqual(Array(8).fill(2000))
  })

  it('does not wait for another target that is down', async () => {
    const sent: string[] = []
    await start({
      async send({ target }) {
        if (target === 'down') throw new Error('down')
        sent.push(target)
      },
    })
    await decide(...Array.from({ length: 200 }, () => ({ target: 'down' })), { target: 'up' })
    await delivered(1)
    expect(sent).toEqual(['up'])
    expect((await store.deliveries.counts()).targets).toMatchObject([{ target: 'down', waiting: 200 }])
  })

  it('does not wait for other targets that take their time, however many of them there are', async () => {
    const sent: string[] = []
    await start({
      async send({ target }, signal) {
        sent.push(target)
        if (target.startsWith('slow')) await new Promise((_, reject) => signal.addEventListener('abort', reject))
      },
    })
    await decide(...Array.from({ length: 8 }, (_, i) => ({ target: `slow-${i}` })))
    await until(() => sent.length === 8)
    await decide({ target: 'up' }, { target: 'zzz' })
    await delivered(2)
    expect(sent.slice(8).sort()).toEqual(['up', 'zzz'])
  })

  it('gets its turn while others have more to send than can be sent at once', async () => {
    const sent: string[] = []
    const taken: (() => void)[] = []
    await start({
      async send({ target }, signal) {
        sent.push(target)
        await new Promise<void>((resolve, reject) => {
          taken.push(resolve)
          signal.addEventListener('abort', reject)
        })
      },
    })
    const busy = Array.from({ length: 8 }, (_, i) => Array.from({ length: 20 }, () => ({ target: `busy-${i}` })))
    await decide(...busy.flat())
    await until(() => sent.length === 64)
    await decide({ target: 'up' })
    for (let n = 0; n < 2; n++) {
      taken[n]!()
      await delivered(n + 1)
      await until(() => sent.length === 64 + n + 1)
    }
    expect(sent.slice(64)).toContain('up')
  })

  it('does not wait for deliveries to other targets that are not due yet', async () => {
    await decide(...Array.from({ length: 8 }, (_, i) => ({ target: `later-${i}` })))
    for (const { id, epoch } of await store.deliveries.claim(now, 100, { each: 1, targets: new Map() })) {
      await store.deliveries.release(id, epoch, now + 300_000)
    }
    const sent: string[] = []
    await start({ send: async ({ target }) => void sent.push(target) })
    await decide({ target: 'up' })
    await delivered(1)
    expect(sent).toEqual(['up'])
  })

  it('is given up after a day, and said so', async () => {
    await start({ send: () => Promise.reject(new Error('gone for good')) })
    await decide({})
    await until(async () => (await store.deliveries.nextDue(now)) === now + 1000)
    advance(ABANDON_AFTER_MS + 1)
    await until(async () => (await store.deliveries.counts()).abandoned === 1)
    expect(logged.at(-1)).toMatch(/given up/)
  })

  it('outlasts a target that is down for hours and a host that is killed every now and then', async () => {
    const HOURS = 20
    const upAt = now + HOURS * 3_600_000
    let tries = 0
    const target: DestinationTarget = {
      async send() {
        tries++
        if (now < upAt) throw new Error('down')
      },
    }
    /** When it is tried again, once the failure is stored. */
    const nextTry = () =>
      until(async () => {
        const due = await store.deliveries.nextDue(0)
        return due !== undefined && due > now ? due : undefined
      }, 1)
    await decide({})
    await start(target)
    let kills = 0
    while (now < upAt) {
      now = await nextTry()
      if (tries % 40 === 0) {
        await worker?.stop(0)
        // What a host that is killed leaves behind.
        expect(await store.deliveries.claim(now, 100, { each: 1, targets: new Map() })).toHaveLength(1)
        await reopen()
        await start(target)
        kills++
      }
      worker?.wake()
    }
    await delivered(1)
    expect(await store.deliveries.counts()).toEqual({ decided: 1, delivered: 1, abandoned: 0, targets: [] })
    expect(kills).toBeGreaterThan(3)
    // One in five minutes, and a few more at the beginning.
    expect(tries).toBeLessThan(HOURS * 12 + 20)
  })

  it.each([
    ['steps forward', 61_000],
    ['steps back', -61_000],
    ['jumps a day ahead, as after a suspend', 86_400_000],
  ])('is sent once when the clock %s meanwhile', async (_, step) => {
    let sends = 0
    let taken = () => {}
    await start({
      send: () => {
        sends++
        return new Promise((resolve) => (taken = resolve))
      },
    })
    await decide({})
    await until(() => sends === 1)
    advance(step)
    // Comes after the claims of the worker that was just woken.
    for (let claims = 0; claims < 3; claims++) {
      await store.deliveries.claim(now, 1, { each: 0, targets: new Map() })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sends).toBe(1)
    taken()
    await delivered(1)
    expect(sends).toBe(1)
  })

  it('survives the host: one that was being sent is sent again by the next', async () => {
    await decide({})
    const [held] = await store.deliveries.claim(now, 100, { each: 1, targets: new Map() })
    await reopen()
    const sent: ClaimedDelivery[] = []
    await start({ send: async (delivery) => void sent.push(delivery) })
    await delivered(1)
    expect(sent[0]?.id).toBe(held?.id)
    expect(await store.deliveries.settle(held!.id, held!.epoch, 'delivered')).toBe(false)
    expect((await store.deliveries.counts()).delivered).toBe(1)
  })
})

describe('a folder as destination', () => {
  it('gets one complete file for each event, a dead letter with its attributes', async () => {
    const out = join(folder, 'out')
    await start(
      new Destinations({
        named: { [QUEUE]: `folder:${out}` },
        secret: undefined,
        environment: {},
        clock: () => now,
      }),
    )
    await decide({}, { detail: { kind: 'failure', requestId: 'r-2', functionArn: 'arn' } })
    await delivered(2)
    const files = readdirSync(out).sort()
    expect(files).toHaveLength(2)
    expect(files[0]).toMatch(/^1970-01-01T00\.00\.01\.000Z-f-dead-letter-r-1-\d+\.json$/)
    expect(JSON.parse(readFileSync(join(out, files[0]!), 'utf8'))).toEqual({
      attributes: { RequestID: 'r-1', ErrorCode: '200', ErrorMessage: 'käputt\n' },
      body: '{"a":1}',
    })
    expect(readFileSync(join(out, files[1]!), 'utf8')).toBe('{"a":1}')
  })
})

describe('a webhook as destination', () => {
  let server: Server
  let requests: { headers: Record<string, unknown>; body: string }[]
  let status: number
  let url: string

  beforeEach(async () => {
    requests = []
    status = 204
    server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      requests.push({ headers: request.headers, body })
      response.writeHead(status, { Location: '/elsewhere' }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    await start(
      new Destinations({ named: { [QUEUE]: url }, secret: 'a-secret-of-16-chars', environment: {}, clock: () => now }),
    )
  })
  afterEach(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })

  it('is told of in the log when it cannot be reached, with what happened to the connection', async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await decide({})
    await until(() => reasons.length > 0)
    expect(reasons[0]).toMatch(/ECONNREFUSED 127\.0\.0\.1/)
  })

  it('gets the event with a signature that can be checked, and the same delivery id on every try', async () => {
    status = 302
    await decide({})
    await until(async () => (await store.deliveries.nextDue(now)) === now + 1000)
    status = 200
    advance(1000)
    await delivered(1)
    expect(requests).toHaveLength(2)
    const [first, second] = requests
    expect(second?.body).toBe('{"a":1}')
    expect(second?.headers['x-hearth-signature']).toBe(
      signature('a-secret-of-16-chars', 2, new TextEncoder().encode('{"a":1}')),
    )
    expect(second?.headers['x-hearth-signature']).toMatch(/^t=2,v1=[0-9a-f]{64}$/)
    expect(second?.headers['x-amzn-trace-id']).toBe('Root=1-a;Lineage=1:0123abcd:3')
    expect(second?.headers['x-hearth-delivery']).toBe(first?.headers['x-hearth-delivery'])
    expect(decodeURIComponent(String(second?.headers['x-hearth-attribute-errormessage']))).toBe('käputt\n')
  })

  it('that was taken is not called a failure when that cannot be stored, and is not sent again: it is stored later', async () => {
    const settle = vi.spyOn(store.deliveries, 'settle').mockRejectedValueOnce(new Error('disk full'))
    const sent: number[] = []
    await start({ send: async ({ id }) => void sent.push(id) })
    await decide({})
    await until(() => settle.mock.calls.length === 1 && logged.length === 1)
    expect(logged[0]).toMatch(/^the result of a delivery could not be saved/)
    await until(async () => (await store.deliveries.counts()).delivered === 1)
    expect(sent).toHaveLength(1)
  })
})
