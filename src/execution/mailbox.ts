/** A queue with one reader: what the runtime, the sandbox and the clock tell an environment while it runs one phase. */
export class Mailbox<T> {
  #items: T[] = []
  #receive: ((item: T) => void) | undefined

  post(item: T): void {
    const receive = this.#receive
    if (receive === undefined) {
      this.#items.push(item)
      return
    }
    this.#receive = undefined
    receive(item)
  }

  /** The oldest item, or the next one that comes. At most one reader at a time. */
  next(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve) => {
      this.#receive = resolve
    })
  }

  /** The next item, or `undefined` when none comes within `ms`. */
  nextWithin(ms: number): Promise<T | undefined> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#receive = undefined
        resolve(undefined)
      }, ms)
      this.#receive = (received) => {
        clearTimeout(timer)
        resolve(received)
      }
    })
  }

  /** Takes out what was posted and not read. */
  drain(): readonly T[] {
    const items = this.#items
    this.#items = []
    return items
  }
}
