import type { Kysely, Migration } from 'kysely'

/** Code-signing configurations, which one a function has, and who signed a layer. */
export const codeSigning: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('code_signing_configs')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('description', 'text', (c) => c.notNull())
      .addColumn('publishers', 'text', (c) => c.notNull())
      .addColumn('policy', 'text', (c) => c.notNull())
      .addColumn('last_modified', 'bigint', (c) => c.notNull())
      .addColumn('revision', 'text', (c) => c.notNull())
      .addColumn('tags', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('code_signing_configs_key', ['account', 'region', 'id'])
      .execute()
    await db.schema.alterTable('functions').addColumn('code_signing_config', 'text').execute()
    // Who uses a configuration is asked before it is deleted, with 10,000 functions too.
    await db.schema
      .createIndex('functions_code_signing')
      .on('functions')
      .columns(['account', 'region', 'code_signing_config', 'name'])
      .execute()
    await db.schema.alterTable('layer_versions').addColumn('signing', 'text').execute()
  },
}
