/** How the database finds what the calls of every day need: by key, whatever else an account holds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, SqliteDialect } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../src/lambda/limits.ts'
import { SqlFunctions } from '../../../src/store/catalogue/functions.ts'
import { SqlLayers } from '../../../src/store/catalogue/layers.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import { SqlTargets } from '../../../src/store/catalogue/targets.ts'
import { SqlVersions } from '../../../src/store/catalogue/versions.ts'
import { openStore } from '../../../src/store/open.ts'
import { loadSqliteEngine, type SqliteConnection } from '../../../src/store/sqlite/sqlite-engine.ts'
import type { Tables } from '../../../src/store/tables.ts'
import { key } from '../../contract/store/under-test.ts'
import { validConfiguration } from '../../support/configuration.ts'

const ACCOUNT = ['111111111111', 'us-east-1'] as const

describe('the database', () => {
  let folder: string
  let connection: SqliteConnection
  let db: Kysely<Tables>
  let functions: SqlFunctions
  const asked = new Set<string>()

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-plans-'))
    const path = join(folder, 'hearth.db')
    await (await openStore(path)).close()
    connection = (await loadSqliteEngine()).open(path, 1000)
    const database = {
      close: () => connection.close(),
      prepare(sql: string) {
        asked.add(sql)
        return connection.prepare(sql)
      },
    }
    db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
    functions = new SqlFunctions(db, new RecentChanges(), LIMITS.totalCodeBytes)
    await create('f')
    asked.clear()
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  async function create(name: string): Promise<void> {
    const input = { configuration: validConfiguration(), tags: {}, publish: true }
    const { latest } = await functions.create(key(name), input, 1)
    await functions.completeUpdate(key(name), latest.deploymentId, { ok: true })
  }

  /** The steps of every statement since the last look that are more than a search by key. */
  function walks(): string[] {
    const steps = [...asked].flatMap((sql) => {
      const rows = connection.prepare(`explain query plan ${sql}`).all(sql.match(/\?/g)?.map(() => null) ?? [])
      return (rows as { detail: string }[]).map(({ detail }) => detail)
    })
    asked.clear()
    return steps.filter((step) => !/^SEARCH .*(\(.*\bname=\?|function_key=\?|rowid=\?|\(event_id=\?)/.test(step))
  }

  it('creates, changes and removes functions without a walk over those that there are', async () => {
    await create('g')
    const change = () => validConfiguration({ codeSize: 7 })
    const { latest } = await functions.beginUpdate(key('g'), { change, publish: false }, 2)
    await functions.completeUpdate(key('g'), latest.deploymentId, { ok: true })
    await new SqlVersions(db, new RecentChanges(), LIMITS.totalCodeBytes).publish(key('g'), {}, 3)
    await functions.delete(key('g'))
    expect(asked.size).toBeGreaterThan(10)
    expect(walks()).toEqual([])
  })

  it('adds up stored code without a walk over versions', async () => {
    const content = { description: '', codeSha256: 'l', codeSize: 10, unzippedBytes: 20 }
    await new SqlLayers(db, LIMITS.totalCodeBytes).publish(key('l'), content, 4)
    expect(walks()).toEqual([])
  })

  it('finds what an invocation needs by key', async () => {
    const targets = new SqlTargets(db, new RecentChanges())
    expect((await targets.find(key('f'), '$LATEST'))?.versions).toHaveLength(1)
    expect((await targets.find(key('f'), '1'))?.versions).toHaveLength(1)
    await targets.find(key('f'), 'live')
    await functions.find(key('f'))
    expect(walks()).toEqual([])
  })

  it('reads a page in the order of an index, from its marker on', async () => {
    const order = 'SEARCH versions USING INDEX versions_order (account=? AND region=?)'
    const { nextMarker } = await functions.list(...ACCOUNT, { maxItems: 1, allVersions: true })
    expect(walks()).toEqual([order])
    await functions.list(...ACCOUNT, { maxItems: 1, marker: nextMarker ?? '' })
    expect(walks()).toEqual([order.replace('region=?', 'region=? AND (name,number)>(?,?)')])
  })
})
