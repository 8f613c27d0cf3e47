/** The counts of the event queue, changed in the same transactions as the events. */
import type { EventCounts } from './tables.ts'

export type CountChange = Partial<EventCounts>

/** A statement in SQL and its parameters: this runs in every commit, and Kysely takes longer to build it than SQLite to execute it. */
export type Statement = readonly [text: string, parameters: readonly unknown[]]

const ADD_TO_FUNCTION = `
  insert into event_function_counts as own (function_key, enqueued, waiting, claimed, done, dead, discarded)
  values (?, ?, ?, ?, ?, ?, ?)
  on conflict (function_key) do update set
    enqueued = own.enqueued + excluded.enqueued, waiting = own.waiting + excluded.waiting,
    claimed = own.claimed + excluded.claimed, done = own.done + excluded.done,
    dead = own.dead + excluded.dead, discarded = own.discarded + excluded.discarded`

const ADD_TO_TOTAL = `
  update event_counts set enqueued = enqueued + ?, waiting = waiting + ?, claimed = claimed + ?,
    done = done + ?, dead = dead + ?, discarded = discarded + ?`

/** What writes change in the counts of each function; added up and written once per transaction. */
export class CountChanges {
  readonly #byFunction = new Map<string, EventCounts>()

  add(functionKey: string, change: CountChange): void {
    const known = this.#byFunction.get(functionKey)
    const sum = known ?? noCounts()
    if (known === undefined) this.#byFunction.set(functionKey, sum)
    addTo(sum, change)
  }

  /** To be executed at the end of the transaction. */
  statements(): Statement[] {
    if (this.#byFunction.size === 0) return []
    const total = noCounts()
    const statements: Statement[] = []
    for (const [functionKey, sum] of this.#byFunction) {
      addTo(total, sum)
      statements.push([ADD_TO_FUNCTION, [functionKey, ...parametersOf(sum)]])
    }
    statements.push([ADD_TO_TOTAL, parametersOf(total)])
    return statements
  }
}

function noCounts(): EventCounts {
  return { enqueued: 0, waiting: 0, claimed: 0, done: 0, dead: 0, discarded: 0 }
}

function addTo(sum: EventCounts, change: CountChange): void {
  for (const name in change) sum[name as keyof EventCounts] += change[name as keyof EventCounts] ?? 0
}

function parametersOf({ enqueued, waiting, claimed, done, dead, discarded }: EventCounts): number[] {
  return [enqueued, waiting, claimed, done, dead, discarded]
}
