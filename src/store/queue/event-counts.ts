/** The counts of the event queue, changed in the same transactions as the events. */
import { type Kysely, sql } from 'kysely'
import type { EventCounts, Tables } from '../tables.ts'

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

/** What writes change in the counts of each function; added up and written once per transaction. */
export class CountChanges {
  readonly #byFunction = new Map<string, EventCounts>()

  add(functionKey: string, change: CountChange): void {
    let sum = this.#byFunction.get(functionKey)
    if (sum === undefined) {
      sum = { enqueued: 0, waiting: 0, claimed: 0, done: 0, dead: 0, discarded: 0 }
      this.#byFunction.set(functionKey, sum)
    }
    // Written out: a loop over the names takes ten times as long, and this runs for every event.
    sum.enqueued += change.enqueued ?? 0
    sum.waiting += change.waiting ?? 0
    sum.claimed += change.claimed ?? 0
    sum.done += change.done ?? 0
    sum.dead += change.dead ?? 0
    sum.discarded += change.discarded ?? 0
  }

  /** To be executed at the end of the transaction. */
  statements(): Statement[] {
    return Array.from(this.#byFunction, ([functionKey, sum]) => [
      ADD_TO_FUNCTION,
      [functionKey, sum.enqueued, sum.waiting, sum.claimed, sum.done, sum.dead, sum.discarded],
    ])
  }
}

/** Of all functions since the database was made: those that exist, and what those that were deleted have left. */
export async function totalCounts(db: Kysely<Tables>): Promise<EventCounts> {
  const { rows } = await sql<EventCounts>`
    select sum(enqueued) as enqueued, sum(waiting) as waiting, sum(claimed) as claimed,
      sum(done) as done, sum(dead) as dead, sum(discarded) as discarded
    from (
      select enqueued, waiting, claimed, done, dead, discarded from event_counts
      union all
      select enqueued, waiting, claimed, done, dead, discarded from event_function_counts
    )`.execute(db)
  return rows[0]!
}

/** Leaves the counts of a function to the total: one of the same name counts from zero again. */
export async function forgetCounts(db: Kysely<Tables>, functionKey: string): Promise<void> {
  await sql`
    update event_counts set enqueued = event_counts.enqueued + own.enqueued, waiting = event_counts.waiting + own.waiting,
      claimed = event_counts.claimed + own.claimed, done = event_counts.done + own.done,
      dead = event_counts.dead + own.dead, discarded = event_counts.discarded + own.discarded
    from event_function_counts as own where event_counts.id = 1 and own.function_key = ${functionKey}`.execute(db)
  await db.deleteFrom('event_function_counts').where('function_key', '=', functionKey).execute()
}
