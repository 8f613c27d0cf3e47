/** Bytes of the zips of all function versions and layer versions of an account, counted in the transactions that add and remove them. */
import type { Kysely, Transaction } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import type { Tables } from '../tables.ts'
import { keyColumns } from './rows.ts'

/** Layers and functions count alike. */
interface AccountRegion {
  readonly account: string
  readonly region: string
}

export async function storedCodeBytes(db: Kysely<Tables>, { account, region }: AccountRegion): Promise<number> {
  const row = await db
    .selectFrom('stored_code')
    .select('bytes')
    .where('account', '=', account)
    .where('region', '=', region)
    .executeTakeFirst()
  return row?.bytes ?? 0
}

/**
 * @param bytes that the transaction adds; negative for what it removes, which is never refused
 * @param limit bytes that the account may store in the region
 * @throws LambdaException CodeStorageExceededException when they do not fit into the account
 */
export async function countStoredCode(
  db: Transaction<Tables>,
  { account, region }: AccountRegion,
  bytes: number,
  limit: number,
): Promise<void> {
  if (bytes === 0) return
  const stored = await db
    .insertInto('stored_code')
    .values({ account, region, bytes })
    .onConflict((oc) =>
      oc.columns(['account', 'region']).doUpdateSet((eb) => ({ bytes: eb('stored_code.bytes', '+', bytes) })),
    )
    .returning('bytes')
    .executeTakeFirstOrThrow()
  if (bytes <= 0 || stored.bytes <= limit) return
  throw new LambdaException(
    'CodeStorageExceededException',
    `Code storage limit exceeded. The account holds ${stored.bytes - bytes} of ${limit} bytes in this region: delete functions, layers or old versions first.`,
  )
}

export function forgetStoredCode(db: Transaction<Tables>, account: AccountRegion, bytes: number): Promise<void> {
  return countStoredCode(db, account, -bytes, 0)
}

/** What the versions of a function add up to. */
export async function codeBytesOf(db: Kysely<Tables>, key: FunctionKey): Promise<number> {
  const { bytes } = await db
    .selectFrom('versions')
    .select((eb) => eb.fn.sum<number | null>('code_size').as('bytes'))
    .where((eb) => eb.and(keyColumns(key)))
    .executeTakeFirstOrThrow()
  return Number(bytes ?? 0)
}
