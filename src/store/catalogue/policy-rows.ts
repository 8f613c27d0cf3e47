/** The rows of resource policies. */
import type { Kysely } from 'kysely'
import type { FunctionKey } from '../../lambda/function.ts'
import type { Statement } from '../../lambda/policy/policy.ts'
import type { Tables } from '../tables.ts'
import { keyColumns } from './rows.ts'

/** The statements for a qualifier and the RevisionId that they were given; `undefined`: there are none. */
export async function storedPolicy(
  db: Kysely<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<{ readonly statements: readonly Statement[]; readonly revisionId: string | undefined } | undefined> {
  const row = await db
    .selectFrom('policies')
    .select(['statements', 'revision_id'])
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .executeTakeFirst()
  if (row === undefined) return undefined
  return { statements: JSON.parse(row.statements) as Statement[], revisionId: row.revision_id ?? undefined }
}

/** The statements for a qualifier; `undefined`: there are none. */
export async function statementsOf(
  db: Kysely<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<readonly Statement[] | undefined> {
  return (await storedPolicy(db, key, qualifier))?.statements
}

export async function deletePolicy(db: Kysely<Tables>, key: FunctionKey, qualifier: string): Promise<void> {
  await db
    .deleteFrom('policies')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .execute()
}
