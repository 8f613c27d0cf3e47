import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replaceFile } from '../../../src/disk/durable-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-durable-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8)

test.each([true, false])('replaces a file and leaves nothing beside it (sync: %s)', async (sync) => {
  const path = join(folder, 'file')
  writeFileSync(path, 'a text that is longer')
  await replaceFile(path, join(folder, 'temporary'), 'new', { sync })
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(readdirSync(folder)).toEqual(['file'])
})

test('makes it for the user of the host alone, or as it is told', async () => {
  await replaceFile(join(folder, 'own'), join(folder, 'temporary'), '', { sync: false })
  await replaceFile(join(folder, 'group'), join(folder, 'temporary'), '', { sync: false, mode: 0o640 })
  expect(modeOf('own')).toBe('600')
  expect(modeOf('group')).toBe((0o640 & ~process.umask()).toString(8))
})

test('leaves the old one as it was when it fails, and nothing beside it', async () => {
  await mkdir(join(folder, 'taken', 'inside'), { recursive: true })
  await expect(replaceFile(join(folder, 'taken'), join(folder, 'temporary'), 'new', { sync: true })).rejects.toThrow()
  expect(readdirSync(folder)).toEqual(['taken'])
  expect(readdirSync(join(folder, 'taken'))).toEqual(['inside'])
})
