/** What an account's code adds up to, counted: each create and update asks for it, and a sum would walk over every version. */
import { type Kysely, type Migration, sql } from 'kysely'

export const storedCode: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('stored_code')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('stored_code_key', ['account', 'region'])
      .execute()
    await sql`
      insert into stored_code (account, region, bytes)
      select account, region, sum(code_size) from (
        select account, region, code_size from versions
        union all
        select account, region, code_size from layer_versions
      ) as stored
      group by account, region`.execute(db)
    // They held the sums.
    await db.schema.dropIndex('versions_code').execute()
    await db.schema.dropIndex('versions_code_size').execute()
  },
}
