import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openStore } from '../../../src/store/open.ts'
import { validEvent } from '../../contract/store/under-test.ts'

it('a store whose log cannot be flushed says so once, refuses events and names the problem', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-store-'))
  const path = join(folder, 'hearth.db')
  const told: Error[] = []
  const store = await openStore(path, { failed: (failure) => told.push(failure) })
  expect(store.problem).toBeUndefined()
  rmSync(`${path}-wal`)
  for (let i = 0; i < 2; i++) {
    await expect(store.queue.put(validEvent())).rejects.toMatchObject({ name: 'ServiceException', status: 500 })
  }
  expect(store.problem).toContain('Check the disk')
  expect(told).toHaveLength(1)
  await store.close()
  rmSync(folder, { recursive: true })
})
