import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DUE, DUE_OF, FUNCTIONS_DUE } from '../../../src/store/queue/event-statements.ts'
import { type OpenDatabase, openSqlite } from '../../../src/store/sqlite/sqlite.ts'

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
  const plan = (query: string, ...parameters: unknown[]) => {
    const rows = database.connection.prepare(`explain query plan ${query}`).all(parameters) as { detail: string }[]
    return rows.map(({ detail }) => detail).join('\n')
  }

  it('serve the oldest due events without sorting', () => {
    const steps = plan(DUE, 5, 10)
    expect(steps).toContain('USING INDEX events_due')
    expect(steps).not.toContain('TEMP B-TREE')
  })

  it('serve the oldest due events of one function without sorting', () => {
    const steps = plan(DUE_OF, 'f', 5, 10)
    expect(steps).toMatch(/USING (COVERING )?INDEX events_function_due/)
    expect(steps).not.toContain('TEMP B-TREE')
  })

  it('lead from one function to the next', () => {
    const steps = plan(FUNCTIONS_DUE, 5)
    expect(steps).toMatch(/SEARCH e USING COVERING INDEX events_function_due/)
    expect(steps).not.toMatch(/SCAN e\b/)
  })
})
