/**
 * One transaction for all queue writes that wait, because a commit costs a disk flush whether it holds one event or a thousand.
 *
 * There are two kinds. What callers are promised (events that are accepted) settles only after the flush; meanwhile the next group
 * gathers. What the host tells itself (claims, what became of an event) settles with the commit and is flushed soon: a power failure takes
 * back some milliseconds of it, as if the host had been killed so much earlier, and those events run again.
 */

import type { OpenDatabase } from '../sqlite/sqlite.ts'
import { GroupWrites } from './group-writes.ts'

/** Executes its statements, within the transaction and without a promise. It may be called again after it was rolled back. */
export type QueueWrite<T> = (group: GroupWrites) => T

interface Waiting {
  readonly write: QueueWrite<unknown>
  value: unknown
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

interface Failure {
  /** `undefined`: of those that were done together. */
  readonly of: Waiting | undefined
  readonly error: unknown
}

/**
 * Under load a group waits until it is as large as the load, this many milliseconds at most. When a flush ends, the callers that were
 * answered come back one after the other: without the wait the first of them would have a flush of its own, and the rest the next one.
 */
const GATHER_MS = 2
/** Under load: the group before ended less than this many milliseconds ago. */
const BUSY_MS = 5

/**
 * One flush of so many runs beside the event loop in any case, to see how many callers there are: while the loop stands still for a flush,
 * nobody can come.
 */
const LOOK_EVERY = 32

/** Bounds the memory and the time of one transaction. */
const WRITES_PER_TRANSACTION = 2000

/** What it needs of an open database. */
interface CommitTarget extends Pick<OpenDatabase, 'connection' | 'lock'> {
  readonly log: Pick<OpenDatabase['log'], 'unflushed' | 'flush' | 'flushSoon'>
}

export class GroupCommit {
  readonly #database: CommitTarget
  readonly #kind: 'promise' | 'progress'
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined
  #endedAt = Number.NEGATIVE_INFINITY
  /** Writes that were under way at once when that was seen last. */
  #load = 0
  /** Groups until it is looked at again. */
  #blind = 0
  #gathered: (() => void) | undefined

  constructor(database: CommitTarget, kind: 'promise' | 'progress') {
    this.#database = database
    this.#kind = kind
  }

  run<T>(write: QueueWrite<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ write, value: undefined, resolve, reject })
      this.#working ??= this.#work()
      if (this.#waiting.length >= this.#load) this.#gathered?.()
    })
  }

  /** Waits until everything given to `run` is committed or refused. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working
  }

  async #work(): Promise<void> {
    const { lock } = this.#database
    while (this.#waiting.length > 0) {
      await this.#gather()
      if (!lock.tryAcquire()) await lock.acquire()
      const group = this.#waiting.splice(0, WRITES_PER_TRANSACTION)
      await this.#settle(group)
      this.#endedAt = performance.now()
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
      const gathered = () => {
        clearTimeout(timer)
        this.#gathered = undefined
        resolve()
      }
      const timer = setTimeout(() => {
        // There are fewer callers now, or one is late.
        this.#blind = 0
        gathered()
      }, GATHER_MS)
      this.#gathered = gathered
    })
  }

  /** To be called with the connection, which it gives back after the commit. */
  async #settle(group: readonly Waiting[]): Promise<void> {
    const { lock, log } = this.#database
    try {
      let committed: readonly Waiting[]
      try {
        committed = this.#commit(group)
      } finally {
        lock.release()
      }
      if (this.#kind === 'progress') log.flushSoon()
      else {
        const seen = await log.flush(this.#blind <= 0 ? 'beside' : 'quickest')
        // Before the answers: who has one may come back at once.
        if (seen) this.#load = group.length + this.#waiting.length
        this.#blind = seen ? LOOK_EVERY : this.#blind - 1
      }
      for (const { resolve, value } of committed) resolve(value as never)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /**
   * Commits the writes of a group and returns those that stand. One that throws is refused alone: the others are done again without it.
   * @throws when the commit or the disk fails
   */
  #commit(group: readonly Waiting[]): readonly Waiting[] {
    let left = group
    let together = true
    while (left.length > 0) {
      const failure = this.#database.log.unflushed(() => this.#transaction(left, together))
      if (failure === undefined) return left
      if (failure.of === undefined) together = false
      else {
        failure.of.reject(failure.error)
        left = left.filter((waiting) => waiting !== failure.of)
      }
    }
    return []
  }

  /** Returns what failed, if anything: one write, or what they do together. @throws when the commit or the disk fails */
  #transaction(group: readonly Waiting[], together: boolean): Failure | undefined {
    const { connection } = this.#database
    connection.prepare('begin').run([])
    let current: Waiting | undefined
    let whole = false
    try {
      const writes = new GroupWrites(connection, together)
      for (const waiting of group) {
        current = waiting
        waiting.value = waiting.write(writes)
      }
      current = undefined
      writes.execute()
      whole = true
      connection.prepare('commit').run([])
      return undefined
    } catch (error) {
      const ended = this.#rollBack()
      // Without the write that met it the others would meet it again, each after all those before it: that stops the event loop for seconds.
      if (ended || whole || (current === undefined && !together)) throw error
      return { of: current, error }
    }
  }

  /** `true`: SQLite had ended the transaction itself, as it does when the disk is full or broken. */
  #rollBack(): boolean {
    try {
      this.#database.connection.prepare('rollback').run([])
      return false
    } catch (error) {
      if (error instanceof Error && error.message.includes('no transaction is active')) return true
      throw error
    }
  }
}
