import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPackage } from '../../../src/cli/package.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-package-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, 'fn', name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

describe('a package from a folder', () => {
  it('holds its files, with their executable bits, and leaves out what is no part of a function', async () => {
    write('index.mjs', 'export const handler = 1')
    write('lib/a.mjs', '')
    chmodSync(write('bootstrap', '#!/bin/sh'), 0o755)
    for (const name of ['.git/config', '__pycache__/x.pyc', '.DS_Store', '.hearth/db']) write(name, 'x')
    const source = await readPackage(join(folder, 'fn'))
    expect(source.name).toBe('fn')
    expect(source.files.map((file) => [file.path, file.executable])).toEqual([
      ['bootstrap', true],
      ['index.mjs', false],
      ['lib/a.mjs', false],
    ])
    writeFileSync(join(folder, 'fn.zip'), source.zip)
    const again = await readPackage(join(folder, 'fn.zip'))
    expect(again.files.map((file) => [file.path, file.executable])).toEqual(
      source.files.map((file) => [file.path, file.executable]),
    )
    expect(again.files[1]?.text()).toBe('export const handler = 1')
    expect(again.name).toBe('fn')
  })

  it('has the same bytes whenever the files are the same', async () => {
    const path = write('index.mjs', 'export const handler = 1')
    const first = await readPackage(join(folder, 'fn'))
    utimesSync(path, 1_000_000_000, 1_000_000_000)
    const second = await readPackage(join(folder, 'fn'))
    expect(second.zip.equals(first.zip)).toBe(true)
  })

  it('follows links, but not back into itself', async () => {
    write('index.mjs', 'x')
    symlinkSync('index.mjs', join(folder, 'fn/link.mjs'))
    symlinkSync('.', join(folder, 'fn/loop'))
    const source = await readPackage(join(folder, 'fn'))
    expect(source.files.map((file) => file.path)).toEqual(['index.mjs', 'link.mjs'])
  })

  it('says what is wrong with a path, a link, a zip', async () => {
    await expect(readPackage(join(folder, 'none'))).rejects.toThrow('There is no folder or zip')
    mkdirSync(join(folder, 'fn'))
    await expect(readPackage(join(folder, 'fn'))).rejects.toThrow('holds no files')
    symlinkSync('nowhere', join(folder, 'fn/dangling'))
    await expect(readPackage(join(folder, 'fn'))).rejects.toThrow('is a link to nothing')
    rmSync(join(folder, 'fn/dangling'))
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'fn/')), Buffer.from([0xff])]), 'x')
    await expect(readPackage(join(folder, 'fn'))).rejects.toThrow('its name is not UTF-8')
    writeFileSync(join(folder, 'bad.zip'), 'not a zip')
    await expect(readPackage(join(folder, 'bad.zip'))).rejects.toThrow('is not a zip that can be read')
  })
})
