/** The rows of resource policies. */
import type { Kysely } from 'kysely'
import type { FunctionKey } from '../../lambda/function.ts'
import type { Statement } from '../../lambda/policy.ts'
import type { Tables } from '../tables.ts'
import { keyColumns } from './rows.ts'

/** The statements for a qualifier; `undefined`: there are none. */
export async function statementsOf(
  db: Kysely<Tables>,
  key: FunctionKey,
  qualifier: string,
): Promise<readonly Statement[] | undefined> {
  const row = await db
    .selectFrom('policies')
    .select('statements')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .executeTakeFirst()
  return row && (JSON.parse(row.statements) as Statement[])
}

export async function deletePolicy(db: Kysely<Tables>, key: FunctionKey, qualifier: string): Promise<void> {
  await db
    .deleteFrom('policies')
    .where((eb) => eb.and({ ...keyColumns(key), qualifier }))
    .execute()
}
