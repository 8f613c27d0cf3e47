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

export const PIECE_RULES: PieceRules = { perSecond: 10_000, burst: 20_000 }

/** Whoever has used up its pieces is not listened to until half of them are there again: its next connection would cost as much. */
export class Pieces {
  readonly #rules: PieceRules
  readonly #clock: () => number
  #left: number
  #at: number
  #resting = false

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
    if (this.#left < 1) this.#refill()
    if (this.#resting || this.#left < 1) {
      this.#resting = true
      return false
    }
    this.#left -= 1
    return true
  }

  /** Whether a connection may begin. */
  get open(): boolean {
    if (!this.#resting) return true
    this.#refill()
    this.#resting = this.#left < this.#rules.burst / 2
    return !this.#resting
  }

  #refill(): void {
    const now = this.#clock()
    this.#left = Math.min(this.#rules.burst, this.#left + ((now - this.#at) * this.#rules.perSecond) / 1000)
    this.#at = now
  }
}
