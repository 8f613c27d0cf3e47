/**
 * Whether the disk is quick enough to be waited for on the event loop. Handing a flush to another thread and back takes 0.1 ms and the
 * processor's time of half an event; a quick disk needs hardly more for the flush itself. On a slow one everything else would stand still.
 */

/** Milliseconds of a flush up to which the loop waits for it, on average. */
const QUICK_MS = 0.35
/** One flush counts as this many milliseconds at most: a disk that is quick but for a hiccup stays quick. */
const COUNTED_MS = 1
/** Flushes of the average. */
const FLUSHES = 16
/** A slow disk is tried again after so many times as long as the last try took. */
const REST = 50

export class DiskPace {
  /** Milliseconds. At first the next flush decides. */
  #average = QUICK_MS
  #tryAt = Number.NEGATIVE_INFINITY

  /** @param now milliseconds of any monotonic clock */
  isQuick(now: number): boolean {
    return this.#average <= QUICK_MS || now >= this.#tryAt
  }

  /** A flush on the event loop took so many milliseconds. */
  took(ms: number, now: number): void {
    this.#average += (Math.min(ms, COUNTED_MS) - this.#average) / FLUSHES
    this.#tryAt = now + ms * REST
  }
}
