import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderTarget } from '../../../../src/invoke/destinations/folder.ts'
import type { ClaimedDelivery } from '../../../../src/store/delivery-store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-folder-target-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const delivery = (body: string) =>
  ({
    id: 'id',
    createdAt: 0,
    function: { name: 'f' },
    detail: { kind: 'success', requestId: 'request' },
    body: Buffer.from(body),
  }) as unknown as ClaimedDelivery
const NAME = '1970-01-01T00.00.00.000Z-f-success-request-id.json'

test('a delivery is one whole file that the group may read, and a second one replaces it', async () => {
  const target = folderTarget(join(folder, 'new'))
  await target.send(delivery('first'), AbortSignal.timeout(60_000))
  await target.send(delivery('second'), AbortSignal.timeout(60_000))
  expect(readdirSync(join(folder, 'new'))).toEqual([NAME])
  const path = join(folder, 'new', NAME)
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask())
})

test('what a killed host left unfinished is no obstacle', async () => {
  writeFileSync(join(folder, `${NAME}.part`), 'a half that is longer than the whole')
  await folderTarget(folder).send(delivery('whole'), AbortSignal.timeout(60_000))
  expect(readdirSync(folder)).toEqual([NAME])
  expect(readFileSync(join(folder, NAME), 'utf8')).toBe('whole')
})
