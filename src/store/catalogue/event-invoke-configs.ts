/** How asynchronous invocations of a function, version or alias are retried and where they end. */
import type { Kysely, Transaction } from 'kysely'
import type { EventInvokeConfig } from '../../lambda/events/event-invoke.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import { functionMissing } from '../../lambda/refusals.ts'
import type { EventInvokeConfigStore, QualifiedEventInvokeConfig } from '../event-invoke-store.ts'
import type { Page, PageRequest } from '../page.ts'
import type { EventInvokeConfigsTable, Tables } from '../tables.ts'
import { pageByQualifier } from './qualified.ts'
import { revisionOf } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { keyColumns } from './rows.ts'

export class SqlEventInvokeConfigs implements EventInvokeConfigStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges

  constructor(db: Kysely<Tables>, changes: RecentChanges) {
    this.#db = db
    this.#changes = changes
  }

  find(key: FunctionKey, qualifier: string): Promise<EventInvokeConfig | undefined> {
    return findEventInvokeConfig(this.#db, key, qualifier)
  }

  async change(
    key: FunctionKey,
    qualifier: string,
    change: (before: EventInvokeConfig | undefined) => EventInvokeConfig,
  ): Promise<EventInvokeConfig> {
    const after = await this.#db.transaction().execute(async (db) => {
      // Here and not before: what is deleted meanwhile takes its configuration with it.
      if ((await revisionOf(db, key, qualifier)) === undefined) throw functionMissing()
      const config = change(await findEventInvokeConfig(db, key, qualifier))
      const columns = {
        last_modified: config.lastModified,
        retry_attempts: config.maximumRetryAttempts ?? null,
        event_age: config.maximumEventAge ?? null,
        on_success: config.onSuccess ?? null,
        on_failure: config.onFailure ?? null,
      }
      await db
        .insertInto('event_invoke_configs')
        .values({ ...keyColumns(key), qualifier, ...columns })
        .onConflict((oc) => oc.columns(['account', 'region', 'name', 'qualifier']).doUpdateSet(columns))
        .execute()
      return config
    })
    this.#changes.announce(key)
    return after
  }

  async delete(key: FunctionKey, qualifier: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('event_invoke_configs')
      .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
      .executeTakeFirst()
    if (numDeletedRows === 0n) return false
    this.#changes.announce(key)
    return true
  }

  list(key: FunctionKey, page: PageRequest): Promise<Page<QualifiedEventInvokeConfig>> {
    return pageByQualifier(this.#db, 'event_invoke_configs', key, page, (row) => ({
      qualifier: row.qualifier,
      config: configOf(row),
    }))
  }
}

export async function findEventInvokeConfig(
  db: Kysely<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<EventInvokeConfig | undefined> {
  const row = await db
    .selectFrom('event_invoke_configs')
    .selectAll()
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .executeTakeFirst()
  return row && configOf(row)
}

/** With its version or alias, in the same transaction: a later one of the same name has none. */
export async function deleteEventInvokeConfig(
  db: Transaction<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<void> {
  await db
    .deleteFrom('event_invoke_configs')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .execute()
}

function configOf(row: EventInvokeConfigsTable): EventInvokeConfig {
  return {
    lastModified: row.last_modified,
    ...(row.retry_attempts === null ? {} : { maximumRetryAttempts: row.retry_attempts }),
    ...(row.event_age === null ? {} : { maximumEventAge: row.event_age }),
    ...(row.on_success === null ? {} : { onSuccess: row.on_success }),
    ...(row.on_failure === null ? {} : { onFailure: row.on_failure }),
  }
}
