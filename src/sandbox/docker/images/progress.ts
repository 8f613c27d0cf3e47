/** Progress of the preparation, one line at a time. */

export type Progress = (line: string) => void

/** Runs one step and tells its name when it begins, and its seconds when it is done. */
export async function step<T>(progress: Progress, name: string, run: () => Promise<T>): Promise<T> {
  const started = process.hrtime.bigint()
  const seconds = (): string => (Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)
  progress(`${name} …`)
  try {
    const result = await run()
    progress(`${name}: done in ${seconds()} s`)
    return result
  } catch (error) {
    progress(`${name}: failed after ${seconds()} s`)
    throw error
  }
}

/** Runs the same work once however often it is asked for; a failure is forgotten, so that the next request tries again. */
export class Once<T> {
  readonly #running = new Map<string, Promise<T>>()

  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key)
    if (running) return running
    const started = work()
    this.#running.set(key, started)
    started.catch(() => this.#running.delete(key))
    return started
  }

  forget(key: string): void {
    this.#running.delete(key)
  }
}
