/** The totals of the event queue are summed up when somebody asks: a row of their own was one more page in every commit. */
import { type Kysely, type Migration, sql } from 'kysely'

export const eventTotals: Migration = {
  /** What is left in `event_counts` is of functions that were deleted. */
  async up(db: Kysely<unknown>): Promise<void> {
    for (const column of ['enqueued', 'waiting', 'claimed', 'done', 'dead', 'discarded']) {
      const name = sql.ref(column)
      await sql`
        update event_counts set ${name} = ${name} - (select coalesce(sum(${name}), 0) from event_function_counts)`.execute(
        db,
      )
    }
  },
}
