/** A rate limit in two numbers: no timer, nothing allocated when a token is taken. Time is the caller's, in milliseconds. */
export class TokenBucket {
  #perSecond: number
  #capacity: number
  #tokens: number
  #at: number

  /** @param capacity tokens that may be taken at once; the bucket starts full. */
  constructor(perSecond: number, capacity: number, now: number) {
    this.#perSecond = perSecond
    this.#capacity = capacity
    this.#tokens = capacity
    this.#at = now
  }

  /** Takes a token. `false`: there is none, nothing changed. */
  take(now: number): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Nothing that was taken is still felt. */
  full(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= this.#capacity
  }

  /** Other limits from now on; what was taken stays taken. */
  resize(perSecond: number, capacity: number, now: number): void {
    this.#refill(now)
    this.#tokens = Math.min(capacity, Math.max(0, this.#tokens + (capacity - this.#capacity)))
    this.#perSecond = perSecond
    this.#capacity = capacity
  }

  #refill(now: number): void {
    // A clock that is set back must neither give tokens nor take any.
    if (now > this.#at)
      this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
  }
}
