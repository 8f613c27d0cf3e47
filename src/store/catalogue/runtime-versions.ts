/** Which image the runtime of a version is. */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionConfiguration, FunctionKey } from '../../lambda/function.ts'
import { functionNotFound } from '../../lambda/refusals.ts'
import type { RuntimeChange } from '../function-store.ts'
import type { Tables } from '../tables.ts'
import { versionRow } from './queries.ts'
import { checkSettled } from './refusals.ts'
import { keyColumns, type PreviousDeployment, type VersionRow } from './rows.ts'

export function manageRuntime(
  db: Kysely<Tables>,
  key: FunctionKey,
  version: string,
  { runtime, updateRuntimeOn, runtimeVersion }: RuntimeChange,
): Promise<VersionRow> {
  return db.transaction().execute(async (transaction) => {
    const row = await versionRow(transaction, key, version)
    if (row === undefined) throw functionNotFound(key)
    checkSettled(key, row)
    if ((JSON.parse(row.configuration) as FunctionConfiguration).runtime !== runtime) {
      throw new LambdaException(
        'ResourceConflictException',
        'The runtime of the function was changed in the meantime. Try again.',
      )
    }
    // Environments belong to a deployment: a new one for what invocations get, also where that is the one before a failed update.
    const previous = row.previous === null ? undefined : (JSON.parse(row.previous) as PreviousDeployment)
    return transaction
      .updateTable('versions')
      .set({
        revision_id: randomUUID(),
        deployment_id: randomUUID(),
        previous: previous === undefined ? null : JSON.stringify({ ...previous, deploymentId: randomUUID() }),
        update_runtime_on: updateRuntimeOn === 'Auto' ? null : updateRuntimeOn,
        pinned_runtime: updateRuntimeOn === 'Manual' ? runtimeVersion : null,
        ...(updateRuntimeOn === 'FunctionUpdate' ? { runtime_version: runtimeVersion } : {}),
      })
      .where((eb) => eb.and(keyColumns(key)))
      .where('version', '=', version)
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

export async function knowsRuntimeVersion(db: Kysely<Tables>, runtime: string, hash: string): Promise<boolean> {
  const rows = await db
    .selectFrom('versions')
    .select('configuration')
    .where((eb) => eb.or([eb('runtime_version', '=', hash), eb('pinned_runtime', '=', hash)]))
    .execute()
  return rows.some((row) => (JSON.parse(row.configuration) as FunctionConfiguration).runtime === runtime)
}

export async function runtimeVersionsInUse(db: Kysely<Tables>): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('versions')
    .select(['runtime_version', 'pinned_runtime'])
    .where('update_runtime_on', 'is not', null)
    .distinct()
    .execute()
  return new Set(rows.flatMap((row) => [row.runtime_version, row.pinned_runtime]).filter((hash) => hash !== null))
}
