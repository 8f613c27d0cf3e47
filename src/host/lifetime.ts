/**
 * What is open of the host, and its one stop. A stop has two steps under one deadline: everybody begins nothing new and lets what is under
 * way end, all at the same time and within the drain time; then the parts close, the last one opened first. A part that hangs is cut off
 * and named: the parts after it close all the same.
 */

/** Milliseconds for the parts to close after the drain time: most of it is the removal of containers. */
export const CLOSE_MS = 25_000
/** Milliseconds after the drain time in which the parts put down what they cut off. */
const SETTLE_MS = 1_000
/** Milliseconds that each part leaves for each one that closes after it. */
const SHARE_MS = 500

/** Milliseconds within which a stop has ended. */
export function stopLimitMs(drainTimeoutS: number): number {
  return drainTimeoutS * 1000 + SETTLE_MS + CLOSE_MS
}

export interface LifetimeOptions {
  /** Seconds that what is under way may take when the host stops. */
  readonly drainTimeout: number
  readonly log: { error(detail: object, message: string): void }
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** @param left milliseconds of the drain time that are left, 0 when it is over */
type Drain = (left: () => number) => Promise<unknown>
type Close = () => unknown

export class Lifetime {
  readonly #options: LifetimeOptions
  readonly #now: () => number
  readonly #drains: { readonly name: string; readonly drain: Drain }[] = []
  readonly #parts: { readonly name: string; readonly close: Close }[] = []
  readonly #failed = new Set<string>()
  #stopping: Promise<readonly string[]> | undefined

  constructor(options: LifetimeOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** A part that is open now. @param name as the operator reads it, e.g. `the store` */
  opened<T>(name: string, part: T, close: (part: T) => unknown): T {
    this.#parts.push({ name, close: () => close(part) })
    return part
  }

  /** What a stop does first: `drain` begins nothing new from its call on, and resolves when what is under way has ended. */
  drains(name: string, drain: Drain): void {
    this.#drains.push({ name, drain })
  }

  /** Returns the names of the parts that failed or hung. Safe to call more than once. */
  stop(): Promise<readonly string[]> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<readonly string[]> {
    const drainMs = this.#options.drainTimeout * 1000
    const began = this.#now()
    const deadline = began + stopLimitMs(this.#options.drainTimeout)
    const left = () => Math.max(0, began + drainMs - this.#now())
    await Promise.all(this.#drains.map(({ name, drain }) => this.#end(name, () => drain(left), drainMs + SETTLE_MS)))
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const share = deadline - this.#now() - this.#parts.length * SHARE_MS
      await this.#end(part.name, part.close, Math.max(SHARE_MS, share))
    }
    return [...this.#failed]
  }

  /** Never rejects. */
  async #end(name: string, work: () => unknown, limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end within ${Math.round(limitMs) / 1000} s`)), limitMs)
    })
    try {
      const ended = (async () => work())()
      await Promise.race([ended, late])
    } catch (error) {
      this.#failed.add(name)
      this.#options.log.error(
        { part: name, err: error },
        `${name} could not be stopped; the host exits without waiting for it`,
      )
    } finally {
      clearTimeout(timer)
    }
  }
}
