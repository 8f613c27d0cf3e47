/**
 * One transaction for all queue writes of one turn of the event loop, because a commit costs a disk flush whether it holds one event or a
 * thousand. A write's promise settles only after the commit.
 */
import type { Kysely, Transaction } from 'kysely'
import type { EventCounts, Tables } from './tables.ts'

export type CountChange = Partial<EventCounts>

/** What writes change in the counts of each function; added up and written once per transaction. */
export class CountChanges {
  readonly #byFunction = new Map<string, Record<keyof EventCounts, number>>()

  add(functionKey: string, change: CountChange): void {
    let sum = this.#byFunction.get(functionKey)
    if (sum === undefined) {
      sum = { enqueued: 0, waiting: 0, claimed: 0, done: 0, dead: 0, discarded: 0 }
      this.#byFunction.set(functionKey, sum)
    }
    for (const [name, n] of Object.entries(change)) sum[name as keyof EventCounts] += n
  }

  async write(db: Transaction<Tables>): Promise<void> {
    const total = new Map<keyof EventCounts, number>()
    for (const [function_key, sum] of this.#byFunction) {
      const changes = (Object.entries(sum) as [keyof EventCounts, number][]).filter(([, n]) => n !== 0)
      if (changes.length === 0) continue
      for (const [name, n] of changes) total.set(name, (total.get(name) ?? 0) + n)
      await db
        .insertInto('event_function_counts')
        .values({ function_key, ...sum })
        .onConflict((oc) =>
          oc
            .column('function_key')
            .doUpdateSet((eb) =>
              Object.fromEntries(changes.map(([name, n]) => [name, eb(`event_function_counts.${name}`, '+', n)])),
            ),
        )
        .execute()
    }
    if (total.size === 0) return
    await db
      .updateTable('event_counts')
      .set((eb) => Object.fromEntries([...total].map(([name, n]) => [name, eb(name, '+', n)])))
      .execute()
  }
}

export type QueueWrite<T> = (db: Transaction<Tables>, counts: CountChanges) => Promise<T>

interface Waiting {
  readonly write: QueueWrite<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Where a commit is dear and load is high, it waits this long, milliseconds, for others to join it. The commit blocks the event loop for
 * the time of a disk flush; when it ends, all callers that were answered come back at once, but not in the same turn: without the wait
 * the first of them would have a flush of its own. Where the disk is faster than the wait, nothing is gained by it.
 */
const GATHER_MS = 1
/** Load: the commit before ended less than this many milliseconds ago. */
const BUSY_MS = 5

/** Bounds the memory and the time of one transaction. */
const WRITES_PER_TRANSACTION = 2000

export class GroupCommit {
  readonly #db: Kysely<Tables>
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined
  #endedAt = Number.NEGATIVE_INFINITY
  /** Duration of the last commit. */
  #commitMs = 0

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  run<T>(write: QueueWrite<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#flushing ??= new Promise<void>((done) => {
        const flush = () => void this.#flush().finally(done)
        const busy = performance.now() - this.#endedAt < BUSY_MS
        if (busy && this.#commitMs > GATHER_MS) setTimeout(flush, GATHER_MS)
        else setImmediate(flush)
      })
    })
  }

  /** Waits until everything given to `run` is on disk or refused. */
  async idle(): Promise<void> {
    while (this.#flushing) await this.#flushing
  }

  async #flush(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const group = this.#waiting.splice(0, WRITES_PER_TRANSACTION)
        const began = performance.now()
        await this.#commit(group)
        this.#commitMs = performance.now() - began
      }
    } finally {
      this.#flushing = undefined
      this.#endedAt = performance.now()
    }
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#db.transaction().execute(async (trx) => {
        const counts = new CountChanges()
        const values: unknown[] = []
        for (const { write } of group) values.push(await write(trx, counts))
        await counts.write(trx)
        return values
      })
      for (const [i, { resolve }] of group.entries()) resolve(results[i] as never)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
