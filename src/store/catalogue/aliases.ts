/** Aliases: names for versions, with at most one additional version behind a weight. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Kysely, Transaction } from 'kysely'
import { checkAlike, checkRouting, routingOf } from '../../lambda/alias.ts'
import { functionArn } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { Alias, FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import { checkRevision, functionNotFound } from '../../lambda/refusals.ts'
import type { AliasChange, AliasStore, NewAlias } from '../alias-store.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { Tables } from '../tables.ts'
import { deleteEventInvokeConfig } from './event-invoke-configs.ts'
import { deletePolicy } from './policy-rows.ts'
import { checkAliasMayProvision, removeProvisioned, restartAllocation, versionsBehind } from './provisioned-limits.ts'
import { findAlias, functionExists, versionRow } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { aliasOf, aliasRow, keyColumns, versionOf } from './rows.ts'

export class SqlAliases implements AliasStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges

  constructor(db: Kysely<Tables>, changes: RecentChanges) {
    this.#db = db
    this.#changes = changes
  }

  async create(key: FunctionKey, { name, functionVersion, description, weights = {} }: NewAlias): Promise<Alias> {
    const alias = await this.#db.transaction().execute(async (db) => {
      // AWS looks for the version first: a missing one is reported before anything that is wrong with the routing.
      const main = await existing(db, key, functionVersion)
      if (await findAlias(db, key, name)) {
        throw new LambdaException('ResourceConflictException', `Alias already exists: ${functionArn(key, name)}`)
      }
      const routing = routingOf(functionVersion, weights)
      if (routing) checkAlike(main, await existing(db, key, routing.version))
      const made: Alias = { name, functionVersion, description, revisionId: randomUUID(), ...(routing && { routing }) }
      await db.insertInto('aliases').values(aliasRow(key, made)).execute()
      return made
    })
    this.#changes.announce(key)
    return alias
  }

  find(key: FunctionKey, name: string): Promise<Alias | undefined> {
    return findAlias(this.#db, key, name)
  }

  async update(key: FunctionKey, name: string, change: AliasChange, revisionId?: string): Promise<Alias> {
    const alias = await this.#db.transaction().execute(async (db) => {
      const before = await findAlias(db, key, name)
      if (before === undefined) {
        throw new LambdaException('ResourceNotFoundException', `Alias not found: ${functionArn(key, name)}`)
      }
      const functionVersion = change.functionVersion ?? before.functionVersion
      const routing = change.weights === undefined ? before.routing : routingOf(functionVersion, change.weights)
      checkRevision(revisionId, before.revisionId)
      const after: Alias = {
        name,
        functionVersion,
        description: change.description ?? before.description,
        revisionId: randomUUID(),
        ...(routing && { routing }),
      }
      const main = await existing(db, key, functionVersion)
      if (routing) {
        checkRouting(functionVersion, routing.version)
        checkAlike(main, await existing(db, key, routing.version))
      }
      await db
        .updateTable('aliases')
        .set(aliasRow(key, after))
        .where((eb) => eb.and({ ...keyColumns(key), alias: name }))
        .execute()
      await moveProvisioned(db, key, before, after)
      return after
    })
    this.#changes.announce(key)
    return alias
  }

  async delete(key: FunctionKey, name: string): Promise<boolean> {
    const deleted = await this.#db.transaction().execute(async (db) => {
      await deleteEventInvokeConfig(db, key, name)
      const { numDeletedRows } = await db
        .deleteFrom('aliases')
        .where((eb) => eb.and({ ...keyColumns(key), alias: name }))
        .executeTakeFirst()
      await removeProvisioned(db, key, name)
      await deletePolicy(db, key, name)
      return numDeletedRows > 0n
    })
    if (deleted) this.#changes.announce(key)
    return deleted
  }

  async list(key: FunctionKey, page: PageRequest & { functionVersion?: string }): Promise<Page<Alias>> {
    const size = pageSize(page)
    const after = readMarker(page)
    const { functionVersion } = page
    const rows = await this.#db
      .selectFrom('aliases')
      .selectAll()
      .where((eb) => eb.and(keyColumns(key)))
      .$if(functionVersion !== undefined, (query) => query.where('function_version', '=', functionVersion ?? ''))
      .$if(after !== undefined, (query) => query.where('alias', '>', after?.name ?? ''))
      .orderBy('alias')
      .limit(size + 1)
      .execute()
    if (rows.length === 0 && !(await functionExists(this.#db, key))) throw functionNotFound(key)
    return pageOf(rows, size, aliasOf, ({ alias }) => ({ name: alias }))
  }
}

/** @throws LambdaException ResourceNotFoundException that names the version. */
async function existing(db: Transaction<Tables>, key: FunctionKey, version: string): Promise<FunctionVersion> {
  const row = await versionRow(db, key, version)
  if (row === undefined) throw functionNotFound(key, version)
  return versionOf(row)
}

/** Provisioned concurrency moves with its alias. @throws ResourceConflictException, InvalidParameterValueException */
async function moveProvisioned(db: Transaction<Tables>, key: FunctionKey, before: Alias, after: Alias): Promise<void> {
  const same = before.functionVersion === after.functionVersion && isDeepStrictEqual(before.routing, after.routing)
  if (same) return
  const row = await db
    .selectFrom('provisioned_concurrency')
    .select('qualifier')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier: after.name }))
    .executeTakeFirst()
  if (row === undefined) return
  await checkAliasMayProvision(db, key, after.name, versionsBehind(after))
  await restartAllocation(db, key, after.name, randomUUID())
}
