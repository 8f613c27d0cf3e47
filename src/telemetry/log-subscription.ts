/** One reader of new log events: a bounded queue between `append`, which never waits, and a client that may be slow. */
import type { StoredLogEvent } from './log-store.ts'

/** Events that wait for a slow reader; beyond it the oldest go. */
const MAX_WAITING = 10_000

export class LogSubscription {
  readonly #signal: AbortSignal
  readonly #onEnd: () => void
  readonly #abort = () => this.end()
  #waiting: StoredLogEvent[] = []
  #wake: (() => void) | undefined
  #ended = false

  /** `onEnd` is called once, when nothing more is wanted: at the abort, at `end`, or when the reader leaves its loop. */
  constructor(signal: AbortSignal, onEnd: () => void) {
    this.#signal = signal
    this.#onEnd = onEnd
    signal.addEventListener('abort', this.#abort)
  }

  push(event: StoredLogEvent): void {
    if (this.#ended) return
    this.#waiting.push(event)
    // Half of it at once: taking one event off a long array again and again would cost more than the event.
    if (this.#waiting.length > MAX_WAITING) this.#waiting.splice(0, MAX_WAITING / 2)
    this.#wake?.()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#abort)
    this.#onEnd()
    this.#wake?.()
  }

  /** Until the signal aborts or `end` is called; what waits at `end` is still delivered. */
  async *events(): AsyncGenerator<StoredLogEvent, void> {
    try {
      while (!this.#signal.aborted) {
        const events = this.#waiting
        this.#waiting = []
        for (const event of events) {
          if (this.#signal.aborted) return
          yield event
        }
        if (this.#waiting.length > 0) continue
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      this.end()
    }
  }
}
