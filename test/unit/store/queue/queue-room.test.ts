import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { QueueRoom } from '../../../../src/store/queue/queue-room.ts'
import { type OpenDatabase, openSqlite } from '../../../../src/store/sqlite/sqlite.ts'
import type { OperatorError } from '../../../../src/telemetry/operator-error.ts'

let folder: string
let database: OpenDatabase
let told: OperatorError[]
let now: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-room-'))
  database = await openSqlite(join(folder, 'hearth.db'))
  told = []
  now = 1000
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})
const room = (maxBytes: number) =>
  new QueueRoom(database.db, { maxBytes, full: (problem) => told.push(problem), now: () => now })

it('a full queue is told once, with the setting and what to do, and once a minute while it stays full', async () => {
  const full = room(1)
  for (let refused = 0; refused < 50; refused++) {
    await expect(full.check()).rejects.toMatchObject({ name: 'ServiceException' })
  }
  expect(told).toHaveLength(1)
  expect(told[0]?.message).toMatch(/is full: the database uses \d+ of 1 bytes \(HEARTH_QUEUE_MAX_BYTES\)\. .*: 1\.$/)
  expect(told[0]?.remedy).toMatch(/hearth queue.*Raise HEARTH_QUEUE_MAX_BYTES/)
  now += 59_999
  await expect(full.check()).rejects.toThrow()
  expect(told).toHaveLength(1)
  now += 1
  await expect(full.check()).rejects.toThrow()
  expect(told).toHaveLength(2)
  expect(told[1]?.message).toContain('since the last report: 51.')
})

it('a queue with room tells nothing and measures what it uses', async () => {
  const empty = room(1e9)
  await empty.check()
  expect(told).toEqual([])
  const { usedBytes, maxBytes } = await empty.space()
  expect(usedBytes).toBeGreaterThan(4096)
  expect(maxBytes).toBe(1e9)
})
