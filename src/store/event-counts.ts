/** The counts of the event queue, changed in the same transactions as the events. */
import { sql, type Transaction } from 'kysely'
import type { EventCounts, Tables } from './tables.ts'

export type CountChange = Partial<EventCounts>

/** What writes change in the counts of each function; added up and written once per transaction. */
export class CountChanges {
  readonly #byFunction = new Map<string, EventCounts>()

  add(functionKey: string, change: CountChange): void {
    const sum = this.#byFunction.get(functionKey) ?? noCounts()
    this.#byFunction.set(functionKey, sum)
    addTo(sum, change)
  }

  async write(db: Transaction<Tables>): Promise<void> {
    if (this.#byFunction.size === 0) return
    const total = noCounts()
    for (const [functionKey, sum] of this.#byFunction) {
      addTo(total, sum)
      await addToFunction(db, functionKey, sum)
    }
    await addToTotal(db, total)
  }
}

function noCounts(): EventCounts {
  return { enqueued: 0, waiting: 0, claimed: 0, done: 0, dead: 0, discarded: 0 }
}

function addTo(sum: EventCounts, change: CountChange): void {
  for (const name in change) sum[name as keyof EventCounts] += change[name as keyof EventCounts] ?? 0
}

// Written as SQL: this runs in every commit, and Kysely takes longer to build the statement than SQLite to execute it.

function addToFunction(db: Transaction<Tables>, functionKey: string, sum: EventCounts): Promise<unknown> {
  return sql`
    insert into event_function_counts as own (function_key, enqueued, waiting, claimed, done, dead, discarded)
    values (${functionKey}, ${sum.enqueued}, ${sum.waiting}, ${sum.claimed}, ${sum.done}, ${sum.dead}, ${sum.discarded})
    on conflict (function_key) do update set
      enqueued = own.enqueued + excluded.enqueued, waiting = own.waiting + excluded.waiting,
      claimed = own.claimed + excluded.claimed, done = own.done + excluded.done,
      dead = own.dead + excluded.dead, discarded = own.discarded + excluded.discarded`.execute(db)
}

function addToTotal(db: Transaction<Tables>, sum: EventCounts): Promise<unknown> {
  return sql`
    update event_counts set
      enqueued = enqueued + ${sum.enqueued}, waiting = waiting + ${sum.waiting}, claimed = claimed + ${sum.claimed},
      done = done + ${sum.done}, dead = dead + ${sum.dead}, discarded = discarded + ${sum.discarded}`.execute(db)
}
