/**
 * One transaction for all queue writes that wait, because a commit costs a disk flush whether it holds one event or a thousand.
 *
 * There are two kinds. What callers are promised (events that are accepted) settles only after the flush; meanwhile the next group
 * gathers. What the host tells itself (claims, what became of an event) settles with the commit and is flushed soon: a power failure takes
 * back some milliseconds of it, as if the host had been killed so much earlier, and those events run again.
 */
import type { Transaction } from 'kysely'
import { CountChanges } from './event-counts.ts'
import type { OpenDatabase } from './sqlite.ts'
import type { Tables } from './tables.ts'

/** Statements on the hot path run without Kysely, and without a promise. */
export type QueueWrite<T> = (db: Transaction<Tables>, counts: CountChanges) => T | Promise<T>

interface Waiting {
  readonly write: QueueWrite<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Under load a group waits until it is as large as the load, this many milliseconds at most. When a flush ends, the callers that were
 * answered come back one after the other: without the wait the first of them would have a flush of its own, and the rest the next one.
 */
const GATHER_MS = 1
/** Under load: the group before ended less than this many milliseconds ago. */
const BUSY_MS = 5

/** Bounds the memory and the time of one transaction. */
const WRITES_PER_TRANSACTION = 2000

/** What it needs of an open database. */
interface CommitTarget {
  readonly db: OpenDatabase['db']
  readonly log: Pick<OpenDatabase['log'], 'unflushed' | 'flush' | 'flushSoon'>
}

export class GroupCommit {
  readonly #database: CommitTarget
  readonly #kind: 'promise' | 'progress'
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined
  #endedAt = Number.NEGATIVE_INFINITY
  /** Writes that were under way then. */
  #load = 0
  #gathered: (() => void) | undefined

  constructor(database: CommitTarget, kind: 'promise' | 'progress') {
    this.#database = database
    this.#kind = kind
  }

  run<T>(write: QueueWrite<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#working ??= this.#work()
      if (this.#waiting.length >= this.#load) this.#gathered?.()
    })
  }

  /** Waits until everything given to `run` is committed or refused. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather()
      const group = this.#waiting.splice(0, WRITES_PER_TRANSACTION)
      await this.#commit(group)
      this.#endedAt = performance.now()
      this.#load = group.length + this.#waiting.length
    }
    this.#working = undefined
  }

  #gather(): Promise<void> {
    // Without a flush there is nothing to share.
    const busy = this.#kind === 'promise' && performance.now() - this.#endedAt < BUSY_MS
    return new Promise<void>((resolve) => {
      if (!busy || this.#waiting.length >= this.#load) {
        setImmediate(resolve)
        return
      }
      const timer = setTimeout(resolve, GATHER_MS)
      this.#gathered = () => {
        clearTimeout(timer)
        resolve()
      }
    }).finally(() => {
      this.#gathered = undefined
    })
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { log } = this.#database
    try {
      const results = await this.#transaction(group)
      if (this.#kind === 'promise') await log.flush()
      else log.flushSoon()
      for (const [i, { resolve }] of group.entries()) resolve(results[i] as never)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #transaction(group: readonly Waiting[]): Promise<unknown[]> {
    const { db, log } = this.#database
    return db.connection().execute((connection) =>
      log.unflushed(() =>
        connection.transaction().execute(async (trx) => {
          const counts = new CountChanges()
          const values: unknown[] = []
          for (const { write } of group) {
            const value = write(trx, counts)
            values.push(value instanceof Promise ? await value : value)
          }
          await counts.write(trx)
          return values
        }),
      ),
    )
  }
}
