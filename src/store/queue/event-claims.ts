/** Which due events a claim takes: the oldest first, but of no function more than it has room for. */
import type { FunctionKey } from '../../lambda/function.ts'
import { type DueEvent, type EventStatements, keyOf } from './event-statements.ts'

/** Due events that a claim looks through before it jumps from function to function. */
const CLAIM_WINDOW = 40

/** How many more events of a function may be claimed; asked once for each function of a claim. */
export type RoomOf = (key: FunctionKey) => number

/**
 * One function without room may own a million of the oldest events, so after a short look along the queue the search goes function by
 * function, each by its own index, that with the oldest event first.
 */
export function findDue(statements: EventStatements, now: number, limit: number, room: RoomOf): DueEvent[] {
  const left = new Map<string, number>()
  const leftOf = (functionKey: string): number => {
    let known = left.get(functionKey)
    if (known === undefined) {
      known = Math.max(0, room(keyOf(functionKey)))
      left.set(functionKey, known)
    }
    return known
  }
  const found: DueEvent[] = []
  const foundOf = new Map<string, number>()
  const take = (event: DueEvent) => {
    left.set(event.function_key, leftOf(event.function_key) - 1)
    foundOf.set(event.function_key, (foundOf.get(event.function_key) ?? 0) + 1)
    found.push(event)
  }
  const oldest = statements.due(now, limit + CLAIM_WINDOW)
  for (const event of oldest) if (found.length < limit && leftOf(event.function_key) > 0) take(event)
  if (found.length === limit || oldest.length < limit + CLAIM_WINDOW) return found

  for (const functionKey of statements.functionsDue(now)) {
    const wanted = Math.min(leftOf(functionKey), limit - found.length)
    if (wanted <= 0) continue
    const before = foundOf.get(functionKey) ?? 0
    // The first ones are those taken from the window above.
    for (const event of statements.dueOf(functionKey, now, before + wanted).slice(before)) take(event)
    if (found.length >= limit) break
  }
  return found
}
