/** How fast a function may get new environments: a token bucket for each (reference: execution-model.md 9). */
import { LIMITS } from '../../lambda/limits.ts'
import { TokenBucket } from '../../lambda/token-bucket.ts'

/** A function may not get more environments at this moment. -> TooManyRequestsException */
export class ScalingRateExceeded extends Error {
  override readonly name = 'ScalingRateExceeded'
}

/** Buckets that are kept before those are dropped that are full again; then twice as many as were left, so that a take stays O(1). */
const BUCKETS = 1000

export class ScalingRate {
  readonly #perPeriod: number
  readonly #now: () => number
  readonly #buckets = new Map<string, TokenBucket>()
  #dropAt = BUCKETS

  /** @param perPeriod new environments of one function in ten seconds; 0 for no limit. @param now monotonic milliseconds */
  constructor(perPeriod: number, now: () => number) {
    this.#perPeriod = perPeriod
    this.#now = now
  }

  /** Whether the function may get one environment more; if so, it is counted. */
  take(functionId: string): boolean {
    if (this.#perPeriod === 0) return true
    const now = this.#now()
    let bucket = this.#buckets.get(functionId)
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#dropAt) this.#dropFull(now)
      bucket = new TokenBucket((this.#perPeriod * 1000) / LIMITS.scalingPeriodMs, this.#perPeriod, now)
      this.#buckets.set(functionId, bucket)
    }
    return bucket.take(now)
  }

  refusal(): ScalingRateExceeded {
    return new ScalingRateExceeded(`more than ${this.#perPeriod} new environments in 10 seconds`)
  }

  /** A full bucket remembers nothing. */
  #dropFull(now: number): void {
    for (const [id, bucket] of this.#buckets) if (bucket.full(now)) this.#buckets.delete(id)
    this.#dropAt = Math.max(BUCKETS, this.#buckets.size * 2)
  }
}
