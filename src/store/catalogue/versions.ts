/** Published versions: numbered from 1, immutable, their numbers never used again. */
import type { Kysely } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import { checkRevision, functionNotFound, refused } from '../../lambda/refusals.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { Tables } from '../tables.ts'
import type { PublishRequest, VersionStore } from '../version-store.ts'
import { forgetStoredCode } from './code-storage.ts'
import { deleteEventInvokeConfig } from './event-invoke-configs.ts'
import { deletePolicy } from './policy-rows.ts'
import { removeProvisioned } from './provisioned-limits.ts'
import { changeLatest, functionExists, latestRow, publishRow, versionRow } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { checkSettled } from './refusals.ts'
import { ACTIVE, keyColumns, versionOf } from './rows.ts'

export class SqlVersions implements VersionStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges
  readonly #codeLimit: number

  /** @param codeLimit bytes of code that each account may store in each region */
  constructor(db: Kysely<Tables>, changes: RecentChanges, codeLimit: number) {
    this.#db = db
    this.#changes = changes
    this.#codeLimit = codeLimit
  }

  async find(key: FunctionKey, version: string): Promise<FunctionVersion | undefined> {
    const row = await versionRow(this.#db, key, version)
    return row && versionOf(row)
  }

  async list(key: FunctionKey, page: PageRequest): Promise<Page<FunctionVersion>> {
    const size = pageSize(page)
    const after = readMarker(page)
    const rows = await this.#db
      .selectFrom('versions')
      .selectAll()
      .where((eb) => eb.and(keyColumns(key)))
      .$if(after !== undefined, (query) => query.where('number', '>', after?.number ?? 0))
      .orderBy('number')
      .limit(size + 1)
      .execute()
    if (rows.length === 0 && !(await functionExists(this.#db, key))) throw functionNotFound(key)
    return pageOf(rows, size, versionOf, ({ name, number }) => ({ name, number }))
  }

  async publish(key: FunctionKey, request: PublishRequest, now: number): Promise<FunctionVersion> {
    const { row, created } = await this.#db.transaction().execute(async (db) => {
      const latest = await latestRow(db, key)
      checkSettled(key, latest)
      checkRevision(request.revisionId, latest.revision_id)
      if (request.codeSha256 !== undefined && request.codeSha256 !== latest.code_sha256) {
        throw refused(
          `CodeSHA256 (${request.codeSha256}) is different from current CodeSHA256 in $LATEST (${latest.code_sha256}). Please try again with the CodeSHA256 in $LATEST.`,
        )
      }
      if (latest.state !== 'Active' || latest.last_update_status === 'Failed') {
        throw new LambdaException(
          'ResourceConflictException',
          `The operation cannot be performed at this time. What $LATEST holds could not be made ready: ${latest.last_update_reason ?? latest.state_reason} Update the function first.`,
        )
      }
      const published = await publishRow(db, latest, {
        status: ACTIVE,
        codeLimit: this.#codeLimit,
        now,
        description: request.description,
      })
      if (published.created) await changeLatest(db, key, {})
      return published
    })
    if (created) this.#changes.announce(key)
    return versionOf(row)
  }

  async delete(key: FunctionKey, version: string): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      if (!(await functionExists(db, key))) throw functionNotFound(key)
      const aliases = await db
        .selectFrom('aliases')
        .select('alias')
        .where((eb) => eb.and(keyColumns(key)))
        .where((eb) => eb.or([eb('function_version', '=', version), eb('routing_version', '=', version)]))
        .orderBy('alias')
        .execute()
      if (aliases.length > 0) {
        const names = aliases.map(({ alias }) => alias).join(', ')
        throw new LambdaException(
          'ResourceConflictException',
          `Unable to delete version because the following aliases reference it: [${names}]`,
        )
      }
      await deleteEventInvokeConfig(db, key, version)
      await removeProvisioned(db, key, version)
      const gone = await db
        .deleteFrom('versions')
        .where((eb) => eb.and(keyColumns(key)))
        .where('version', '=', version)
        .returning('code_size')
        .executeTakeFirst()
      await forgetStoredCode(db, key, gone?.code_size ?? 0)
      await deletePolicy(db, key, version)
    })
    this.#changes.announce(key)
  }
}
