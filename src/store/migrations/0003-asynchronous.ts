import { type Kysely, type Migration, sql } from 'kysely'

/** Retries and endings of asynchronous events, their configuration, and counts by function. */
export const asynchronous: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const column of ['retries', 'postponements']) {
      await db.schema
        .alterTable('events')
        .addColumn(column, 'integer', (c) => c.notNull().defaultTo(0))
        .execute()
    }
    await db.schema
      .alterTable('event_counts')
      .addColumn('dead', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
    await db.schema.alterTable('functions').addColumn('recursive_loop', 'text').execute()

    await db.schema
      .createTable('event_function_counts')
      .addColumn('function_key', 'text', (c) => c.primaryKey())
      .addColumn('enqueued', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('waiting', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('claimed', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('done', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('dead', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('discarded', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
    await sql`
      insert into event_function_counts (function_key, enqueued, waiting, claimed)
      select function_key, count(*), sum(1 - claimed), sum(claimed) from events group by function_key`.execute(db)

    await createDeliveries(db)

    await db.schema
      .createTable('event_invoke_configs')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('region', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('qualifier', 'text', (c) => c.notNull())
      .addColumn('last_modified', 'bigint', (c) => c.notNull())
      .addColumn('retry_attempts', 'integer')
      .addColumn('event_age', 'integer')
      .addColumn('on_success', 'text')
      .addColumn('on_failure', 'text')
      .addPrimaryKeyConstraint('event_invoke_configs_key', ['account', 'region', 'name', 'qualifier'])
      .addForeignKeyConstraint(
        'event_invoke_configs_function',
        ['account', 'region', 'name'],
        'functions',
        ['account', 'region', 'name'],
        (c) => c.onDelete('cascade'),
      )
      .execute()
  },
}

async function createDeliveries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deliveries')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('function_key', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('claimed', 'integer', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('deliveries_due').on('deliveries').columns(['due_at', 'id']).execute()
  // A target that is down must not delay the others: claims go from target to target.
  await db.schema.createIndex('deliveries_target_due').on('deliveries').columns(['target', 'due_at', 'id']).execute()
  await db.schema
    .createTable('delivery_bodies')
    .addColumn('delivery_id', 'integer', (c) => c.primaryKey().references('deliveries.id').onDelete('cascade'))
    .addColumn('body', 'blob', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('delivery_counts')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('decided', 'bigint', (c) => c.notNull())
    .addColumn('delivered', 'bigint', (c) => c.notNull())
    .addColumn('abandoned', 'bigint', (c) => c.notNull())
    .execute()
  await sql`insert into delivery_counts (id, decided, delivered, abandoned) values (1, 0, 0, 0)`.execute(db)
}
