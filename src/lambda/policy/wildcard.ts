/** Wildcards of policies. Pure. */

/**
 * `*` stands for any characters, `?` for one. Without a regular expression: a policy is written by callers. A pattern that asks for more
 * characters than the text has is refused after one look at it, so that a long one costs its length and no more.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  if (leastLength(pattern) > text.length) return false
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star === -1) {
      return false
    } else {
      p = star + 1
      t = ++resume
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

function leastLength(pattern: string): number {
  let length = 0
  for (let p = 0; p < pattern.length; p++) if (pattern[p] !== '*') length++
  return length
}

/** Parts of an ARN: arn, partition, service, region, account, resource. */
const PARTS = 6

/** Part by part, so that a wildcard in one part of an ARN reaches into no other; `*` alone is any ARN. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true
  const [expected, actual] = [partsOf(pattern), partsOf(arn)]
  if (expected.length < PARTS || actual.length < PARTS) return false
  return expected.every((part, i) => matchesWildcard(part, actual[i] ?? ''))
}

/** The resource keeps its own colons. */
function partsOf(arn: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  while (parts.length < PARTS - 1) {
    const colon = arn.indexOf(':', from)
    if (colon < 0) break
    parts.push(arn.slice(from, colon))
    from = colon + 1
  }
  return [...parts, arn.slice(from)]
}
