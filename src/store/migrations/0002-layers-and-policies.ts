import type { Kysely, Migration } from 'kysely'

export const layersAndPolicies: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('layer_versions')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('number', 'bigint', (c) => c.notNull())
      .addColumn('created', 'bigint', (c) => c.notNull())
      .addColumn('description', 'text', (c) => c.notNull())
      .addColumn('code_sha256', 'text', (c) => c.notNull())
      .addColumn('code_size', 'bigint', (c) => c.notNull())
      .addColumn('unzipped_bytes', 'bigint', (c) => c.notNull())
      .addColumn('compatible_runtimes', 'text')
      .addColumn('compatible_architectures', 'text')
      .addColumn('license_info', 'text')
      .addColumn('policy', 'text')
      .addColumn('policy_revision', 'text')
      .addPrimaryKeyConstraint('layer_versions_key', ['account', 'region', 'name', 'number'])
      .execute()
    // The code storage quota sums over it without reading the rows.
    await db.schema
      .createIndex('layer_versions_code')
      .on('layer_versions')
      .columns(['account', 'region', 'code_size'])
      .execute()

    await db.schema
      .createTable('layer_numbers')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('last_number', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('layer_numbers_key', ['account', 'region', 'name'])
      .execute()

    await db.schema
      .createTable('policies')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('qualifier', 'text', (c) => c.notNull())
      .addColumn('statements', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('policies_key', ['account', 'region', 'name', 'qualifier'])
      .addForeignKeyConstraint(
        'policies_function',
        ['account', 'region', 'name'],
        'functions',
        ['account', 'region', 'name'],
        (c) => c.onDelete('cascade'),
      )
      .execute()
  },
}
