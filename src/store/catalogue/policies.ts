/** Resource policies of functions. A policy goes with its function, version or alias: a new one of the same name inherits no grants. */
import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import { isVersion } from '../../lambda/arn.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import { checkRevision } from '../../lambda/refusals.ts'
import type { PolicyChange, PolicyStore, StoredPolicy } from '../policy-store.ts'
import type { Tables } from '../tables.ts'
import { deletePolicy, storedPolicy } from './policy-rows.ts'
import { revisionOf } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { keyColumns } from './rows.ts'

export class SqlPolicies implements PolicyStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges

  constructor(db: Kysely<Tables>, changes: RecentChanges) {
    this.#db = db
    this.#changes = changes
  }

  async find(key: FunctionKey, qualifier: string): Promise<StoredPolicy | undefined> {
    return this.#db.transaction().execute((db) => policyOf(db, key, qualifier))
  }

  async change(
    key: FunctionKey,
    qualifier: string,
    change: PolicyChange,
    expected?: string,
  ): Promise<StoredPolicy | undefined> {
    const changed = await this.#db.transaction().execute(async (db) => {
      const before = await policyOf(db, key, qualifier)
      if (before === undefined) return undefined
      const statements = change(before.statements)
      checkRevision(expected, before.revisionId, 'GetPolicy')
      const revisionId = await renewRevision(db, key, qualifier)
      if (statements.length === 0) await deletePolicy(db, key, qualifier)
      else {
        const row = { statements: JSON.stringify(statements), revision_id: revisionId }
        await db
          .insertInto('policies')
          .values({ ...keyColumns(key), qualifier, ...row })
          .onConflict((oc) => oc.columns(['account', 'region', 'name', 'qualifier']).doUpdateSet(row))
          .execute()
      }
      return { statements, revisionId }
    })
    if (changed !== undefined) this.#changes.announce(key)
    return changed
  }
}

async function policyOf(
  db: Transaction<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<StoredPolicy | undefined> {
  const revisionId = await revisionOf(db, key, qualifier)
  if (revisionId === undefined) return undefined
  const stored = await storedPolicy(db, key, qualifier)
  // What happens to the function otherwise leaves its policy's RevisionId alone (recorded).
  return { statements: stored?.statements ?? [], revisionId: stored?.revisionId ?? revisionId }
}

async function renewRevision(db: Transaction<Tables>, key: FunctionKey, qualifier: string): Promise<string> {
  const revision_id = randomUUID()
  if (isVersion(qualifier)) {
    await db
      .updateTable('versions')
      .set({ revision_id })
      .where((eb) => eb.and({ ...keyColumns(key), version: qualifier }))
      .execute()
  } else {
    await db
      .updateTable('aliases')
      .set({ revision_id })
      .where((eb) => eb.and({ ...keyColumns(key), alias: qualifier }))
      .execute()
  }
  return revision_id
}
