/** Rules between provisioned concurrency, aliases, reservations and the account's limit; each is checked within the transaction that writes. */
import type { Kysely, Transaction } from 'kysely'
import { isVersionNumber } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { Alias, FunctionKey } from '../../lambda/function.ts'
import { refused } from '../../lambda/refusals.ts'
import type { ConcurrencyBounds } from '../provisioned-store.ts'
import type { Tables } from '../tables.ts'
import { keyColumns, LATEST } from './rows.ts'

export const ALIAS_OF_PROVISIONED =
  "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"

export function conflict(message: string): LambdaException {
  return new LambdaException('ResourceConflictException', message)
}

/** @throws InvalidParameterValueException: `$LATEST` changes in place, nothing can be started ahead for it. */
export function checkPublished(versions: readonly string[]): void {
  if (versions.includes(LATEST)) {
    throw refused('Provisioned Concurrency Configs cannot be applied to unpublished function versions.')
  }
}

export function versionsBehind(alias: Alias): string[] {
  return alias.routing === undefined ? [alias.functionVersion] : [alias.functionVersion, alias.routing.version]
}

/**
 * Each version is provisioned by itself or by one alias. @param versions behind the alias
 * @throws ResourceConflictException
 */
export async function checkAliasMayProvision(
  db: Transaction<Tables>,
  key: FunctionKey,
  alias: string,
  versions: readonly string[],
): Promise<void> {
  checkPublished(versions)
  const taken = await provisionedVersions(db, key, alias)
  if (versions.some((version) => taken.has(version))) throw conflict(ALIAS_OF_PROVISIONED)
}

/** What was asked for, with the routing of the alias that it was asked for; of a version all columns of `a` are null. */
export function provisionedTargets(db: Kysely<Tables>, { account, region }: Pick<FunctionKey, 'account' | 'region'>) {
  return db
    .selectFrom('provisioned_concurrency as p')
    .leftJoin('aliases as a', (join) =>
      join
        .onRef('a.account', '=', 'p.account')
        .onRef('a.region', '=', 'p.region')
        .onRef('a.name', '=', 'p.name')
        .onRef('a.alias', '=', 'p.qualifier'),
    )
    .select(['p.name', 'p.qualifier', 'p.requested', 'a.function_version', 'a.routing_version', 'a.routing_weight'])
    .where('p.account', '=', account)
    .where('p.region', '=', region)
}

/** Versions that have provisioned concurrency, by themselves or through an alias; without what `except` has. */
export async function provisionedVersions(
  db: Kysely<Tables>,
  key: FunctionKey,
  except: string,
): Promise<ReadonlySet<string>> {
  const rows = await provisionedTargets(db, key)
    .where('p.name', '=', key.name)
    .where('p.qualifier', '!=', except)
    .execute()
  const versions = rows.flatMap(({ qualifier, function_version, routing_version }) =>
    isVersionNumber(qualifier) ? [qualifier] : [function_version, routing_version],
  )
  return new Set(versions.filter((version) => version !== null))
}

export interface Taken {
  readonly reserved: number | undefined
  /** Provisioned concurrency of the function. */
  readonly provisioned: number
  /** What all other functions take out of the account's limit: their reservation, else their provisioned concurrency. */
  readonly byOthers: number
}

/** @param except a qualifier of the function whose provisioned concurrency does not count */
export async function takenConcurrency(db: Kysely<Tables>, key: FunctionKey, except?: string): Promise<Taken> {
  const reservations = await db
    .selectFrom('functions')
    .select(['name', 'reserved_concurrency'])
    .where('account', '=', key.account)
    .where('region', '=', key.region)
    .where('reserved_concurrency', 'is not', null)
    .execute()
  const configs = await db
    .selectFrom('provisioned_concurrency')
    .select(['name', 'qualifier', 'requested'])
    .where('account', '=', key.account)
    .where('region', '=', key.region)
    .execute()
  const reserved = new Map(reservations.map((row) => [row.name, row.reserved_concurrency ?? 0]))
  let provisioned = 0
  let byOthers = 0
  for (const [name, count] of reserved) if (name !== key.name) byOthers += count
  for (const { name, qualifier, requested } of configs) {
    if (name === key.name) provisioned += qualifier === except ? 0 : requested
    else if (!reserved.has(name)) byOthers += requested
  }
  return { reserved: reserved.get(key.name), provisioned, byOthers }
}

/** @throws InvalidParameterValueException when so much more cannot be provisioned. */
export function checkProvisionable(requested: number, taken: Taken, bounds: ConcurrencyBounds): void {
  if (taken.reserved !== undefined) {
    if (taken.provisioned + requested <= taken.reserved) return
    throw refused(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    )
  }
  const unreserved = bounds.accountConcurrency - taken.byOthers - taken.provisioned
  if (requested > unreserved) {
    throw refused(
      `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved}].`,
      { untyped: true },
    )
  }
  if (unreserved - requested < bounds.unreservedMinimum) {
    throw refused(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${bounds.unreservedMinimum}].`,
      { untyped: true },
    )
  }
}

/** Voids the allocation of an alias that moved. */
export async function restartAllocation(
  db: Transaction<Tables>,
  key: FunctionKey,
  qualifier: string,
  revision: string,
): Promise<void> {
  await db
    .updateTable('provisioned_concurrency')
    .set({ revision, allocated: 0, available: 0, status: 'IN_PROGRESS', status_reason: null })
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .execute()
}

export async function removeProvisioned(db: Kysely<Tables>, key: FunctionKey, qualifier: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('provisioned_concurrency')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .executeTakeFirst()
  return numDeletedRows > 0n
}
