/** Whether the queue may grow: a backlog must fill neither the disk nor the host that has to read it. */
import { type Kysely, sql } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import { OperatorError } from '../../telemetry/operator-error.ts'
import { QUEUE_FULL_REMEDY, type QueueSpace } from '../event-queue-store.ts'
import type { Tables } from '../tables.ts'

/** Milliseconds for which a measurement is good: at 20,000 small events per second it is off by some megabytes. */
const MEASURED_FOR_MS = 100

/** Milliseconds after which the operator is told again, while events are still refused. */
const TELL_AGAIN_MS = 60_000

export interface QueueRoomOptions {
  /** Bytes that the database may use. */
  readonly maxBytes: number
  /** Told when events begin to be refused, and again each minute while they are. */
  readonly full: (problem: OperatorError) => void
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export class QueueRoom {
  readonly #db: Kysely<Tables>
  readonly #options: QueueRoomOptions
  readonly #now: () => number
  #usedBytes = 0
  #measuredAt = Number.NEGATIVE_INFINITY
  /** Refused since the operator was told last. */
  #refused = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(db: Kysely<Tables>, options: QueueRoomOptions) {
    this.#db = db
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * `undefined`: there is room, known without asking; otherwise resolves when there is.
   * Rejects with LambdaException ServiceException when the database uses more than it may; SDKs retry that with back-off.
   */
  check(): Promise<void> | undefined {
    const { maxBytes } = this.#options
    if (maxBytes === Number.POSITIVE_INFINITY) return undefined
    const now = this.#now()
    if (now - this.#measuredAt <= MEASURED_FOR_MS) return this.#usedBytes < maxBytes ? undefined : this.#refuse()
    this.#measuredAt = now
    return this.#measure().then((usedBytes) => {
      this.#usedBytes = usedBytes
      if (usedBytes >= maxBytes) return this.#refuse()
    })
  }

  /** Measured now. */
  async space(): Promise<QueueSpace> {
    return { usedBytes: await this.#measure(), maxBytes: this.#options.maxBytes }
  }

  #refuse(): Promise<void> {
    this.#refused++
    const now = this.#now()
    if (now - this.#toldAt >= TELL_AGAIN_MS) {
      this.#options.full(queueFull({ usedBytes: this.#usedBytes, maxBytes: this.#options.maxBytes }, this.#refused))
      this.#toldAt = now
      this.#refused = 0
    }
    return Promise.reject(
      new LambdaException(
        'ServiceException',
        `The queue of asynchronous events is full (${this.#options.maxBytes} bytes). Try again later; the operator can raise HEARTH_QUEUE_MAX_BYTES.`,
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

function queueFull({ usedBytes, maxBytes }: QueueSpace, refused: number): OperatorError {
  return new OperatorError(
    `The queue of asynchronous events is full: the database uses ${usedBytes} of ${maxBytes} bytes (HEARTH_QUEUE_MAX_BYTES). Event invokes refused since the last report: ${refused}.`,
    QUEUE_FULL_REMEDY,
  )
}
