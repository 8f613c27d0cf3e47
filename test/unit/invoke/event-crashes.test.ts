/**
 * The host is killed at random moments, on the real queue and the real worker; then the same with two queues that are wrong, which the
 * property must notice. The whole host under SIGKILL, with the same property: test/docker/asynchronous.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Concurrency } from '../../../src/invoke/concurrency.ts'
import { EventRoom } from '../../../src/invoke/events/event-room.ts'
import { EventWorker } from '../../../src/invoke/events/event-worker.ts'
import type { Invoker } from '../../../src/invoke/invoke.ts'
import type { Resolver } from '../../../src/invoke/resolve.ts'
import type { EventQueueStore } from '../../../src/store/event-queue-store.ts'
import { totalCounts } from '../../../src/store/queue/event-counts.ts'
import { SqlEventQueue } from '../../../src/store/queue/event-queue.ts'
import { GroupCommit } from '../../../src/store/queue/group-commit.ts'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite/sqlite.ts'
import { key, validEvent } from '../../contract/store/under-test.ts'
import { Random } from '../../fuzz/random.ts'
import { answerWith } from '../../support/answers.ts'
import { breaches } from '../../support/conservation.ts'
import { until } from '../../support/until.ts'
import { validVersion } from '../execution/fake-host.ts'

const RUNS = 20
const EVENTS = 50
const KILLS = 5
const CLOCK = 1000
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const never = new Promise<never>(() => {})

type Writes = Pick<EventQueueStore, 'settle' | 'release'>

let folder: string
let database: OpenDatabase
let progress: GroupCommit
/** Of the host that lives now. */
let queue: SqlEventQueue
let hosts = 0

/** As one host sees the database: what the host before had claimed is of the dead. */
function openQueue(): SqlEventQueue {
  const { db, connection } = database
  const commits = { promises: new GroupCommit(database, 'promise'), progress }
  return new SqlEventQueue({ db, connection, instance: `host-${++hosts}` }, commits)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-crashes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What the counts say and the rows do not; nothing but zeros unless the queue is wrong. */
function drift(): Promise<number[]> {
  return database.db.transaction().execute(async (db) => {
    const counts = await totalCounts(db)
    const rows = await db.selectFrom('events').select('claimed').execute()
    const claimed = rows.filter((row) => row.claimed === 1).length
    const { enqueued, done, dead, discarded } = counts
    return [
      enqueued - done - dead - discarded - rows.length,
      counts.waiting + claimed - rows.length,
      counts.claimed - claimed,
    ]
  })
}

async function isEmpty(): Promise<boolean> {
  return (await database.db.selectFrom('events').select('id').limit(1).execute()).length === 0
}

/**
 * What a host that can be killed has between itself and the disk. Its reads and claims are never answered after the kill; a write that was
 * on its way is done before, or not at all, or by a disk that was slow: after the next host has begun.
 */
class Wire {
  killed = false
  readonly #random: (below: number) => number
  readonly #late: (() => Promise<unknown>)[] = []

  constructor(random: (below: number) => number) {
    this.#random = random
  }

  async read<T>(what: () => Promise<T>): Promise<T> {
    await this.#way()
    const answer = this.killed ? await never : await what()
    return this.killed ? never : answer
  }

  async write<T>(what: () => Promise<T>): Promise<T> {
    await this.#way()
    if (this.killed) {
      if (this.#random(4) > 0) this.#late.push(what)
      return never
    }
    const answer = await what()
    return this.killed ? never : answer
  }

  async arriveLate(): Promise<void> {
    for (const write of this.#late.splice(0)) await write()
  }

  async #way(): Promise<void> {
    for (let turns = this.#random(12); turns > 0; turns--) await turn()
  }
}

/** The queue as one host sees it. `writes` is what is under test: the real ones, or wrong ones. */
function through(wire: Wire, writes: (step: <T>(what: () => Promise<T>) => Promise<T>) => Writes): EventQueueStore {
  const step = <T>(what: () => Promise<T>) => wire.write(what)
  return Object.assign(Object.create(queue) as EventQueueStore, {
    claim: (...given: Parameters<EventQueueStore['claim']>) => wire.read(() => queue.claim(...given)),
    nextDue: (after?: number) => wire.read(() => queue.nextDue(after)),
    recover: (now: number) => queue.recover(now),
    ...writes(step),
  })
}

/** Every second event fails the first time it is executed, and is retried. */
async function conduct(seed: number, writes: Parameters<typeof through>[1]): Promise<string[]> {
  const generator = new Random(seed)
  const random = (below: number) => generator.below(below)
  const executed: string[] = []
  const wanted = (requestId: string) => (Number(requestId.split('-')[1]) % 2) + 1
  const start = async () => {
    queue = openQueue()
    const wire = new Wire(random)
    const version = validVersion({ ...key('f'), version: '$LATEST' })
    const target = { versions: [{ version, weight: 1 }] }
    const resolver = { resolve: async () => target, loadLimits: async () => {} } as unknown as Resolver
    const run: Invoker['run'] = async (_version, _target, { requestId }, flow) => {
      for (let turns = random(4); turns > 0; turns--) await turn()
      if (wire.killed) return never
      executed.push(requestId)
      const payload = new Uint8Array()
      const first = executed.filter((id) => id === requestId).length === 1
      const failing = first && wanted(requestId) === 2
      return answerWith(
        flow,
        failing ? { ok: false, functionError: 'Unhandled', errorType: 'E', payload } : { ok: true, payload },
      )
    }
    const concurrency = new Concurrency({ accountLimit: 100 })
    concurrency.setLimits(key('f').account, key('f').region, { reserved: new Map(), provisioned: new Map() })
    const worker = new EventWorker({
      queue: through(wire, writes),
      resolver,
      invoker: { run } as Invoker,
      room: new EventRoom({ concurrency, capacity: 8, probeEveryMs: 1000 }),
      timing: { retryDelaysMs: [0], backoffBaseMs: 0 },
      clock: () => CLOCK,
      wakeDeliveries: () => {},
      log: () => {},
    })
    await worker.start()
    return { wire, worker }
  }

  const accepted = Array.from({ length: EVENTS }, (_, i) => `${seed}-${i}`)
  const unsettled: string[] = []
  let host = await start()
  await Promise.all(accepted.map((requestId) => queue.put(validEvent({ requestId, enqueuedAt: CLOCK }))))
  host.worker.wake()
  for (let kills = 0; kills < KILLS; kills++) {
    for (let turns = random(60); turns > 0; turns--) await turn()
    const dead = host
    dead.wire.killed = true
    await dead.worker.stop(0)
    await progress.idle()
    const open = await database.db.selectFrom('events').select('request_id').where('claimed', '=', 1).execute()
    unsettled.push(...open.map(({ request_id }) => request_id))
    host = await start()
    for (let turns = random(30); turns > 0; turns--) await turn()
    await dead.wire.arriveLate()
    host.worker.wake()
  }
  await until(async () => {
    host.worker.wake()
    // A queue that is wrong may not get empty any more.
    return (await isEmpty()) || (await drift()).some((each) => each !== 0)
  }, 5)
  await host.worker.stop(1000)
  return breaches({ accepted, executed, wanted, unsettled, drift: await drift() })
}

/** The breaches of the first run that has any. */
async function conducts(writes: Parameters<typeof through>[1]): Promise<string[]> {
  for (let seed = 1; seed <= RUNS; seed++) {
    database = await openSqlite(join(folder, `${seed}.db`))
    progress = new GroupCommit(database, 'progress')
    try {
      const found = await conduct(seed, writes)
      if (found.length > 0) return found
    } finally {
      await progress.idle()
      await database.close()
    }
  }
  return []
}

/** The row that a statement of a wrong queue returns. */
function changed(text: string, ...parameters: unknown[]): { function_key: string } | undefined {
  return database.connection.prepare(text).all(parameters)[0] as { function_key: string } | undefined
}

describe(`${EVENTS} events of a host that is killed ${KILLS} times, ${RUNS} times over`, () => {
  it('are all executed as their rules demand, none more often than claims were open, and the counts hold', async () => {
    const real = await conducts((step) => ({
      settle: (...given) => step(() => queue.settle(...given)),
      release: (...given) => step(() => queue.release(...given)),
    }))
    expect(real).toEqual([])
  })

  it('are miscounted when a settle looks at the id alone', async () => {
    const withoutEpoch = await conducts((step) => ({
      settle: (id, _epoch, ending) =>
        step(() =>
          progress.run(({ counts }) => {
            const gone = changed('delete from events where id = ? returning function_key', id)
            if (gone !== undefined) counts.add(gone.function_key, { claimed: -1, [ending?.as ?? 'done']: 1 })
            return gone !== undefined
          }),
        ),
      release: (id, _epoch, due_at) =>
        step(() =>
          progress.run(({ counts }) => {
            const release = 'update events set claimed = 0, due_at = ? where id = ? returning function_key'
            const back = changed(release, due_at, id)
            if (back !== undefined) counts.add(back.function_key, { claimed: -1, waiting: 1 })
            return back !== undefined
          }),
        ),
    }))
    expect(withoutEpoch).toContainEqual(expect.stringContaining('the counts drifted'))
  })

  it('are lost when an event is deleted before its retry is stored', async () => {
    const deletesFirst = await conducts((step) => ({
      settle: (...given) => step(() => queue.settle(...given)),
      async release(id, epoch, availableAt, because) {
        if (because !== 'retry') return step(() => queue.release(id, epoch, availableAt, because))
        const event = await database.db
          .selectFrom('events')
          .select('request_id')
          .where('id', '=', id)
          .executeTakeFirst()
        const gone = await step(() => queue.settle(id, epoch))
        await step(() => queue.put(validEvent({ requestId: event!.request_id, enqueuedAt: CLOCK })))
        return gone
      },
    }))
    expect(deletesFirst).toContainEqual(expect.stringContaining('was accepted and lost'))
  })
})
