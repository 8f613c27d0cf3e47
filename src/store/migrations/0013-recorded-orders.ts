import { type Kysely, type Migration, sql } from 'kysely'

/** The order in which code-signing configurations were made, and a RevisionId of a policy's own. */
export const recordedOrders: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('code_signing_configs')
      .addColumn('created', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
    await sql`
      update code_signing_configs set created = (
        select count(*) from code_signing_configs as earlier
        where earlier.account = code_signing_configs.account and earlier.region = code_signing_configs.region
        and earlier.id <= code_signing_configs.id
      )`.execute(db)
    // Null: as before, that of the function, version or alias.
    await db.schema.alterTable('policies').addColumn('revision_id', 'text').execute()
  },
}
