/**
 * The flush of SQLite's write-ahead log, taken out of the commit. SQLite flushes within COMMIT, on the thread that calls it: the event
 * loop would stand still for as long as the disk takes. Here COMMIT only writes, and the flush runs beside the loop, unless the disk is
 * quicker than that.
 */
import type { SqliteStatement } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import { DiskPace } from './disk-pace.ts'
import { LogFile } from './log-file.ts'
import type { SqliteConnection } from './sqlite-engine.ts'

/** Milliseconds for which progress may be unflushed. */
const FLUSH_SOON_MS = 50

export class WriteAheadLog {
  readonly #connection: SqliteConnection
  readonly #changes: SqliteStatement
  #changesSeen: number
  /** COMMIT flushes, as the connection is set now. */
  #byCommit = true
  /** Transactions that wrote something and have ended, and how many of them are on disk. */
  #committed = 0
  #flushed = 0
  /** For those to whom something was promised, one flush after the other. */
  readonly #promised: LogFile
  readonly #soon: LogFile
  readonly #pace = new DiskPace()
  #timer: NodeJS.Timeout | undefined
  readonly #failed: (failure: LambdaException) => void
  #failure: LambdaException | undefined

  /**
   * @param path of the database
   * @param failed told once that a flush has failed
   */
  constructor(path: string, connection: SqliteConnection, failed: (failure: LambdaException) => void = () => {}) {
    this.#failed = failed
    this.#promised = new LogFile(`${path}-wal`)
    this.#soon = new LogFile(`${path}-wal`)
    this.#connection = connection
    this.#changes = connection.prepare('select total_changes() as n')
    this.#changesSeen = this.#changed()
  }

  /** Why nothing more is taken; `undefined` while it is. */
  get failure(): LambdaException | undefined {
    return this.#failure
  }

  /**
   * What `work` commits is consistent after a power failure, but there only after the next `flush`. To be called by who holds the
   * connection, outside of a transaction.
   * @throws LambdaException ServiceException once a flush has failed
   */
  unflushed<T>(work: () => T): T {
    if (this.#failure) throw this.#failure
    this.#set('normal', false)
    try {
      return work()
    } finally {
      // Counted by what ended: a flush that another transaction is in the midst of does not cover it.
      const changes = this.#changed()
      if (changes !== this.#changesSeen) this.#committed++
      this.#changesSeen = changes
    }
  }

  /**
   * From here on COMMIT flushes by itself, until the next `unflushed`. To be called by who gets the connection for anything else, outside
   * of a transaction. Each change of the setting costs SQLite the compilation of a statement; groups of the queue mostly follow each other.
   */
  flushByCommit(): void {
    this.#set('full', true)
  }

  /**
   * Resolves when everything that was committed before the call is on disk. After a failed flush nobody knows what the disk has, and
   * asking it again would report success: from then on there is nothing but refusals, until a start reads the log anew. To be called
   * again when it has ended, not before.
   * @param where `quickest`: on the event loop, if the disk is quick
   * @returns whether the event loop went on meanwhile
   */
  flush(where: 'beside' | 'quickest' = 'beside'): Promise<boolean> {
    return this.#flush(async () => {
      if (where === 'quickest' && this.#flushHere()) return false
      await this.#promised.flush()
      return true
    })
  }

  /** For what nobody was promised: it is flushed with what comes next, or shortly. A failure meets the next `unflushed`. */
  flushSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#flush(() => this.#soon.flush()).catch(() => {})
    }, FLUSH_SOON_MS)
  }

  async #flush<T>(work: () => Promise<T>): Promise<T | false> {
    if (this.#failure) throw this.#failure
    const committed = this.#committed
    if (committed === this.#flushed) return false
    try {
      const result = await work()
      this.#flushed = Math.max(this.#flushed, committed)
      return result
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** `false`: not done, because it would take long. */
  #flushHere(): boolean {
    const began = performance.now()
    if (!this.#pace.isQuick(began) || !this.#promised.flushHere()) return false
    const ended = performance.now()
    this.#pace.took(ended - began, ended)
    return true
  }

  #fail(cause: unknown): LambdaException {
    if (this.#failure === undefined) {
      const text = 'The host could not write the database to disk. Check the disk, then start the host again.'
      this.#failure = new LambdaException('ServiceException', text, { cause })
      this.#failed(this.#failure)
    }
    return this.#failure
  }

  #set(synchronous: 'normal' | 'full', byCommit: boolean): void {
    if (this.#byCommit === byCommit) return
    this.#connection.prepare(`pragma synchronous = ${synchronous}`).run([])
    this.#byCommit = byCommit
  }

  #changed(): number {
    const [row] = this.#changes.all([]) as [{ n: number }]
    return row.n
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#promised.close()
    await this.#soon.close()
  }
}
