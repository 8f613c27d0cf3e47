/** Provisioned concurrency: how a configuration's environments are shared between the versions behind a weighted alias. */

/** Status of a ProvisionedConcurrencyConfig. */
export type ProvisionedStatus = 'IN_PROGRESS' | 'READY' | 'FAILED'

/**
 * `requested` split by weight: whole environments, all of them given out, the largest remainders first. A version with a weight gets at
 * least its rounded-down share, which may be none.
 */
export function provisionedShares<T extends { readonly weight: number }>(
  requested: number,
  versions: readonly T[],
): (T & { readonly count: number })[] {
  const exact = versions.map(({ weight }) => requested * weight)
  const counts = exact.map((share) => Math.floor(share + 1e-9))
  let left = requested - counts.reduce((sum, count) => sum + count, 0)
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - (counts[index] ?? 0) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (const { index } of byRemainder) {
    if (left <= 0) break
    counts[index] = (counts[index] ?? 0) + 1
    left--
  }
  return versions.map((version, index) => ({ ...version, count: counts[index] ?? 0 }))
}
