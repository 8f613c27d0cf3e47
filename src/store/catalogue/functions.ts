/** Functions: creation, updates in two steps, deletion. */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import { type FunctionKey, type FunctionVersion, functionId, type RecursiveLoop } from '../../lambda/function.ts'
import { packageId } from '../../lambda/package/package.ts'
import { checkRevision, functionNotFound, refused } from '../../lambda/refusals.ts'
import type {
  FunctionStore,
  NewFunction,
  Outcome,
  RuntimeChange,
  StoredFunction,
  Update,
  Usage,
  Written,
} from '../function-store.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { ConcurrencyBounds } from '../provisioned-store.ts'
import { forgetCounts } from '../queue/event-counts.ts'
import { discardEvents, discardInSteps } from '../queue/event-queue.ts'
import type { Tables } from '../tables.ts'
import { checkVerifiedUnder } from './code-signing.ts'
import { codeBytesOf, countStoredCode, forgetStoredCode, storedCodeBytes } from './code-storage.ts'
import { takenConcurrency } from './provisioned-limits.ts'
import { changeLatest, functionExists, latestRow, publishRow, versionRow } from './queries.ts'
import type { RecentChanges } from './recent-changes.ts'
import { checkSettled } from './refusals.ts'
import {
  ACTIVE,
  CREATING,
  configurationColumns,
  keyColumns,
  LATEST,
  PENDING,
  type PreviousDeployment,
  recursiveLoopOf,
  versionOf,
} from './rows.ts'
import { knowsRuntimeVersion, manageRuntime, runtimeVersionsInUse } from './runtime-versions.ts'

export class SqlFunctions implements FunctionStore {
  readonly #db: Kysely<Tables>
  readonly #changes: RecentChanges
  readonly #codeLimit: number

  /** @param codeLimit bytes of code that each account may store in each region */
  constructor(db: Kysely<Tables>, changes: RecentChanges, codeLimit: number) {
    this.#db = db
    this.#changes = changes
    this.#codeLimit = codeLimit
  }

  async create(key: FunctionKey, input: NewFunction, now: number): Promise<Written> {
    const written = await this.#db.transaction().execute(async (db) => {
      if (await functionExists(db, key)) {
        throw new LambdaException('ResourceConflictException', `Function already exist: ${key.name}`)
      }
      await countStoredCode(db, key, input.configuration.codeSize, this.#codeLimit)
      // An event that was accepted while an earlier function of this name was being deleted is not this one's.
      while ((await discardEvents(db, key)) > 0);
      await forgetCounts(db, functionId(key))
      await db
        .insertInto('functions')
        .values({
          ...keyColumns(key),
          tags: JSON.stringify(input.tags),
          reserved_concurrency: null,
          code_signing_config: input.verified?.config?.id,
        })
        .execute()
      if (input.verified) await checkVerifiedUnder(db, key, input.verified)
      const latest = await db
        .insertInto('versions')
        .values({
          ...keyColumns(key),
          ...configurationColumns(input.configuration),
          ...PENDING,
          version: LATEST,
          number: 0,
          revision_id: randomUUID(),
          deployment_id: randomUUID(),
          last_modified: now,
          previous: null,
          published_from: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      const published = input.publish
        ? await publishRow(db, latest, { status: PENDING, codeLimit: this.#codeLimit, now })
        : undefined
      return { latest: versionOf(latest), published: published && versionOf(published.row) }
    })
    this.#changes.announce(key)
    return written
  }

  async find(key: FunctionKey): Promise<StoredFunction | undefined> {
    const latest = await versionRow(this.#db, key, LATEST)
    const row = await this.#db
      .selectFrom('functions')
      .select(['tags', 'reserved_concurrency', 'recursive_loop'])
      .where((eb) => eb.and(keyColumns(key)))
      .executeTakeFirst()
    if (latest === undefined || row === undefined) return undefined
    return {
      latest: versionOf(latest),
      tags: JSON.parse(row.tags) as Record<string, string>,
      reservedConcurrency: row.reserved_concurrency ?? undefined,
      recursiveLoop: recursiveLoopOf(row.recursive_loop),
    }
  }

  async list(
    account: string,
    region: string,
    page: PageRequest & { allVersions?: boolean },
  ): Promise<Page<FunctionVersion>> {
    const size = pageSize(page)
    const after = readMarker(page)
    const rows = await this.#db
      .selectFrom('versions')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .$if(!page.allVersions, (query) => query.where('number', '=', 0))
      .$if(after !== undefined, (query) =>
        query.where((eb) => eb(eb.refTuple('name', 'number'), '>', eb.tuple(after?.name ?? '', after?.number ?? 0))),
      )
      .orderBy('name')
      .orderBy('number')
      .limit(size + 1)
      .execute()
    return pageOf(rows, size, versionOf, ({ name, number }) => ({ name, number }))
  }

  async beginUpdate(key: FunctionKey, update: Update, now: number): Promise<Written> {
    const written = await this.#db.transaction().execute(async (db) => {
      const before = await latestRow(db, key)
      checkSettled(key, before)
      checkRevision(update.revisionId, before.revision_id)
      if (update.verified) await checkVerifiedUnder(db, key, update.verified)
      const configuration = update.change(versionOf(before))
      await countStoredCode(db, key, configuration.codeSize - before.code_size, this.#codeLimit)
      // A creation that failed left nothing that could run in the meantime; the update is then another try to create it.
      const runs = before.state !== 'Failed'
      const previous: PreviousDeployment = {
        deploymentId: before.deployment_id,
        configuration: JSON.parse(before.configuration) as PreviousDeployment['configuration'],
      }
      const latest = await changeLatest(db, key, {
        ...configurationColumns(configuration),
        deployment_id: randomUUID(),
        last_modified: now,
        last_update_status: 'InProgress',
        last_update_reason: CREATING.reason,
        last_update_reason_code: CREATING.code,
        previous: runs ? (before.previous ?? JSON.stringify(previous)) : null,
      })
      const published = update.publish
        ? await publishRow(db, latest, { status: PENDING, codeLimit: this.#codeLimit, now })
        : undefined
      return { latest: versionOf(latest), published: published && versionOf(published.row) }
    })
    this.#changes.announce(key)
    return written
  }

  async completeUpdate(key: FunctionKey, deploymentId: string, outcome: Outcome): Promise<boolean> {
    const changed = await this.#db.transaction().execute(async (db) => {
      const latest = await versionRow(db, key, LATEST)
      if (latest === undefined || latest.deployment_id !== deploymentId) return false
      const creating = latest.state === 'Pending'
      if (!creating && latest.last_update_status !== 'InProgress') return false
      const runtime = outcome.ok && outcome.runtimeVersion ? { runtime_version: outcome.runtimeVersion } : {}
      await changeLatest(
        db,
        key,
        outcome.ok ? { ...ACTIVE, ...runtime, previous: null } : failedColumns(creating, outcome),
      )
      await db
        .updateTable('versions')
        .set({ revision_id: randomUUID(), ...(outcome.ok ? { ...ACTIVE, ...runtime } : failedColumns(true, outcome)) })
        .where((eb) => eb.and(keyColumns(key)))
        .where('version', '!=', LATEST)
        .where('state', '=', 'Pending')
        .execute()
      return true
    })
    if (changed) this.#changes.announce(key)
    return changed
  }

  async reopenFailed(): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      await db
        .updateTable('versions')
        .set(PENDING)
        .where('state', '=', 'Failed')
        .where('state_reason_code', '=', 'InternalError')
        .execute()
      await db
        .updateTable('versions')
        .set({ last_update_status: 'InProgress', last_update_reason: null, last_update_reason_code: null })
        .where('version', '=', LATEST)
        .where('last_update_status', '=', 'Failed')
        .where('last_update_reason_code', '=', 'InternalError')
        .execute()
    })
  }

  async unfinished(): Promise<FunctionVersion[]> {
    const rows = await this.#db
      .selectFrom('versions')
      .selectAll()
      .where('version', '=', LATEST)
      .where((eb) => eb.or([eb('state', '=', 'Pending'), eb('last_update_status', '=', 'InProgress')]))
      .execute()
    return rows.map(versionOf)
  }

  async delete(key: FunctionKey): Promise<void> {
    if (!(await functionExists(this.#db, key))) throw functionNotFound(key)
    // Long backlogs go first; the transaction then takes what came since.
    await discardInSteps(this.#db, key)
    await this.#db.transaction().execute(async (db) => {
      await forgetStoredCode(db, key, await codeBytesOf(db, key))
      const { numDeletedRows } = await db
        .deleteFrom('functions')
        .where((eb) => eb.and(keyColumns(key)))
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw functionNotFound(key)
      while ((await discardEvents(db, key)) > 0);
      await forgetCounts(db, functionId(key))
    })
    this.#changes.announce(key)
  }

  async changeTags(key: FunctionKey, change: (tags: Record<string, string>) => Record<string, string>): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      await latestRow(db, key)
      const { tags } = await db
        .selectFrom('functions')
        .select('tags')
        .where((eb) => eb.and(keyColumns(key)))
        .executeTakeFirstOrThrow()
      await db
        .updateTable('functions')
        .set({ tags: JSON.stringify(change(JSON.parse(tags) as Record<string, string>)) })
        .where((eb) => eb.and(keyColumns(key)))
        .execute()
      await changeLatest(db, key, {})
    })
    this.#changes.announce(key)
  }

  async reserveConcurrency(key: FunctionKey, reserved: number | undefined, bounds: ConcurrencyBounds): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      if (!(await functionExists(db, key))) throw functionNotFound(key)
      const taken = await takenConcurrency(db, key)
      if (reserved !== undefined && reserved < taken.provisioned) {
        throw refused(
          ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${taken.provisioned}].`,
          { untyped: true },
        )
      }
      const left = bounds.accountConcurrency - taken.byOthers - (reserved ?? 0)
      if ((reserved ?? 0) > (taken.reserved ?? taken.provisioned) && left < bounds.unreservedMinimum) {
        throw refused(
          `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${bounds.unreservedMinimum}].`,
          { untyped: true },
        )
      }
      await db
        .updateTable('functions')
        .set({ reserved_concurrency: reserved ?? null })
        .where((eb) => eb.and(keyColumns(key)))
        .execute()
    })
    this.#changes.announce(key)
  }

  async manageRuntime(key: FunctionKey, version: string, change: RuntimeChange): Promise<FunctionVersion> {
    const row = await manageRuntime(this.#db, key, version, change)
    this.#changes.announce(key)
    return versionOf(row)
  }

  knowsRuntimeVersion(runtime: string, hash: string): Promise<boolean> {
    return knowsRuntimeVersion(this.#db, runtime, hash)
  }

  runtimeVersionsInUse(): Promise<ReadonlySet<string>> {
    return runtimeVersionsInUse(this.#db)
  }

  async setRecursiveLoop(key: FunctionKey, recursiveLoop: RecursiveLoop): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('functions')
      .set({ recursive_loop: recursiveLoop })
      .where((eb) => eb.and(keyColumns(key)))
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw functionNotFound(key)
    this.#changes.announce(key)
  }

  async usage(account: string, region: string): Promise<Usage> {
    const functions = await this.#db
      .selectFrom('functions')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('account', '=', account)
      .where('region', '=', region)
      .executeTakeFirstOrThrow()
    const { byOthers } = await takenConcurrency(this.#db, { account, region, name: '' })
    return {
      codeBytes: await storedCodeBytes(this.#db, { account, region }),
      functions: Number(functions.count),
      reserved: byOthers,
    }
  }

  async codeInUse(): Promise<ReadonlySet<string>> {
    const current = await this.#db
      .selectFrom('versions')
      .select((eb) => eb.fn.coalesce('sealed_package', 'code_sha256').as('package'))
      .distinct()
      .execute()
    const updating = await this.#db
      .selectFrom('versions')
      .select('previous')
      .where('previous', 'is not', null)
      .execute()
    const previous = updating.map((row) => JSON.parse(row.previous ?? '{}') as PreviousDeployment)
    return new Set([...current.map((row) => row.package), ...previous.map((p) => packageId(p.configuration))])
  }
}

/** Columns after a failure: a creation fails as State, an update as LastUpdateStatus (the function itself stays as it was). */
function failedColumns(creating: boolean, outcome: Outcome & { ok: false }) {
  return creating
    ? { state: 'Failed', state_reason: outcome.reason, state_reason_code: outcome.code }
    : {
        last_update_status: 'Failed',
        last_update_reason: outcome.reason,
        last_update_reason_code: outcome.code,
      }
}
