/** Which due events a claim takes: the oldest first, but of no function more than its limits allow. */
import type { FunctionKey } from '../../lambda/function.ts'
import type { ClaimLimits } from '../event-queue-store.ts'
import { type DueEvent, type EventStatements, keyOf } from './event-statements.ts'

/** Due events that a claim looks through before it jumps from function to function. */
const CLAIM_WINDOW = 40

export interface DueEvents {
  readonly found: readonly DueEvent[]
  /** One function of each account and region that the limits do not name and that has due events. */
  readonly unnamed: readonly FunctionKey[]
}

/** What the limits leave of each function while a claim is put together. */
class Room {
  readonly #limits: ClaimLimits | undefined
  readonly #left = new Map<string, number>()
  readonly #unnamed = new Map<string, FunctionKey>()

  constructor(limits: ClaimLimits | undefined) {
    this.#limits = limits
  }

  get unnamed(): FunctionKey[] {
    return [...this.#unnamed.values()]
  }

  of(functionKey: string): number {
    let left = this.#left.get(functionKey)
    if (left === undefined) {
      left = Math.max(0, this.#limit(functionKey))
      this.#left.set(functionKey, left)
    }
    return left
  }

  take(functionKey: string): void {
    this.#left.set(functionKey, this.of(functionKey) - 1)
  }

  #limit(functionKey: string): number {
    if (this.#limits === undefined) return Number.POSITIVE_INFINITY
    const own = this.#limits.functions.get(functionKey)
    if (own !== undefined) return own
    const account = functionKey.slice(0, functionKey.lastIndexOf('/'))
    const each = this.#limits.accounts.get(account)
    if (each === undefined) this.#unnamed.set(account, keyOf(functionKey))
    return each ?? 0
  }
}

/**
 * One function without room may own a million of the oldest events, so after a short look along the queue the search goes function by
 * function, each by its own index, that with the oldest event first.
 */
export function findDue(statements: EventStatements, now: number, limit: number, limits?: ClaimLimits): DueEvents {
  const room = new Room(limits)
  const found: DueEvent[] = []
  const foundOf = new Map<string, number>()
  const take = (event: DueEvent) => {
    room.take(event.function_key)
    foundOf.set(event.function_key, (foundOf.get(event.function_key) ?? 0) + 1)
    found.push(event)
  }
  const oldest = statements.due(now, limit + CLAIM_WINDOW)
  for (const event of oldest) if (found.length < limit && room.of(event.function_key) > 0) take(event)
  if (found.length === limit || oldest.length < limit + CLAIM_WINDOW) return { found, unnamed: room.unnamed }

  for (const functionKey of statements.functionsDue(now)) {
    const wanted = Math.min(room.of(functionKey), limit - found.length)
    if (wanted <= 0) continue
    const before = foundOf.get(functionKey) ?? 0
    // The first ones are those taken from the window above.
    for (const event of statements.dueOf(functionKey, now, before + wanted).slice(before)) take(event)
    if (found.length >= limit) break
  }
  return { found, unnamed: room.unnamed }
}
