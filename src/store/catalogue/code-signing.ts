/** Code-signing configurations and which functions have them. */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import { LIMITS } from '../../lambda/limits.ts'
import {
  type CodeSigningConfig,
  type CodeSigningKey,
  codeSigningConfigArn,
  configMissing,
  configNotFound,
  refuseImage,
  type UntrustedArtifactPolicy,
} from '../../lambda/package/code-signing.ts'
import { functionNotFound } from '../../lambda/refusals.ts'
import type { CodeSigningChange, CodeSigningStore, VerifiedUnder } from '../code-signing-store.ts'
import { type Page, type PageRequest, pageOf, pageSize, readMarker } from '../page.ts'
import type { CodeSigningConfigsTable, Tables } from '../tables.ts'
import { latestRow } from './queries.ts'
import { keyColumns, versionOf } from './rows.ts'

export class SqlCodeSigning implements CodeSigningStore {
  readonly #db: Kysely<Tables>

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  async create(
    config: Omit<CodeSigningConfig, 'revision'>,
    tags: Readonly<Record<string, string>>,
  ): Promise<CodeSigningConfig> {
    const { account, region, id, description, policy } = config
    return this.#db.transaction().execute(async (db) => {
      const { newest } = await db
        .selectFrom('code_signing_configs')
        .select((eb) => eb.fn.max('created').as('newest'))
        .where((eb) => eb.and({ account, region }))
        .executeTakeFirstOrThrow()
      const row = await db
        .insertInto('code_signing_configs')
        .values({
          account,
          region,
          id,
          description,
          publishers: JSON.stringify(config.publishers),
          policy,
          last_modified: config.lastModified,
          revision: randomUUID(),
          tags: JSON.stringify(tags),
          created: Number(newest ?? 0) + 1,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      return configOf(row)
    })
  }

  async find(key: CodeSigningKey): Promise<CodeSigningConfig | undefined> {
    const row = await configRow(this.#db, key)
    return row && configOf(row)
  }

  async update(key: CodeSigningKey, change: CodeSigningChange, now: number): Promise<CodeSigningConfig> {
    const { description, publishers, policy } = change
    const row = await this.#db
      .updateTable('code_signing_configs')
      .set({
        ...(description === undefined ? {} : { description }),
        ...(publishers === undefined ? {} : { publishers: JSON.stringify(publishers) }),
        ...(policy === undefined ? {} : { policy }),
        last_modified: now,
        revision: randomUUID(),
      })
      .where((eb) => eb.and(configColumns(key)))
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw configMissing(codeSigningConfigArn(key))
    return configOf(row)
  }

  delete(key: CodeSigningKey): Promise<void> {
    return this.#db.transaction().execute(async (db) => {
      const arn = codeSigningConfigArn(key)
      const user = await db
        .selectFrom('functions')
        .select('name')
        .where((eb) => eb.and({ account: key.account, region: key.region, code_signing_config: key.id }))
        .limit(1)
        .executeTakeFirst()
      if (user !== undefined) {
        throw new LambdaException(
          'ResourceConflictException',
          `The code signing configuration ${arn} cannot be deleted because functions use it, for example ${user.name}. Remove it from them first (DeleteFunctionCodeSigningConfig).`,
        )
      }
      const { numDeletedRows } = await db
        .deleteFrom('code_signing_configs')
        .where((eb) => eb.and(configColumns(key)))
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw configMissing(arn)
    })
  }

  async list(account: string, region: string, page: PageRequest): Promise<Page<CodeSigningConfig>> {
    const size = pageSize(page, LIMITS.codeSigningPageItems)
    const after = readMarker(page)
    const rows = await this.#db
      .selectFrom('code_signing_configs')
      .selectAll()
      .where((eb) => eb.and({ account, region }))
      .$if(after !== undefined, (query) => query.where('created', '>', after?.number ?? 0))
      .orderBy('created')
      .limit(size + 1)
      .execute()
    return pageOf(rows, size, configOf, ({ id, created }) => ({ name: id, number: created }))
  }

  async functions(key: CodeSigningKey, page: PageRequest): Promise<Page<FunctionKey>> {
    const size = pageSize(page, LIMITS.codeSigningPageItems)
    const after = readMarker(page)
    const { account, region, id } = key
    if ((await configRow(this.#db, key)) === undefined) throw configMissing(codeSigningConfigArn(key))
    const rows = await this.#db
      .selectFrom('functions')
      .select(['account', 'region', 'name'])
      .where((eb) => eb.and({ account, region, code_signing_config: id }))
      .$if(after !== undefined, (query) => query.where('name', '>', after?.name ?? ''))
      .orderBy('name')
      .limit(size + 1)
      .execute()
    return pageOf(
      rows,
      size,
      (row) => row,
      ({ name }) => ({ name }),
    )
  }

  async tags(key: CodeSigningKey): Promise<Readonly<Record<string, string>>> {
    const row = await configRow(this.#db, key)
    if (row === undefined) throw configMissing(codeSigningConfigArn(key))
    return JSON.parse(row.tags) as Record<string, string>
  }

  async changeTags(
    key: CodeSigningKey,
    change: (tags: Record<string, string>) => Record<string, string>,
  ): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      const row = await configRow(db, key)
      if (row === undefined) throw configMissing(codeSigningConfigArn(key))
      await db
        .updateTable('code_signing_configs')
        .set({ tags: JSON.stringify(change(JSON.parse(row.tags) as Record<string, string>)) })
        .where((eb) => eb.and(configColumns(key)))
        .execute()
    })
  }

  ofFunction(key: FunctionKey): Promise<CodeSigningConfig | undefined> {
    return configOfFunction(this.#db, key)
  }

  attach(key: FunctionKey, id: string): Promise<void> {
    return this.#db.transaction().execute(async (db) => {
      const config = { account: key.account, region: key.region, id }
      if ((await configRow(db, config)) === undefined) throw configNotFound(codeSigningConfigArn(config))
      refuseImage(versionOf(await latestRow(db, key)).packageType)
      await setConfig(db, key, id)
    })
  }

  async detach(key: FunctionKey): Promise<void> {
    await setConfig(this.#db, key, null)
  }
}

/**
 * Within the transaction that deploys: the function's configuration is still the one that the code was verified under.
 * @throws LambdaException ResourceConflictException
 */
export async function checkVerifiedUnder(
  db: Transaction<Tables>,
  key: FunctionKey,
  { config }: VerifiedUnder,
): Promise<void> {
  if ((await configOfFunction(db, key))?.revision === config?.revision) return
  throw new LambdaException(
    'ResourceConflictException',
    'The code signing configuration was changed while the code was being verified. Repeat the request.',
  )
}

async function configOfFunction(db: Kysely<Tables>, key: FunctionKey): Promise<CodeSigningConfig | undefined> {
  const used = await db
    .selectFrom('functions')
    .select('code_signing_config')
    .where((eb) => eb.and(keyColumns(key)))
    .executeTakeFirst()
  if (!used?.code_signing_config) return undefined
  const row = await configRow(db, { ...key, id: used.code_signing_config })
  return row && configOf(row)
}

async function setConfig(db: Kysely<Tables>, key: FunctionKey, id: string | null): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('functions')
    .set({ code_signing_config: id })
    .where((eb) => eb.and(keyColumns(key)))
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw functionNotFound(key)
}

function configRow(db: Kysely<Tables>, key: CodeSigningKey): Promise<Selectable<CodeSigningConfigsTable> | undefined> {
  return db
    .selectFrom('code_signing_configs')
    .selectAll()
    .where((eb) => eb.and(configColumns(key)))
    .executeTakeFirst()
}

function configColumns({ account, region, id }: CodeSigningKey) {
  return { account, region, id }
}

function configOf(row: Selectable<CodeSigningConfigsTable>): CodeSigningConfig {
  return {
    account: row.account,
    region: row.region,
    id: row.id,
    description: row.description,
    publishers: JSON.parse(row.publishers) as string[],
    policy: row.policy as UntrustedArtifactPolicy,
    lastModified: row.last_modified,
    revision: row.revision,
  }
}
