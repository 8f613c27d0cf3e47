/** Tells the data plane of committed changes. */
import type { FunctionKey } from '../lambda/function.ts'

export type ChangeListener = (key: FunctionKey) => void

export class Changes {
  readonly #listeners = new Set<ChangeListener>()

  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Called after the commit, never within the transaction: a listener may read at once what changed. */
  announce(key: FunctionKey): void {
    for (const listener of this.#listeners) listener(key)
  }
}
