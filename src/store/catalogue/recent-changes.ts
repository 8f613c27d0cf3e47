/** The changes that this process has committed, the newest of them: nobody else writes to its database. */
import type { FunctionKey } from '../../lambda/function.ts'
import type { ChangeFeed, ChangesRead } from '../change-feed.ts'

/** Changes that are kept for readers; one takes some bytes, because keys are kept and not rows. */
const KEPT = 10_000

export class RecentChanges implements ChangeFeed {
  readonly #kept: number
  /** A ring: the change that made position `n` stands at `(n - 1) % kept`. */
  readonly #keys: FunctionKey[] = []
  readonly #wakes = new Set<() => void>()
  #position = 0

  constructor(kept = KEPT) {
    this.#kept = kept
  }

  get position(): number {
    return this.#position
  }

  read(after: number): ChangesRead {
    const position = this.#position
    if (position - after > this.#kept) return { position, keys: 'gap' }
    const keys: FunctionKey[] = []
    for (let at = after; at < position; at++) keys.push(this.#keys[at % this.#kept]!)
    return { position, keys }
  }

  onChange(wake: () => void): () => void {
    // Its own, so that the same function may subscribe twice.
    const own = () => wake()
    this.#wakes.add(own)
    return () => void this.#wakes.delete(own)
  }

  /** Called after the commit, never within the transaction: a reader may read at once what changed, and a transaction may be repeated. */
  announce({ account, region, name }: FunctionKey): void {
    this.#keys[this.#position % this.#kept] = { account, region, name }
    this.#position++
    for (const wake of this.#wakes) {
      try {
        wake()
      } catch {
        // The change stands, whatever its readers do: neither who made it nor the other readers may fail for it.
      }
    }
  }
}
