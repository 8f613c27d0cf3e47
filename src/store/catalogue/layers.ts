/** Layers: versions numbered from 1, immutable but for their policy. */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Architecture, FunctionConfiguration } from '../../lambda/function.ts'
import type { LayerContent, LayerKey, LayerVersion } from '../../lambda/package/layer.ts'
import type { Signing } from '../../lambda/package/signature.ts'
import type { Statement } from '../../lambda/policy/policy.ts'
import { checkRevision } from '../../lambda/refusals.ts'
import type { LayerFilter, LayerStore } from '../layer-store.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { PolicyChange, StoredPolicy } from '../policy-store.ts'
import type { LayerVersionsTable, Tables } from '../tables.ts'
import { countStoredCode, forgetStoredCode } from './code-storage.ts'
import { keyColumns, type PreviousDeployment } from './rows.ts'

export class SqlLayers implements LayerStore {
  readonly #db: Kysely<Tables>
  readonly #codeLimit: number

  /** @param codeLimit bytes of code that each account may store in each region */
  constructor(db: Kysely<Tables>, codeLimit: number) {
    this.#db = db
    this.#codeLimit = codeLimit
  }

  publish(key: LayerKey, content: LayerContent, now: number): Promise<LayerVersion> {
    return this.#db.transaction().execute(async (db) => {
      await countStoredCode(db, key, content.codeSize, this.#codeLimit)
      const { last_number } = await db
        .insertInto('layer_numbers')
        .values({ ...keyColumns(key), last_number: 1 })
        .onConflict((oc) =>
          oc
            .columns(['account', 'region', 'name'])
            .doUpdateSet((eb) => ({ last_number: eb('layer_numbers.last_number', '+', 1) })),
        )
        .returning('last_number')
        .executeTakeFirstOrThrow()
      const row = await db
        .insertInto('layer_versions')
        .values({
          ...keyColumns(key),
          number: last_number,
          created: now,
          description: content.description,
          code_sha256: content.codeSha256,
          code_size: content.codeSize,
          unzipped_bytes: content.unzippedBytes,
          compatible_runtimes: json(content.compatibleRuntimes),
          compatible_architectures: json(content.compatibleArchitectures),
          license_info: content.licenseInfo ?? null,
          policy: null,
          policy_revision: null,
          signing: json(content.signing),
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      return layerOf(row)
    })
  }

  async find(key: LayerKey, version: number): Promise<LayerVersion | undefined> {
    const row = await this.#row(this.#db, key, version)
    return row && layerOf(row)
  }

  async versions(key: LayerKey, page: PageRequest & LayerFilter): Promise<Page<LayerVersion>> {
    const size = pageSize(page)
    const after = readMarker(page)
    const rows = await this.#matching(page)
      .selectAll()
      .where((eb) => eb.and(keyColumns(key)))
      .$if(after !== undefined, (query) => query.where('number', '<', after?.number ?? 0))
      .orderBy('number', 'desc')
      .limit(size + 1)
      .execute()
    return pageOf(rows, size, layerOf, ({ name, number }) => ({ name, number }))
  }

  async list(account: string, region: string, page: PageRequest & LayerFilter): Promise<Page<LayerVersion>> {
    const size = pageSize(page)
    const after = readMarker(page)
    const newest = this.#matching(page)
      .select((eb) => ['name', eb.fn.max('number').as('number')])
      .where('account', '=', account)
      .where('region', '=', region)
      .$if(after !== undefined, (query) => query.where('name', '>', after?.name ?? ''))
      .groupBy('name')
      .orderBy('name')
      .limit(size + 1)
    const rows = await this.#db
      .selectFrom(newest.as('newest'))
      .innerJoin('layer_versions as layer', (join) =>
        join.onRef('layer.name', '=', 'newest.name').onRef('layer.number', '=', 'newest.number'),
      )
      .selectAll('layer')
      .where('layer.account', '=', account)
      .where('layer.region', '=', region)
      .orderBy('layer.name')
      .execute()
    return pageOf(rows, size, layerOf, ({ name, number }) => ({ name, number }))
  }

  async delete(key: LayerKey, version: number): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      const gone = await db
        .deleteFrom('layer_versions')
        .where((eb) => eb.and({ ...keyColumns(key), number: version }))
        .returning('code_size')
        .executeTakeFirst()
      await forgetStoredCode(db, key, gone?.code_size ?? 0)
    })
  }

  async policy(key: LayerKey, version: number): Promise<StoredPolicy | undefined> {
    const row = await this.#row(this.#db, key, version)
    return row && policyOf(row)
  }

  changePolicy(
    key: LayerKey,
    version: number,
    change: PolicyChange,
    revisionId?: string,
  ): Promise<StoredPolicy | undefined> {
    return this.#db.transaction().execute(async (db) => {
      const row = await this.#row(db, key, version)
      if (row === undefined) return undefined
      const before = policyOf(row)
      // First what the request is about, then its guard: AWS reports a statement that exists or lacks before a stale RevisionId.
      const statements = change(before.statements)
      checkRevision(revisionId, before.revisionId, 'GetLayerPolicy')
      const changed = { statements, revisionId: randomUUID() }
      await db
        .updateTable('layer_versions')
        .set({
          policy: statements.length === 0 ? null : JSON.stringify(statements),
          policy_revision: changed.revisionId,
        })
        .where((eb) => eb.and({ ...keyColumns(key), number: version }))
        .execute()
      return changed
    })
  }

  async codeInUse(): Promise<ReadonlySet<string>> {
    const rows = await this.#db.selectFrom('layer_versions').select('code_sha256').distinct().execute()
    return new Set([...rows.map((row) => row.code_sha256), ...(await this.combinations()).flat()])
  }

  async combinations(): Promise<readonly (readonly string[])[]> {
    const rows = await this.#db
      .selectFrom('versions')
      .select(['configuration', 'previous'])
      .where((eb) => eb.or([eb('configuration', 'like', '%"layers":[%'), eb('previous', 'like', '%"layers":[%')]))
      .execute()
    const configurations = rows.flatMap(({ configuration, previous }) => [
      JSON.parse(configuration) as FunctionConfiguration,
      ...(previous === null ? [] : [(JSON.parse(previous) as PreviousDeployment).configuration]),
    ])
    return configurations.flatMap(({ layers }) => (layers ? [layers.map(({ codeSha256 }) => codeSha256)] : []))
  }

  #row(db: Kysely<Tables>, key: LayerKey, version: number): Promise<Selectable<LayerVersionsTable> | undefined> {
    return db
      .selectFrom('layer_versions')
      .selectAll()
      .where((eb) => eb.and({ ...keyColumns(key), number: version }))
      .executeTakeFirst()
  }

  /** Lists are kept as JSON, so an identifier is found with its quotes. A version that names none matches no filter. */
  #matching({ runtime, architecture }: LayerFilter) {
    return this.#db
      .selectFrom('layer_versions')
      .$if(runtime !== undefined, (query) => query.where('compatible_runtimes', 'like', `%"${runtime}"%`))
      .$if(architecture !== undefined, (query) =>
        query.where('compatible_architectures', 'like', `%"${architecture}"%`),
      )
  }
}

function json(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

function policyOf(row: Selectable<LayerVersionsTable>): StoredPolicy {
  return {
    statements: row.policy === null ? [] : (JSON.parse(row.policy) as Statement[]),
    revisionId: row.policy_revision ?? '',
  }
}

function layerOf(row: Selectable<LayerVersionsTable>): LayerVersion {
  const { compatible_runtimes: runtimes, compatible_architectures: architectures } = row
  return {
    account: row.account,
    region: row.region,
    name: row.name,
    version: row.number,
    created: row.created,
    description: row.description,
    codeSha256: row.code_sha256,
    codeSize: row.code_size,
    unzippedBytes: row.unzipped_bytes,
    ...(runtimes === null ? {} : { compatibleRuntimes: JSON.parse(runtimes) as string[] }),
    ...(architectures === null ? {} : { compatibleArchitectures: JSON.parse(architectures) as Architecture[] }),
    ...(row.license_info === null ? {} : { licenseInfo: row.license_info }),
    ...(row.signing === null ? {} : { signing: JSON.parse(row.signing) as Signing }),
  }
}
