/** ProvisionedConcurrencyConfigs, with what the data plane reported of their allocation. */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { isVersionNumber } from '../../lambda/arn.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import type { ProvisionedStatus } from '../../lambda/provisioned.ts'
import { aliasNotFound, functionNotFound } from '../../lambda/refusals.ts'
import type { Page, PageRequest } from '../page.ts'
import type { ConcurrencyBounds, ProvisionedConfig, ProvisionedReport, ProvisionedStore } from '../provisioned-store.ts'
import type { ProvisionedConcurrencyTable, Tables } from '../tables.ts'
import {
  checkAliasMayProvision,
  checkProvisionable,
  checkPublished,
  conflict,
  provisionedVersions,
  removeProvisioned,
  takenConcurrency,
  versionsBehind,
} from './provisioned-limits.ts'
import { pageByQualifier } from './qualified.ts'
import { findAlias, functionExists, versionRow } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { keyColumns } from './rows.ts'

export class SqlProvisioned implements ProvisionedStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges

  constructor(db: Kysely<Tables>, changes: RecentChanges) {
    this.#db = db
    this.#changes = changes
  }

  async put(
    key: FunctionKey,
    qualifier: string,
    requested: number,
    bounds: ConcurrencyBounds,
    now: number,
  ): Promise<ProvisionedConfig> {
    const config = await this.#db.transaction().execute(async (db) => {
      checkPublished([qualifier])
      await checkTarget(db, key, qualifier)
      if (isVersionNumber(qualifier)) {
        if ((await provisionedVersions(db, key, qualifier)).has(qualifier)) {
          throw conflict('Version is pointed by a Provisioned Concurrency alias')
        }
      } else {
        const alias = await findAlias(db, key, qualifier)
        await checkAliasMayProvision(db, key, qualifier, alias ? versionsBehind(alias) : [])
      }
      checkProvisionable(requested, await takenConcurrency(db, key, qualifier), bounds)
      const before = await configRow(db, key, qualifier)
      const row = {
        ...keyColumns(key),
        qualifier,
        requested,
        revision: randomUUID(),
        // What is there already stays there: only the difference is allocated or released.
        allocated: Math.min(before?.allocated ?? 0, requested),
        available: Math.min(before?.available ?? 0, requested),
        status: 'IN_PROGRESS',
        status_reason: null,
        last_modified: now,
      }
      await db
        .insertInto('provisioned_concurrency')
        .values(row)
        .onConflict((oc) => oc.columns(['account', 'region', 'name', 'qualifier']).doUpdateSet(row))
        .execute()
      return configOf(row)
    })
    this.#changes.announce(key)
    return config
  }

  async find(key: FunctionKey, qualifier: string): Promise<ProvisionedConfig | undefined> {
    return this.#db.transaction().execute(async (db) => {
      await checkTarget(db, key, qualifier)
      const row = await configRow(db, key, qualifier)
      return row && configOf(row)
    })
  }

  async list(key: FunctionKey, page: PageRequest): Promise<Page<ProvisionedConfig>> {
    const configs = await pageByQualifier(this.#db, 'provisioned_concurrency', key, page, configOf)
    if (configs.items.length === 0 && !(await functionExists(this.#db, key))) throw functionNotFound(key)
    return configs
  }

  async delete(key: FunctionKey, qualifier: string): Promise<void> {
    const deleted = await this.#db.transaction().execute(async (db) => {
      await checkTarget(db, key, qualifier)
      return removeProvisioned(db, key, qualifier)
    })
    if (deleted) this.#changes.announce(key)
  }

  async of(key: FunctionKey): Promise<ProvisionedConfig[]> {
    const rows = await this.#db
      .selectFrom('provisioned_concurrency')
      .selectAll()
      .where((eb) => eb.and(keyColumns(key)))
      .execute()
    return rows.map(configOf)
  }

  async restart(): Promise<FunctionKey[]> {
    await this.#db
      .updateTable('provisioned_concurrency')
      .set({ allocated: 0, available: 0, status: 'IN_PROGRESS', status_reason: null })
      .execute()
    return this.functions()
  }

  functions(): Promise<FunctionKey[]> {
    return this.#db.selectFrom('provisioned_concurrency').select(['account', 'region', 'name']).distinct().execute()
  }

  async report(
    key: FunctionKey,
    qualifier: string,
    revision: string,
    { allocated, available, status, statusReason }: ProvisionedReport,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('provisioned_concurrency')
      .set({ allocated, available, status, status_reason: statusReason ?? null })
      .where((eb) => eb.and({ ...keyColumns(key), qualifier, revision }))
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }
}

/** @throws ResourceNotFoundException in AWS's words for a version and for an alias that does not exist. */
async function checkTarget(db: Transaction<Tables>, key: FunctionKey, qualifier: string): Promise<void> {
  if (isVersionNumber(qualifier)) {
    if ((await versionRow(db, key, qualifier)) === undefined) throw functionNotFound(key, qualifier)
  } else if ((await findAlias(db, key, qualifier)) === undefined) {
    throw aliasNotFound(key, qualifier)
  }
}

function configRow(db: Transaction<Tables>, key: FunctionKey, qualifier: string) {
  return db
    .selectFrom('provisioned_concurrency')
    .selectAll()
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .executeTakeFirst()
}

function configOf(row: Selectable<ProvisionedConcurrencyTable>): ProvisionedConfig {
  return {
    qualifier: row.qualifier,
    requested: row.requested,
    allocated: row.allocated,
    available: row.available,
    status: row.status as ProvisionedStatus,
    statusReason: row.status_reason ?? undefined,
    lastModified: row.last_modified,
    revision: row.revision,
  }
}
