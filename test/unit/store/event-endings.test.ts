import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventEnding } from '../../../src/store/event-queue-store.ts'
import { SqlDeliveries } from '../../../src/store/queue/deliveries.ts'
import { SqlEventQueue } from '../../../src/store/queue/event-queue.ts'
import { GroupCommit } from '../../../src/store/queue/group-commit.ts'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite/sqlite.ts'
import { key, validEvent } from '../../contract/store/under-test.ts'

let folder: string
let database: OpenDatabase
let queue: SqlEventQueue
let progress: GroupCommit
let deliveries: SqlDeliveries

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-endings-'))
  database = await openSqlite(join(folder, 'hearth.db'))
  progress = new GroupCommit(database, 'progress')
  queue = queueOf('first')
  deliveries = new SqlDeliveries(database, progress)
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

/** The queue as an instance sees it. */
const queueOf = (instance: string) =>
  new SqlEventQueue(
    { db: database.db, connection: database.connection, instance },
    { promises: new GroupCommit(database, 'promise'), progress },
  )

const ending = (changes: Partial<EventEnding> = {}): EventEnding => ({
  as: 'dead',
  deliveries: [
    {
      function: key('f'),
      target: 'queue',
      detail: { kind: 'failure', requestId: 'r-1', functionArn: 'arn' },
      body: new TextEncoder().encode('{}'),
      createdAt: 1000,
    },
  ],
  events: [validEvent({ function: key('g'), requestId: 'follows' })],
  ...changes,
})

describe('the end of an event', () => {
  it('stores what follows from it in the same transaction, once', async () => {
    await queue.put(validEvent())
    const [late] = (await queue.claim(1000, 1)).events
    const second = queueOf('second')
    await second.recover(2000)
    const [event] = (await second.claim(2000, 1)).events
    expect(await queue.settle(late!.id, late!.epoch, ending())).toBe(false)
    expect((await deliveries.counts()).decided).toBe(0)
    expect(await queue.settle(event!.id, event!.epoch, ending())).toBe(true)
    expect(await queue.settle(event!.id, event!.epoch, ending())).toBe(false)
    expect(await queue.counts()).toEqual({ enqueued: 2, waiting: 1, claimed: 0, done: 0, dead: 1, discarded: 0 })
    expect((await deliveries.counts()).targets).toMatchObject([{ target: 'queue', waiting: 1 }])
  })

  it('leaves the event in the queue when what follows cannot be stored', async () => {
    await queue.put(validEvent())
    const [event] = (await queue.claim(1000, 1)).events
    const broken = ending({ events: [validEvent({ payload: undefined as never })] })
    await expect(queue.settle(event!.id, event!.epoch, broken)).rejects.toThrow()
    expect(await queue.counts()).toMatchObject({ enqueued: 1, claimed: 1, dead: 0 })
    expect((await deliveries.counts()).decided).toBe(0)
    expect(await queue.settle(event!.id, event!.epoch)).toBe(true)
  })

  it('refuses an event that cannot be stored alone, not those that came with it', async () => {
    const broken = validEvent({ requestId: null as unknown as string })
    const given = [
      validEvent({ requestId: 'a' }),
      broken,
      validEvent({ requestId: 'b' }),
      broken,
      validEvent({ requestId: 'c' }),
    ]
    const answers = await Promise.allSettled(given.map((event) => queue.put(event)))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect((await queue.claim(1000, 10)).events.map(({ requestId }) => requestId)).toEqual(['a', 'b', 'c'])
    expect(await queue.counts()).toMatchObject({ enqueued: 3, claimed: 3 })
  })

  it('counts what spent a retry apart from what did not', async () => {
    await queue.put(validEvent())
    for (const because of ['retry', 'postponement', 'postponement', undefined] as const) {
      const [event] = (await queue.claim(1000, 1)).events
      await queue.release(event!.id, event!.epoch, 1000, because)
    }
    expect((await queue.claim(1000, 1)).events[0]).toMatchObject({ attempts: 4, retries: 1, postponements: 2 })
  })
})

/** Two hosts, the first of which was taken for dead; the second one fails and wants a retry. What the checks below must notice. */
async function lateWorker(
  settle: (id: number, epoch: number) => Promise<unknown>,
): Promise<{ lost: boolean; drift: number }> {
  await queue.put(validEvent())
  const [late] = (await queue.claim(1000, 1)).events
  const second = queueOf('second')
  await second.recover(2000)
  const [current] = (await second.claim(2000, 1)).events
  await settle(late!.id, late!.epoch)
  const retried = await queue.release(current!.id, current!.epoch, 5000, 'retry')
  const { enqueued, waiting, claimed, done, dead, discarded } = await queue.counts()
  const events = Number((await sql<{ n: number }>`select count(*) as n from events`.execute(database.db)).rows[0]?.n)
  return {
    lost: !retried,
    drift: Math.abs(enqueued - waiting - claimed - done - dead - discarded) + Math.abs(waiting + claimed - events),
  }
}

describe('conservation', () => {
  it('holds when a worker that was taken for dead settles late', async () => {
    expect(await lateWorker((id, epoch) => queue.settle(id, epoch))).toEqual({ lost: false, drift: 0 })
  })

  it('is broken by a settle without the epoch, and the check notices', async () => {
    const withoutEpoch = (id: number) => sql`delete from events where id = ${id}`.execute(database.db)
    const { lost, drift } = await lateWorker(withoutEpoch)
    expect(lost).toBe(true)
    expect(drift).toBeGreaterThan(0)
  })
})
