/** Whoever asks for work that is under way on the same key gets its result, or its failure; later calls begin anew. */
export class SingleFlight<T, K = string> {
  readonly #running = new Map<K, Promise<T>>()

  run(key: K, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const started = work().finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }
}
