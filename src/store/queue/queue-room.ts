/** Whether the queue may grow: a backlog must fill neither the disk nor the host that has to read it. */
import { type Kysely, sql } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import type { Tables } from '../tables.ts'

/** Milliseconds for which a measurement is good: at 20,000 small events per second it is off by some megabytes. */
const MEASURED_FOR_MS = 100

export class QueueRoom {
  readonly #db: Kysely<Tables>
  readonly #maxBytes: number
  #usedBytes = 0
  #measuredAt = Number.NEGATIVE_INFINITY

  constructor(db: Kysely<Tables>, maxBytes: number) {
    this.#db = db
    this.#maxBytes = maxBytes
  }

  /**
   * `undefined`: there is room, known without asking; otherwise resolves when there is.
   * Rejects with LambdaException ServiceException when the database uses more than it may; SDKs retry that with back-off.
   */
  check(): Promise<void> | undefined {
    if (this.#maxBytes === Number.POSITIVE_INFINITY) return undefined
    const now = performance.now()
    if (now - this.#measuredAt <= MEASURED_FOR_MS) return this.#usedBytes < this.#maxBytes ? undefined : this.#refuse()
    this.#measuredAt = now
    return this.#measure().then((usedBytes) => {
      this.#usedBytes = usedBytes
      if (usedBytes >= this.#maxBytes) return this.#refuse()
    })
  }

  #refuse(): Promise<void> {
    return Promise.reject(
      new LambdaException(
        'ServiceException',
        `The queue of asynchronous events is full (${this.#maxBytes} bytes). Try again later; the operator can raise HEARTH_QUEUE_MAX_BYTES.`,
      ),
    )
  }

  /** Pages in use, those that deleted events gave back not counted. Constant time, whatever the queue holds. */
  async #measure(): Promise<number> {
    const { rows } = await sql<{ used: number }>`
      select (page_count - freelist_count) * page_size as used
      from pragma_page_count, pragma_freelist_count, pragma_page_size`.execute(this.#db)
    return rows[0]?.used ?? 0
  }
}
