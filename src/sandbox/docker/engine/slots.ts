/** At most `size` pieces of work at once; the rest waits in order. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#free = Math.max(1, size)
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // A waiter takes over the slot as it is, so that nobody who comes now can overtake it.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
