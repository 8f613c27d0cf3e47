/**
 * Whose turn it is on the one connection of the database. Kysely's transactions hold it across promises; a group of the queue takes it for
 * the length of one turn of the event loop, and mostly without waiting.
 */
export class ConnectionLock {
  #held = false
  readonly #waiting: (() => void)[] = []

  tryAcquire(): boolean {
    if (this.#held) return false
    this.#held = true
    return true
  }

  /** Whoever waits longest is next. */
  async acquire(): Promise<void> {
    if (!this.tryAcquire()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** To be called once for each `acquire`, and for each `tryAcquire` that succeeded. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#held = false
    else next()
  }
}
