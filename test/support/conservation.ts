/** What must hold of asynchronous events, however often the host is killed: one property for the real host and for its negative controls. */

export interface Conduct {
  /** Request ids that were answered with 202. */
  readonly accepted: readonly string[]
  /** Request ids in the order of their executions. */
  readonly executed: readonly string[]
  /** How often the rules demand that an event is executed: once, and again for each error of its function that is followed by a retry. */
  readonly wanted: (requestId: string) => number
  /** Request ids of the claims that were not settled when the host was killed, once for each kill. */
  readonly unsettled: readonly string[]
  /** Of the counts, when nothing is left in the queue: all of these must be 0. */
  readonly drift: readonly number[]
}

/** Each breach in words; none when everything holds. An execution too many is allowed for a claim that a kill left open, and only for its event. */
export function breaches({ accepted, executed, wanted, unsettled, drift }: Conduct): string[] {
  const times = countsOf(executed)
  const open = countsOf(unsettled)
  const lost = accepted.filter((id) => (times.get(id) ?? 0) < wanted(id))
  const tooOften = [...times].filter(([id, count]) => count > wanted(id) + (open.get(id) ?? 0))
  return [
    ...lost.map((id) => `${id} was accepted and lost`),
    ...tooOften.map(([id, count]) => `${id} was executed ${count} times, ${open.get(id) ?? 0} of its claims were open`),
    ...(drift.some((each) => each !== 0) ? [`the counts drifted: ${drift.join(', ')}`] : []),
  ]
}

function countsOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
