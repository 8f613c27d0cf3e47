import type { Kysely, Migration } from 'kysely'

export const provisionedConcurrency: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('provisioned_concurrency')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('qualifier', 'text', (c) => c.notNull())
      .addColumn('requested', 'integer', (c) => c.notNull())
      // Changes with everything that makes another allocation necessary: a report on an earlier one is void.
      .addColumn('revision', 'text', (c) => c.notNull())
      .addColumn('allocated', 'integer', (c) => c.notNull())
      .addColumn('available', 'integer', (c) => c.notNull())
      .addColumn('status', 'text', (c) => c.notNull())
      .addColumn('status_reason', 'text')
      .addColumn('last_modified', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('provisioned_concurrency_key', ['account', 'region', 'name', 'qualifier'])
      .addForeignKeyConstraint(
        'provisioned_concurrency_function',
        ['account', 'region', 'name'],
        'functions',
        ['account', 'region', 'name'],
        (c) => c.onDelete('cascade'),
      )
      .execute()
  },
}
