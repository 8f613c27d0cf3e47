import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { InvocationResult } from '../../../../src/execution/invocation.ts'
import { ChangeReader } from '../../../../src/invoke/change-reader.ts'
import { Concurrency } from '../../../../src/invoke/concurrency.ts'
import { EventRoom } from '../../../../src/invoke/events/event-room.ts'
import { EventWorker } from '../../../../src/invoke/events/event-worker.ts'
import type { Invoker } from '../../../../src/invoke/invoke.ts'
import { Resolver } from '../../../../src/invoke/resolve.ts'
import { LambdaException } from '../../../../src/lambda/errors.ts'
import { RETRY_TIMING } from '../../../../src/lambda/events/event-invoke.ts'
import { roundsOf, withRound } from '../../../../src/lambda/events/lineage.ts'
import type { FunctionConfiguration } from '../../../../src/lambda/function.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { key, validEvent } from '../../../contract/store/under-test.ts'
import { answerWith } from '../../../support/answers.ts'
import { validConfiguration } from '../../../support/configuration.ts'
import { until } from '../../../support/until.ts'

/** The real queue and the real worker on a clock of our own; only the invocation is a stand-in. */
let folder: string
let store: Store
let concurrency: Concurrency
let worker: EventWorker
let now: number
let run: (request: Parameters<Invoker['run']>[2]) => Promise<InvocationResult> | InvocationResult
let ran: { name: string; requestId: string; at: number; version: string; deploymentId: string }[]
let reader: ChangeReader

const bytes = (text: string) => new TextEncoder().encode(text)
const ok: InvocationResult = { ok: true, payload: bytes('"fine"') }
const failed: InvocationResult = {
  ok: false,
  functionError: 'Unhandled',
  errorType: 'E',
  payload: bytes('{"errorMessage":"no"}'),
}
const QUEUE = 'arn:aws:sqs:us-east-1:111111111111:dead'

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-worker-'))
  store = await openStore(join(folder, 'hearth.db'))
  concurrency = new Concurrency({ accountLimit: 10 })
  now = 1000
  ran = []
  run = () => ok
  const resolver = new Resolver(store.targets, concurrency)
  reader = new ChangeReader({ feed: store.targets.changes, consumer: resolver, failed: () => {} })
  const invoker = {
    async run(version, _target, request, flow) {
      concurrency.acquire(request.key, version.version, false)
      try {
        const { deploymentId } = version
        ran.push({
          name: request.key.name,
          requestId: request.requestId,
          at: now,
          version: version.version,
          deploymentId,
        })
        return answerWith(flow, await run(request))
      } finally {
        concurrency.release(request.key, version.version)
      }
    },
  } as Pick<Invoker, 'run'> as Invoker
  worker = new EventWorker({
    queue: store.queue,
    resolver,
    invoker,
    room: new EventRoom({
      concurrency,
      capacity: 8,
      probeEveryMs: 1000,
    }),
    timing: RETRY_TIMING,
    clock: () => now,
    wakeDeliveries: () => {},
    log: () => {},
  })
  await worker.start()
})
afterEach(async () => {
  await worker.stop(0)
  await reader.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

async function create(name: string, changes: Partial<FunctionConfiguration> = {}): Promise<void> {
  const input = { configuration: validConfiguration(changes), tags: {}, publish: true }
  const { latest } = await store.functions.create(key(name), input, now)
  await store.functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
}
const reserve = (name: string, reserved: number) =>
  store.functions.reserveConcurrency(key(name), reserved, { accountConcurrency: 10, unreservedMinimum: 0 })
const configure = (name: string, rules: object, qualifier = '$LATEST') =>
  store.eventInvoke.change(key(name), qualifier, () => ({ lastModified: now, ...rules }))
async function put(name: string, changes: object = {}): Promise<void> {
  await store.queue.put(validEvent({ function: key(name), enqueuedAt: now, ...changes }))
  worker.wake()
}
function advance(ms: number): void {
  now += ms
  worker.wake()
}
/** Nothing is due or running any more. */
const quiet = () =>
  until(async () => {
    const { claimed } = await store.queue.counts()
    const due = await store.queue.nextDue()
    return claimed === 0 && (due === undefined || due > now)
  })
const deliveries = () => store.deliveries.claim(now, 100, { each: 100, targets: new Map() })
const record = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString())

describe('an event of a failing function', () => {
  it('is attempted three times at its times with one request id, and then goes to the destination and the dead letters', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await configure('f', { onFailure: 'arn:aws:sns:us-east-1:111111111111:failures' })
    run = () => failed
    await put('f', { requestId: 'r-9' })
    await quiet()
    advance(59_999)
    await quiet()
    expect(ran).toHaveLength(1)
    advance(1)
    await quiet()
    advance(120_000)
    await quiet()
    expect(ran.map(({ at, requestId }) => [at, requestId])).toEqual([
      [1000, 'r-9'],
      [61_000, 'r-9'],
      [181_000, 'r-9'],
    ])
    expect(await store.queue.counts()).toMatchObject({ enqueued: 1, waiting: 0, done: 0, dead: 1 })
    const sent = await deliveries()
    expect(sent.map(({ detail }) => detail.kind).sort()).toEqual(['dead-letter', 'failure'])
    const dead = sent.find(({ detail }) => detail.kind === 'dead-letter')
    expect(dead).toMatchObject({
      target: QUEUE,
      detail: { attributes: { RequestID: 'r-9', ErrorCode: '200', ErrorMessage: 'no' } },
    })
    expect(Buffer.from(dead!.body).toString()).toBe('{"a":1}')
    const failure = sent.find(({ detail }) => detail.kind === 'failure')
    expect(record(failure!.body)).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3, requestId: 'r-9' },
      responseContext: { functionError: 'Unhandled' },
      responsePayload: { errorMessage: 'no' },
    })
  })

  it('succeeds on a retry with no more than the success to tell', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await configure('f', { onSuccess: QUEUE })
    run = () => (ran.length === 1 ? failed : ok)
    await put('f')
    await quiet()
    advance(60_000)
    await quiet()
    const [sent, ...others] = await deliveries()
    expect(others).toEqual([])
    expect(record(sent!.body)).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 2 },
      responsePayload: 'fine',
    })
  })

  it('runs again on the code that is in force then: of $LATEST, and of the version that its alias points to', async () => {
    await create('f')
    const change = (before: FunctionConfiguration) => ({ ...before, codeSha256: 'sha-2' })
    await store.aliases.create(key('f'), { name: 'live', functionVersion: '1', description: '' })
    run = () => failed
    await put('f', { requestId: 'latest' })
    await put('f', { requestId: 'alias', qualifier: 'live' })
    await quiet()
    const { latest } = await store.functions.beginUpdate(key('f'), { change, publish: true }, now)
    await store.functions.completeUpdate(key('f'), latest.deploymentId, { ok: true })
    await store.aliases.update(key('f'), 'live', { functionVersion: '2' })
    advance(60_000)
    await quiet()
    const of = (requestId: string) => ran.filter((one) => one.requestId === requestId)
    expect(of('alias').map(({ version }) => version)).toEqual(['1', '2'])
    expect(of('latest').map(({ deploymentId }) => deploymentId === latest.deploymentId)).toEqual([false, true])
  })

  it('follows the configuration of the alias it was sent to, and of nothing else', async () => {
    await create('f')
    await store.aliases.create(key('f'), { name: 'live', functionVersion: '1', description: '' })
    await configure('f', { maximumRetryAttempts: 2 })
    await configure('f', { maximumRetryAttempts: 0, onFailure: QUEUE }, 'live')
    run = () => failed
    await put('f', { qualifier: 'live' })
    await quiet()
    expect(await store.queue.counts()).toMatchObject({ dead: 1, waiting: 0 })
    expect(ran[0]?.version).toBe('1')
    const [sent] = await deliveries()
    expect(sent?.detail.functionArn).toMatch(/:f:live$/)
    await put('f', { qualifier: '1' })
    await quiet()
    expect(await store.queue.counts()).toMatchObject({ waiting: 1 })
  })
})

describe('an event that cannot run now', () => {
  it('waits with growing delays while the function is throttled, and still has all of its retries then', async () => {
    await create('f')
    run = () => {
      if (now < 20_000) throw new LambdaException('EC2ThrottledException', 'no room')
      return failed
    }
    await put('f')
    for (let seconds = 0; seconds < 400; seconds++) {
      await quiet()
      advance(1000)
    }
    await quiet()
    // 0 1 3 7 15 31 s after its arrival; the last of them runs and fails, and is retried after 60 and 120 s.
    expect(ran.map(({ at }) => (at - 1000) / 1000)).toEqual([0, 1, 3, 7, 15, 31, 91, 211])
    expect(await store.queue.counts()).toMatchObject({ dead: 1 })
  })

  it('ends when it is too old, although the function never has room for it', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await configure('f', { maximumEventAge: 60 })
    await reserve('f', 1)
    // A synchronous invocation that holds the only permit.
    await put('f', { requestId: 'first' })
    await quiet()
    concurrency.acquire(key('f'), '$LATEST', false)
    await put('f')
    for (let seconds = 0; seconds < 70; seconds++) {
      await quiet()
      advance(1000)
    }
    await quiet()
    concurrency.release(key('f'), '$LATEST')
    expect(await store.queue.counts()).toMatchObject({ waiting: 0, done: 1, dead: 1 })
    const [dead] = await deliveries()
    expect(dead?.detail.attributes).toMatchObject({ ErrorCode: '429' })
  })

  it('ends at once when the function has a reserved concurrency of zero', async () => {
    await create('f')
    await configure('f', { onFailure: QUEUE })
    await reserve('f', 0)
    await put('f')
    await quiet()
    expect(ran).toEqual([])
    const [sent] = await deliveries()
    expect(record(sent!.body)).toMatchObject({
      requestContext: { condition: 'ZeroReservedConcurrency', approximateInvokeCount: 0 },
    })
    expect(record(sent!.body)).not.toHaveProperty('responseContext')
  })

  it('ends as failed when its alias is gone, and is discarded with its function', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await put('f', { qualifier: 'gone' })
    await quiet()
    expect(await store.queue.counts()).toMatchObject({ dead: 1 })
    expect((await deliveries())[0]?.detail.attributes?.ErrorMessage).toMatch(/^Function not found: .*:f:gone$/)
    run = () => failed
    await put('f')
    await quiet()
    await store.functions.delete(key('f'))
    await create('f')
    advance(600_000)
    await quiet()
    expect(ran).toHaveLength(1)
    expect(await store.queue.functions(10)).toEqual([])
    expect(await store.queue.counts()).toMatchObject({ enqueued: 2, dead: 1, discarded: 1, waiting: 0 })
  })
})

describe('a stop', () => {
  it('begins no event that was being claimed when it came, and gives it back unspent', async () => {
    await create('f')
    let claimed = () => {}
    const claiming = new Promise<void>((resolve) => {
      claimed = resolve
    })
    let goOn = () => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const { queue } = store
    const claim = queue.claim.bind(queue)
    queue.claim = async (...given) => {
      const taken = await claim(...given)
      if (taken.events.length > 0) {
        claimed()
        await held
      }
      return taken
    }
    await put('f')
    await claiming
    const stopped = worker.stop(1000)
    goOn()
    await stopped
    expect(ran).toEqual([])
    expect(await queue.counts()).toMatchObject({ waiting: 1, claimed: 0, done: 0 })
    const [again] = (await claim(now, 1)).events
    expect(again!.attempts - again!.postponements).toBe(0)
  })

  it('begins none of those that wait while one runs', async () => {
    await create('f')
    let end = () => {}
    run = () =>
      new Promise((resolve) => {
        end = () => resolve(ok)
      })
    await reserve('f', 1)
    await put('f', { requestId: 'running' })
    await until(() => ran.length === 1)
    for (let n = 0; n < 20; n++) await put('f')
    const stopped = worker.stop(60_000)
    worker.wake()
    end()
    await stopped
    expect(ran.map(({ requestId }) => requestId)).toEqual(['running'])
    expect(await store.queue.counts()).toMatchObject({ waiting: 20, claimed: 0, done: 1 })
  })
})

describe('functions of this host as destinations', () => {
  const ARN = 'arn:aws:lambda:us-east-1:111111111111:function:g'

  it('get the record as an event of their own, in the same transaction', async () => {
    await create('f')
    await create('g')
    await configure('f', { onSuccess: ARN })
    const seen: unknown[] = []
    run = (request) => {
      if (request.key.name === 'g') seen.push(record(request.payload))
      return ok
    }
    await put('f', { requestId: 'r-1' })
    await until(() => seen.length > 0)
    await quiet()
    expect(seen).toMatchObject([
      { requestContext: { requestId: 'r-1', condition: 'Success' }, responsePayload: 'fine' },
    ])
    expect(ran[1]?.requestId).not.toBe('r-1')
    expect(await store.queue.counts()).toMatchObject({ enqueued: 2, done: 2 })
  })
})

describe('the lineage of an event', () => {
  const ROOT = 'Root=1-5759e988-bd862e3fe1be46a994272793'

  it('goes with everything that its end sends, the run that ended it included', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await create('g')
    await configure('f', {
      maximumRetryAttempts: 0,
      onFailure: 'arn:aws:sns:us-east-1:111111111111:failures',
      onSuccess: 'arn:aws:lambda:us-east-1:111111111111:function:g',
    })
    const twice = withRound(withRound(ROOT, key('f')), key('f'))
    run = () => failed
    await put('f', { traceHeader: twice })
    await quiet()
    const sent = await deliveries()
    expect(sent.map(({ detail }) => detail.traceHeader && roundsOf(detail.traceHeader, key('f')))).toEqual([3, 3])
    const seen: string[] = []
    run = (request) => {
      if (request.key.name === 'g') seen.push(request.traceHeader)
      return ok
    }
    await put('f', { traceHeader: twice })
    await until(() => seen.length > 0)
    expect(roundsOf(seen[0] ?? '', key('f'))).toBe(3)
  })

  it('stays as it was when the function did not run', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await reserve('f', 0)
    await put('f', { traceHeader: withRound(ROOT, key('f')) })
    await quiet()
    const [sent] = await deliveries()
    expect(roundsOf(sent?.detail.traceHeader ?? '', key('f'))).toBe(1)
  })
})

describe('a backlog of one function', () => {
  it('is claimed no further than its own concurrency, so that another function runs before it moves on', async () => {
    await create('slow')
    await create('quick')
    await reserve('slow', 1)
    let release = () => {}
    run = (request) => (request.key.name === 'quick' ? ok : new Promise((resolve) => (release = () => resolve(ok))))
    await Promise.all(Array.from({ length: 500 }, (_, i) => put('slow', { requestId: `s${i}` })))
    await until(() => ran.length === 1)
    await put('quick')
    await until(() => ran.some(({ name }) => name === 'quick'))
    expect(ran.filter(({ name }) => name === 'slow')).toHaveLength(1)
    await until(async () => (await store.queue.counts()).done === 1)
    expect(await store.queue.counts()).toMatchObject({ claimed: 1, waiting: 499 })
    run = () => ok
    release()
    await until(async () => (await store.queue.counts()).done === 501)
  })

  it('costs no look into the queue as it grows, and moves on when what runs has ended', async () => {
    await create('slow')
    await reserve('slow', 1)
    const claim = vi.spyOn(store.queue, 'claim')
    let end = () => {}
    run = () =>
      new Promise((resolve) => {
        end = () => resolve(ok)
      })
    const send = async () => {
      await store.queue.put(validEvent({ function: key('slow'), enqueuedAt: now }))
      worker.wake(key('slow'))
    }
    await send()
    await until(() => ran.length === 1)
    const before = claim.mock.calls.length
    for (let i = 0; i < 5; i++) await send()
    expect(claim.mock.calls.length - before).toBeLessThanOrEqual(1)
    for (let n = 2; n <= 6; n++) {
      end()
      await until(() => ran.length === n)
    }
    end()
    await quiet()
  })

  it('leaves room for others also without a reservation', async () => {
    await create('hog')
    await create('quick')
    const releases: (() => void)[] = []
    run = (request) => (request.key.name === 'quick' ? ok : new Promise((resolve) => releases.push(() => resolve(ok))))
    await Promise.all(Array.from({ length: 100 }, (_, i) => put('hog', { requestId: `h${i}` })))
    await until(() => ran.length === 4)
    await put('quick')
    await until(() => ran.some(({ name }) => name === 'quick'))
    expect(ran.filter(({ name }) => name === 'hog')).toHaveLength(4)
    run = () => ok
    for (const release of releases) release()
    await until(async () => (await store.queue.counts()).done === 101)
  })

  it.each([
    ['steps forward by a minute', 61_000],
    ['steps back by a minute', -61_000],
    ['jumps a day ahead, as after a suspend', 86_400_000],
  ])('runs once, and beside itself never, when the clock %s meanwhile', async (_, step) => {
    await create('f')
    await create('g')
    let finish = () => {}
    run = (request) => (request.key.name === 'g' ? ok : new Promise((resolve) => (finish = () => resolve(ok))))
    await put('f')
    await until(() => ran.length === 1)
    advance(step)
    // The worker claims again and again meanwhile; the old event is not among what it gets.
    for (let i = 1; i <= 3; i++) {
      await put('g', { requestId: `g${i}`, enqueuedAt: now - 1 })
      await until(async () => (await store.queue.counts()).done === i)
    }
    expect(ran.filter(({ name }) => name === 'f')).toHaveLength(1)
    finish()
    await until(async () => (await store.queue.counts()).done === 4)
    expect(ran.filter(({ name }) => name === 'f')).toHaveLength(1)
  })

  it('that ran is not run again when its end cannot be stored: it is stored later', async () => {
    await create('f')
    const settle = vi.spyOn(store.queue, 'settle').mockRejectedValueOnce(new Error('disk full'))
    await put('f')
    await until(async () => (await store.queue.counts()).done === 1)
    expect(settle).toHaveBeenCalledTimes(2)
    expect(ran).toHaveLength(1)
  })

  it('does not take what the stop of the host cut off for a failure: the next start runs it again', async () => {
    await create('f', { deadLetterTarget: QUEUE })
    await configure('f', { maximumRetryAttempts: 0 })
    let cutOff = () => {}
    run = () =>
      new Promise((resolve) => {
        cutOff = () => resolve({ ...failed, errorType: 'Sandbox.Failure' })
      })
    await put('f')
    await until(() => ran.length === 1)
    await worker.stop(0)
    cutOff()
    await until(() => concurrency.total() === 0)
    // Comes after whatever the worker wrote of it.
    await store.queue.claim(now, 1, { accounts: new Map(), functions: new Map() })
    run = () => ok
    await worker.start()
    await until(async () => (await store.queue.counts()).done === 1)
    expect(await deliveries()).toEqual([])
  })

  it('moves on, and its counts never drift', async () => {
    await create('f')
    await create('g')
    await reserve('f', 2)
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(i % 3 ? 'f' : 'g', { requestId: `e${i}` })))
    await until(async () => (await store.queue.counts()).done === 300)
    expect(new Set(ran.map(({ requestId }) => requestId)).size).toBe(300)
    expect(await store.queue.functions(10)).toMatchObject([
      { function: key('f'), enqueued: 200, done: 200, waiting: 0, claimed: 0 },
      { function: key('g'), enqueued: 100, done: 100, waiting: 0, claimed: 0 },
    ])
  })
})
