/** Claims belong to the instance that made them, and end with it: not at a time of the wall clock, which may jump. */
import { type Kysely, type Migration, sql } from 'kysely'

/** Later than any time: what is claimed is not due. */
const NEVER = sql.lit(2 ** 47 - 1)

export const leaseOwners: Migration = {
  /** Claims of the release before have no owner: the next start gives them back. */
  async up(db: Kysely<unknown>): Promise<void> {
    for (const table of ['events', 'deliveries']) {
      await db.schema.alterTable(table).addColumn('owner', 'text').execute()
      await sql`update ${sql.table(table)} set due_at = ${NEVER} where claimed = 1`.execute(db)
    }
  },
}
