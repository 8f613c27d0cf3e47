/**
 * The flush of SQLite's write-ahead log, taken out of the commit. SQLite flushes within COMMIT, on the thread that calls it: the event
 * loop would stand still for as long as the disk takes. Here COMMIT only writes, and the flush runs beside the loop.
 */
import { close, fdatasync, open } from 'node:fs'
import { promisify } from 'node:util'
import type { SqliteStatement } from 'kysely'
import { LambdaException } from '../lambda/errors.ts'
import type { SqliteConnection } from './sqlite-engine.ts'

const openFile = promisify(open)
const closeFile = promisify(close)
const flushFile = promisify(fdatasync)

/** Milliseconds for which progress may be unflushed. */
const FLUSH_SOON_MS = 50

export class WriteAheadLog {
  readonly #path: string
  readonly #connection: SqliteConnection
  readonly #changes: SqliteStatement
  #changesSeen: number
  /** COMMIT flushes, as the connection is set now. */
  #byCommit = true
  /** Transactions that wrote something and have ended, and how many of them are on disk. */
  #committed = 0
  #flushed = 0
  /** Of its own: SQLite keeps its locks on the database file, so that closing this one releases none. */
  #file: Promise<number> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #failed: (failure: LambdaException) => void
  #failure: LambdaException | undefined

  /**
   * @param path of the database
   * @param failed told once that a flush has failed
   */
  constructor(path: string, connection: SqliteConnection, failed: (failure: LambdaException) => void = () => {}) {
    this.#failed = failed
    this.#path = `${path}-wal`
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
   * asking it again would report success: from then on there is nothing but refusals, until a start reads the log anew.
   */
  async flush(): Promise<void> {
    if (this.#failure) throw this.#failure
    const committed = this.#committed
    if (committed === this.#flushed) return
    try {
      this.#file ??= openFile(this.#path, 'r')
      await flushFile(await this.#file)
      this.#flushed = Math.max(this.#flushed, committed)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** For what nobody was promised: it is flushed with what comes next, or shortly. A failure meets the next `unflushed`. */
  flushSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.flush().catch(() => {})
    }, FLUSH_SOON_MS)
  }

  #fail(cause: unknown): LambdaException {
    if (this.#failure === undefined) {
      const text = 'The database could not be flushed to disk. Check the disk, then start the host again.'
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
    const file = await this.#file?.catch(() => undefined)
    if (file !== undefined) await closeFile(file)
  }
}
