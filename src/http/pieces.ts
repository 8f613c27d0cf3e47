/**
 * How many pieces the bodies of one peer may come in. Each piece costs the host the same work however few bytes it has: one read of 64 KB
 * holds ten thousand chunks of one byte, 20 ms of the event loop that all others wait for. No runtime writes so: the tokens of a language
 * model come a hundred in a second.
 */

/** Larger pieces cost less than what it takes to send them. */
export const SMALL_PIECE_BYTES = 512

export interface PieceRules {
  /** Small pieces in a second. */
  readonly perSecond: number
  /** Small pieces at once. */
  readonly burst: number
}

export const PIECE_RULES: PieceRules = { perSecond: 10_000, burst: 10_000 }

/** The first rest of a peer, milliseconds; doubled each time that it comes soon after the last one, at most to REST_MOST_MS. */
const REST_MS = 1000
const REST_MOST_MS = 60_000

/** Whoever has used up its pieces is not listened to for a while: its next connections would cost as much, all at once. */
export class Pieces {
  readonly #rules: PieceRules
  readonly #clock: () => number
  #left: number
  #at: number
  #restMs = REST_MS
  #restsUntil = Number.NEGATIVE_INFINITY

  /** @param clock milliseconds; only differences matter */
  constructor(rules: PieceRules = PIECE_RULES, clock: () => number = () => performance.now()) {
    this.#rules = rules
    this.#clock = clock
    this.#left = rules.burst
    this.#at = clock()
  }

  /** Counts one. `false`: they are used up, and its connection must end. */
  take(bytes: number): boolean {
    if (bytes >= SMALL_PIECE_BYTES) return true
    if (this.#left >= 1) {
      this.#left -= 1
      return true
    }
    return this.#refilled()
  }

  /** Whether a connection may begin. */
  get open(): boolean {
    return this.#restsUntil === Number.NEGATIVE_INFINITY || this.#clock() >= this.#restsUntil
  }

  #refilled(): boolean {
    const now = this.#clock()
    if (now < this.#restsUntil) return false
    this.#left = Math.min(this.#rules.burst, ((now - this.#at) * this.#rules.perSecond) / 1000)
    this.#at = now
    if (this.#left >= 1) {
      this.#left -= 1
      return true
    }
    // Soon after the last rest: it goes on as before.
    const again = now - this.#restsUntil < 2 * this.#restMs
    this.#restMs = again ? Math.min(2 * this.#restMs, REST_MOST_MS) : REST_MS
    this.#restsUntil = now + this.#restMs
    return false
  }
}
