import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeQueue, queueProblem } from '../../../../src/invoke/events/queue-view.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { validEvent } from '../../../contract/store/under-test.ts'

let folder: string
let store: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-view-'))
  store = await openStore(join(folder, 'hearth.db'), { queueMaxBytes: 400_000 })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

it('a queue that refuses events is a problem with a remedy, and none any more when events have left it', async () => {
  expect(await queueProblem(store)).toBeUndefined()
  const fill = async () => {
    for (;;) await store.queue.put(validEvent({ payload: new Uint8Array(50_000) }))
  }
  await expect(fill()).rejects.toMatchObject({ name: 'ServiceException' })
  expect(await queueProblem(store)).toMatch(/is full: Event invokes are refused\. .*HEARTH_QUEUE_MAX_BYTES/)
  const { usedBytes, maxBytes } = await describeQueue(store, 1000)
  expect(maxBytes).toBe(400_000)
  expect(usedBytes).toBeGreaterThanOrEqual(400_000)
  for (const { id, epoch } of (await store.queue.claim(1000, 1000)).events) await store.queue.settle(id, epoch)
  expect(await queueProblem(store)).toBeUndefined()
})
