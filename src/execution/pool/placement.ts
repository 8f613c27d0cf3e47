/** Where a waiting invocation runs: a pure decision over counts, apart from all effects. */

export interface PlacementCounts {
  /** Environments of this deployment that wait for an invocation. */
  readonly idle: number
  /** Environments of this deployment on their way to Idle for the first time. */
  readonly starting: number
  /** Environments that have answered and will ask for the next event at any moment. */
  readonly finishing: number
  /** Invocations of this deployment that wait, this one included. */
  readonly waiting: number
  /** All environments of the host. */
  readonly total: number
  /** Upper bound of `total`. */
  readonly max: number
  /** Idle environments of other deployments, which may be given up. */
  readonly idleElsewhere: number
}

export type Placement = 'reuse' | 'start' | 'evict-and-start' | 'wait'

export function decide(counts: PlacementCounts): Placement {
  if (counts.idle > 0) return 'reuse'
  if (counts.starting + counts.finishing >= counts.waiting) return 'wait'
  if (counts.total < counts.max) return 'start'
  if (counts.idleElsewhere > 0) return 'evict-and-start'
  return 'wait'
}

/** Environments that provisioned concurrency leaves to on-demand invocations: kept ones all over the host would starve those. */
export function spareOf(maxEnvironments: number): number {
  return Math.max(1, Math.ceil(maxEnvironments / 10))
}

/**
 * Whether provisioned environments that have answered will do for so many waiting invocations: then none of them runs on demand, even
 * where an on-demand environment is idle.
 */
export function keepsOnDemand(
  { idleAhead, finishingAhead }: { readonly idleAhead: readonly unknown[]; readonly finishingAhead: number },
  waiting: number,
): boolean {
  return idleAhead.length === 0 && finishingAhead >= waiting
}
