import { type Kysely, type Migration, sql } from 'kysely'

export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await createFunctions(db)
    await createVersions(db)
    await createAliases(db)
    await createEvents(db)
  },
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('functions')
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('tags', 'text', (c) => c.notNull())
    .addColumn('reserved_concurrency', 'integer')
    .addPrimaryKeyConstraint('functions_key', ['account', 'region', 'name'])
    .execute()
}

async function createVersions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('versions')
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('number', 'bigint', (c) => c.notNull())
    .addColumn('revision_id', 'text', (c) => c.notNull())
    .addColumn('deployment_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('state_reason', 'text')
    .addColumn('state_reason_code', 'text')
    .addColumn('last_update_status', 'text')
    .addColumn('last_update_reason', 'text')
    .addColumn('last_update_reason_code', 'text')
    .addColumn('last_modified', 'bigint', (c) => c.notNull())
    .addColumn('code_sha256', 'text', (c) => c.notNull())
    .addColumn('code_size', 'bigint', (c) => c.notNull())
    .addColumn('configuration', 'text', (c) => c.notNull())
    .addColumn('previous', 'text')
    .addColumn('published_from', 'text')
    .addPrimaryKeyConstraint('versions_key', ['account', 'region', 'name', 'version'])
    .addForeignKeyConstraint(
      'versions_function',
      ['account', 'region', 'name'],
      'functions',
      ['account', 'region', 'name'],
      (c) => c.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createIndex('versions_order')
    .unique()
    .on('versions')
    .columns(['account', 'region', 'name', 'number'])
    .execute()
  // GetAccountSettings and the code storage quota sum over it without reading the rows.
  await db.schema
    .createIndex('versions_code')
    .on('versions')
    .columns(['account', 'region', 'code_size', 'number'])
    .execute()
}

async function createAliases(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('aliases')
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('alias', 'text', (c) => c.notNull())
    .addColumn('function_version', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('revision_id', 'text', (c) => c.notNull())
    .addColumn('routing_version', 'text')
    .addColumn('routing_weight', 'double precision')
    .addPrimaryKeyConstraint('aliases_key', ['account', 'region', 'name', 'alias'])
    .addForeignKeyConstraint(
      'aliases_function',
      ['account', 'region', 'name'],
      'functions',
      ['account', 'region', 'name'],
      (c) => c.onDelete('cascade'),
    )
    .execute()

  await db.schema
    .createTable('version_numbers')
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('last_number', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('version_numbers_key', ['account', 'region', 'name'])
    .execute()
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('function_key', 'text', (c) => c.notNull())
    .addColumn('qualifier', 'text')
    .addColumn('request_id', 'text', (c) => c.notNull())
    .addColumn('enqueued_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('claimed', 'integer', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('events_due').on('events').columns(['due_at', 'id']).execute()
  // Claims that leave out throttled functions jump from function to function here instead of walking over their backlog.
  await db.schema.createIndex('events_function_due').on('events').columns(['function_key', 'due_at', 'id']).execute()

  await db.schema
    .createTable('event_payloads')
    .addColumn('event_id', 'integer', (c) => c.primaryKey().references('events.id').onDelete('cascade'))
    .addColumn('trace_header', 'text', (c) => c.notNull())
    .addColumn('payload', 'blob', (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('event_counts')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('enqueued', 'bigint', (c) => c.notNull())
    .addColumn('waiting', 'bigint', (c) => c.notNull())
    .addColumn('claimed', 'bigint', (c) => c.notNull())
    .addColumn('done', 'bigint', (c) => c.notNull())
    .addColumn('discarded', 'bigint', (c) => c.notNull())
    .execute()
  await sql`insert into event_counts (id, enqueued, waiting, claimed, done, discarded) values (1, 0, 0, 0, 0, 0)`.execute(
    db,
  )
}
