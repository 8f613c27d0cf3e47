/** What versions and aliases of a function have, one row for each. */
import type { Kysely, Selectable } from 'kysely'
import type { FunctionKey } from '../../lambda/function.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { Tables } from '../tables.ts'
import { keyColumns } from './rows.ts'

type Qualified = 'event_invoke_configs' | 'provisioned_concurrency'

/** A page of a function's rows in the order of their qualifiers. */
export async function pageByQualifier<Name extends Qualified, T>(
  db: Kysely<Tables>,
  table: Name,
  key: FunctionKey,
  page: PageRequest,
  item: (row: Selectable<Tables[Name]>) => T,
): Promise<Page<T>> {
  const size = pageSize(page)
  const after = readMarker(page)
  const rows = await db
    .selectFrom<Qualified>(table)
    .selectAll()
    .where((eb) => eb.and(keyColumns(key)))
    .$if(after !== undefined, (query) => query.where('qualifier', '>', after?.name ?? ''))
    .orderBy('qualifier')
    .limit(size + 1)
    .execute()
  return pageOf(
    rows,
    size,
    (row) => item(row as Selectable<Tables[Name]>),
    ({ qualifier }) => ({ name: qualifier }),
  )
}
