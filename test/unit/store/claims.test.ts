import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite.ts'

/** The claim's queries as the planner sees them: an index that is not used makes a claim walk over the whole queue. */
describe('the indexes of the event queue', () => {
  let folder: string
  let database: OpenDatabase

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-claims-'))
    database = await openSqlite(join(folder, 'hearth.db'))
  })
  afterEach(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })
  const plan = async (query: string) => {
    const { rows } = await sql<{ detail: string }>`${sql.raw(`explain query plan ${query}`)}`.execute(database.db)
    return rows.map(({ detail }) => detail).join('\n')
  }

  it('serve the oldest due events without sorting', async () => {
    const steps = await plan(
      'select id, claimed, function_key from events where due_at <= 5 order by due_at, id limit 10',
    )
    expect(steps).toContain('USING INDEX events_due')
    expect(steps).not.toContain('TEMP B-TREE')
  })

  it('serve the oldest due events of one function without sorting', async () => {
    const steps = await plan(
      "select id from events where function_key = 'f' and due_at <= 5 order by due_at, id limit 10",
    )
    expect(steps).toMatch(/USING (COVERING )?INDEX events_function_due/)
    expect(steps).not.toContain('TEMP B-TREE')
  })

  it('lead from one function to the next', async () => {
    expect(await plan("select min(function_key) from events where function_key > 'f'")).toMatch(
      /SEARCH events USING COVERING INDEX events_function_due/,
    )
  })
})
