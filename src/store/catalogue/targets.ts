/** The read side for invocations. */
import type { Kysely } from 'kysely'
import { isVersion } from '../../lambda/arn.ts'
import type { FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import { provisionedShares } from '../../lambda/provisioned.ts'
import type { ChangeFeed } from '../change-feed.ts'
import type { InvokeTarget, InvokeTargets } from '../invoke-targets.ts'
import type { Tables } from '../tables.ts'
import { findEventInvokeConfig } from './event-invoke-configs.ts'
import { statementsOf } from './policy-rows.ts'
import { provisionedTargets } from './provisioned-limits.ts'
import { findAlias, versionRow } from './queries.ts'
import { invocableVersionOf, keyColumns, recursiveLoopOf } from './rows.ts'

export class SqlTargets implements InvokeTargets {
  readonly changes: ChangeFeed
  readonly #db: Kysely<Tables>

  constructor(db: Kysely<Tables>, changes: ChangeFeed) {
    this.#db = db
    this.changes = changes
  }

  async find(key: FunctionKey, qualifier: string): Promise<InvokeTarget | undefined> {
    // One transaction, so that version, alias and reservation belong together.
    return this.#db.transaction().execute(async (db) => {
      const named = isVersion(qualifier)
      const alias = named ? undefined : await findAlias(db, key, qualifier)
      const main = alias?.functionVersion ?? (named ? qualifier : undefined)
      if (main === undefined) return undefined
      const additional = alias?.routing
      const weighted = [
        { version: main, weight: 1 - (additional?.weight ?? 0) },
        ...(additional ? [additional] : []),
      ].filter(({ weight }) => weight > 0)
      const versions: { version: FunctionVersion; weight: number }[] = []
      for (const { version, weight } of weighted) {
        const row = await versionRow(db, key, version)
        if (row === undefined) return undefined
        versions.push({ version: invocableVersionOf(row), weight })
      }
      const reserved = await db
        .selectFrom('functions')
        .select(['reserved_concurrency', 'recursive_loop'])
        .where((eb) => eb.and(keyColumns(key)))
        .executeTakeFirst()
      const policy = await statementsOf(db, key, qualifier)
      const eventInvoke = await findEventInvokeConfig(db, key, qualifier)
      return {
        versions,
        ...(policy === undefined ? {} : { policy }),
        recursiveLoop: recursiveLoopOf(reserved?.recursive_loop ?? null),
        ...(eventInvoke === undefined ? {} : { eventInvoke }),
        ...(alias === undefined ? {} : { alias }),
        ...(reserved?.reserved_concurrency == null ? {} : { reservedConcurrency: reserved.reserved_concurrency }),
      }
    })
  }

  async reservations(account: string, region: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom('functions')
      .select(['name', 'reserved_concurrency'])
      .where('account', '=', account)
      .where('region', '=', region)
      .where('reserved_concurrency', 'is not', null)
      .execute()
    return new Map(rows.map((row) => [row.name, row.reserved_concurrency ?? 0]))
  }

  async provisioned(account: string, region: string): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const rows = await provisionedTargets(this.#db, { account, region }).execute()
    const functions = new Map<string, Map<string, number>>()
    for (const row of rows) {
      const versions = functions.get(row.name) ?? new Map<string, number>()
      functions.set(row.name, versions)
      const main = row.function_version ?? row.qualifier
      const weight = row.routing_weight ?? 0
      const weighted = [
        { version: main, weight: 1 - weight },
        ...(row.routing_version === null ? [] : [{ version: row.routing_version, weight }]),
      ]
      for (const { version, count } of provisionedShares(row.requested, weighted)) {
        if (count > 0) versions.set(version, (versions.get(version) ?? 0) + count)
      }
    }
    return functions
  }
}
