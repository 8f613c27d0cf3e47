/**
 * One transaction for all queue writes of one turn of the event loop, because a commit costs a disk flush whether it holds one event or a
 * thousand. A write's promise settles only after the commit.
 */
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/** What a write changes in `event_counts`; added up and written once per transaction. */
export interface CountChanges {
  enqueued: number
  waiting: number
  claimed: number
  done: number
  discarded: number
}

export type QueueWrite<T> = (db: Transaction<Tables>, counts: CountChanges) => Promise<T>

interface Waiting {
  readonly write: QueueWrite<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

/** Bounds the memory and the time of one transaction. */
const WRITES_PER_TRANSACTION = 2000

export class GroupCommit {
  readonly #db: Kysely<Tables>
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  run<T>(write: QueueWrite<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#flushing ??= new Promise<void>((done) => {
        setImmediate(() => void this.#flush().finally(done))
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
        await this.#commit(group)
      }
    } finally {
      this.#flushing = undefined
    }
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#db.transaction().execute(async (trx) => {
        const counts: CountChanges = { enqueued: 0, waiting: 0, claimed: 0, done: 0, discarded: 0 }
        const values: unknown[] = []
        for (const { write } of group) values.push(await write(trx, counts))
        await addCounts(trx, counts)
        return values
      })
      for (const [i, { resolve }] of group.entries()) resolve(results[i] as never)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

export async function addCounts(db: Transaction<Tables>, add: Partial<CountChanges>): Promise<void> {
  const changes = Object.entries(add).filter(([, n]) => n !== 0) as [keyof CountChanges, number][]
  if (changes.length === 0) return
  await db
    .updateTable('event_counts')
    .set((eb) => Object.fromEntries(changes.map(([name, n]) => [name, eb(name, '+', n)])))
    .execute()
}
