/** Queries that several parts of the store share. */
import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import { isVersion } from '../../lambda/arn.ts'
import type { Alias, FunctionConfiguration, FunctionKey } from '../../lambda/function.ts'
import { functionNotFound } from '../../lambda/refusals.ts'
import type { Tables } from '../tables.ts'
import { countStoredCode } from './code-storage.ts'
import {
  type ACTIVE,
  aliasOf,
  configurationColumns,
  configurationDigest,
  keyColumns,
  LATEST,
  type PENDING,
  type VersionRow,
} from './rows.ts'

export function versionRow(db: Kysely<Tables>, key: FunctionKey, version: string): Promise<VersionRow | undefined> {
  return db
    .selectFrom('versions')
    .selectAll()
    .where((eb) => eb.and(keyColumns(key)))
    .where('version', '=', version)
    .executeTakeFirst()
}

export async function findAlias(db: Kysely<Tables>, key: FunctionKey, name: string): Promise<Alias | undefined> {
  const row = await db
    .selectFrom('aliases')
    .selectAll()
    .where((eb) => eb.and({ ...keyColumns(key), alias: name }))
    .executeTakeFirst()
  return row && aliasOf(row)
}

/** RevisionId of the version or alias that a qualifier names; `undefined`: there is none. */
export async function revisionOf(db: Kysely<Tables>, key: FunctionKey, qualifier: string): Promise<string | undefined> {
  if (isVersion(qualifier)) return (await versionRow(db, key, qualifier))?.revision_id
  return (await findAlias(db, key, qualifier))?.revisionId
}

/** @throws LambdaException ResourceNotFoundException */
export async function latestRow(db: Transaction<Tables>, key: FunctionKey): Promise<VersionRow> {
  const row = await versionRow(db, key, LATEST)
  if (row === undefined) throw functionNotFound(key)
  return row
}

export async function functionExists(db: Kysely<Tables>, key: FunctionKey): Promise<boolean> {
  const row = await db
    .selectFrom('functions')
    .select('name')
    .where((eb) => eb.and(keyColumns(key)))
    .executeTakeFirst()
  return row !== undefined
}

/** Gives `$LATEST` a new RevisionId, and other columns with it. */
export async function changeLatest(
  db: Transaction<Tables>,
  key: FunctionKey,
  columns: Partial<VersionRow>,
): Promise<VersionRow> {
  return db
    .updateTable('versions')
    .set({ revision_id: randomUUID(), ...columns })
    .where((eb) => eb.and(keyColumns(key)))
    .where('version', '=', LATEST)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export interface Publishing {
  readonly status: typeof ACTIVE | typeof PENDING
  /** Bytes of code that the account may store. */
  readonly codeLimit: number
  readonly now: number
  /** Overrides the function's for a new version. */
  readonly description?: string
}

/** The version that publishing `$LATEST` gives: a new one, or the last one when code and configuration are still the same and it works. */
export async function publishRow(
  db: Transaction<Tables>,
  latest: VersionRow,
  { status, codeLimit, now, description }: Publishing,
): Promise<{ readonly row: VersionRow; readonly created: boolean }> {
  const configuration = JSON.parse(latest.configuration) as FunctionConfiguration
  const digest = configurationDigest(configuration)
  const numbers = await db
    .selectFrom('version_numbers')
    .select('last_number')
    .where((eb) => eb.and(keyColumns(latest)))
    .executeTakeFirst()
  const last = numbers?.last_number ?? 0
  const before = last === 0 ? undefined : await versionRow(db, latest, String(last))
  // One that could not be made ready never will be: versions do not change.
  if (before?.published_from === digest && before.state !== 'Failed') return { row: before, created: false }

  await countStoredCode(db, latest, latest.code_size, codeLimit)
  await db
    .insertInto('version_numbers')
    .values({ ...keyColumns(latest), last_number: last + 1 })
    .onConflict((oc) => oc.columns(['account', 'region', 'name']).doUpdateSet({ last_number: last + 1 }))
    .execute()
  const row = await db
    .insertInto('versions')
    .values({
      ...keyColumns(latest),
      ...configurationColumns({ ...configuration, description: description ?? configuration.description }),
      ...status,
      version: String(last + 1),
      number: last + 1,
      revision_id: randomUUID(),
      deployment_id: randomUUID(),
      last_modified: now,
      previous: null,
      published_from: digest,
      runtime_version: latest.runtime_version,
      update_runtime_on: latest.update_runtime_on,
      pinned_runtime: latest.pinned_runtime,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return { row, created: true }
}
