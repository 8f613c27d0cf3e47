import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { externalExtensions } from '../../../src/code/extensions.ts'
import { LayerFolders } from '../../../src/code/layers.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hearth-extensions-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function layer(name: string, files: readonly string[]): string {
  const folder = join(root, name)
  mkdirSync(join(folder, 'extensions'), { recursive: true })
  for (const file of files) writeFileSync(join(folder, 'extensions', file), '')
  return folder
}

it('external extensions are the files of the folder, a few at the most', async () => {
  const folder = layer('a', ['telemetry', 'proxy'])
  mkdirSync(join(folder, 'extensions', 'files'))
  expect(await externalExtensions(folder)).toEqual(['proxy', 'telemetry'])
  expect(
    await externalExtensions(
      layer(
        'many',
        Array.from({ length: 20 }, (_, i) => `e${i}`),
      ),
    ),
  ).toHaveLength(10)
  expect(await externalExtensions(root)).toEqual([])
})

it('a link in the place of the folder is not followed', async () => {
  mkdirSync(join(root, 'b'))
  symlinkSync(layer('a', ['secret']), join(root, 'b', 'extensions'))
  symlinkSync(join(root, 'a', 'extensions'), join(root, 'b', 'link'))
  expect(await externalExtensions(join(root, 'b'))).toEqual([])
})

it('a deployment whose layers bring some is said in the log, once', async () => {
  const warned: object[] = []
  const log = { error: () => {}, warn: (detail: object) => void warned.push(detail) }
  const unpacked = async (hash: string) => layer(hash, hash === 'with' ? ['telemetry'] : [])
  const folders = new LayerFolders({ directory: join(root, 'layers'), unpacked, log })
  await folders.prepare(['without'])
  expect(warned).toEqual([])
  await folders.prepare(['with'])
  await folders.folder(['with'])
  expect(warned).toEqual([{ extensions: ['telemetry'] }])
  await folders.prepare(['with', 'without'])
  await folders.folder(['with', 'without'])
  expect(warned).toHaveLength(2)
})
