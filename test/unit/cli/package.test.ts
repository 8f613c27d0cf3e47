import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPackage } from '../../../src/cli/package/package.ts'
import { unpackZip } from '../../../src/code/zip.ts'
import { buildZip, DIRECTORY, FILE } from '../code/build-zip.ts'

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

  it('keeps links to paths of the sandbox, whatever lies there on this machine, and links to nothing', async () => {
    write('index.mjs', 'export const handler = 1')
    const links = {
      node_modules: '/opt/nodejs/node_modules',
      'bin/python': '/usr/bin/env',
      passwd: '/etc/passwd',
      dangling: '../nowhere',
      circle: 'circle',
    }
    mkdirSync(join(folder, 'fn/bin'))
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, 'fn', name))
    mkdirSync(join(folder, 'shared'))
    writeFileSync(join(folder, 'shared/lib.mjs'), 'shared')
    symlinkSync(join(folder, 'shared'), join(folder, 'fn/followed'))

    const source = await readPackage(join(folder, 'fn'))
    mkdirSync(join(folder, 'out'))
    await unpackZip(source.zip, join(folder, 'out'))
    for (const [name, target] of Object.entries(links)) expect(readlinkSync(join(folder, 'out', name))).toBe(target)
    expect(readFileSync(join(folder, 'out/followed/lib.mjs'), 'utf8')).toBe('shared')
    expect(source.notes).toEqual(
      ['circle', 'dangling'].map(
        (name) =>
          `${name} is a link to ${links[name as 'circle']}, which does not exist on this machine. The package contains it as a link.`,
      ),
    )
  })

  it('says what is wrong with a path, a name, a zip', async () => {
    await expect(readPackage(join(folder, 'none'))).rejects.toThrow('There is no folder or zip')
    mkdirSync(join(folder, 'fn'))
    await expect(readPackage(join(folder, 'fn'))).rejects.toThrow('holds no files')
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'fn/')), Buffer.from([0xff])]), 'x')
    await expect(readPackage(join(folder, 'fn'))).rejects.toThrow('its name is not UTF-8')
    writeFileSync(join(folder, 'bad.zip'), 'not a zip')
    await expect(readPackage(join(folder, 'bad.zip'))).rejects.toThrow('is not a zip that can be read')
  })
})

describe('a package from a zip', () => {
  const zip = (...entries: Parameters<typeof buildZip>[0]) => {
    writeFileSync(join(folder, 'fn.zip'), buildZip(entries))
    return readPackage(join(folder, 'fn.zip'))
  }

  it('tells of files that the function could not read on AWS', async () => {
    const { notes } = await zip(
      { name: 'm.py', data: 'def handler(e, c): pass', mode: FILE | 0o660 },
      { name: 'none.py', data: '', mode: 0 },
      { name: 'lib/', mode: DIRECTORY | 0o700 },
      { name: 'lib/fine.py', mode: FILE | 0o644 },
      { name: 'windows.py', host: 0 },
    )
    expect(notes).toEqual([
      'The zip has files that only their owner may read: m.py, none.py, lib/. On AWS the function fails with "Permission denied"; ' +
        'here it runs unless HEARTH_PACKAGE_PERMISSIONS is exact. Make the zip again after chmod -R a+rX.',
    ])
    expect((await zip({ name: 'm.py', data: 'x', mode: FILE | 0o604 })).notes).toEqual([])
  })

  it('with TypeScript alone is refused', async () => {
    await expect(zip({ name: 'index.ts', data: 'export const handler = 1' })).rejects.toThrow(
      'The zip holds index.ts and no JavaScript for it: Node.js functions cannot load TypeScript.',
    )
    const both = await zip({ name: 'index.ts', data: 'x' }, { name: 'index.js', data: 'exports.handler = 1' })
    expect(both.files).toHaveLength(2)
  })
})

describe('requirements of a function', () => {
  const remark = (names: string) =>
    `requirements.txt names ${names}, which the package does not contain: the function can only import what is in the package or in a layer. ` +
    'Install it into the folder and deploy again: pip install -r requirements.txt --target FOLDER'

  it('that its folder does not hold are named', async () => {
    write('app.py', 'import requests\ndef handler(event, context): pass')
    write(
      'requirements.txt',
      '# comment\nrequests==2.1  # pinned\nboto3\nPy.Yaml>=6\n-r more.txt\npywin32; sys_platform == "win32"\nfrozen_lib[x]\n\n',
    )
    expect((await readPackage(join(folder, 'fn'))).notes).toEqual([remark('requests, py-yaml, frozen-lib')])
    write('requests/__init__.py', '')
    write('frozen_lib-1.0.dist-info/METADATA', '')
    expect((await readPackage(join(folder, 'fn'))).notes).toEqual([remark('py-yaml')])
    write('PyYAML-6.0.dist-info/METADATA', '')
    write('py_yaml.py', '')
    expect((await readPackage(join(folder, 'fn'))).notes).toEqual([])
  })

  it('in package.json are named when the code imports them and they are not installed', async () => {
    write('index.mjs', "import a from 'a'\nimport '@b/c'\nimport '@aws-sdk/client-s3'\nexport const handler = 1")
    const dependencies = { a: '1', '@b/c': '1', built: '1', '@aws-sdk/client-s3': '3' }
    write('package.json', JSON.stringify({ dependencies }))
    write('node_modules/a/index.js', '')
    expect((await readPackage(join(folder, 'fn'))).notes).toEqual([
      'package.json names @b/c, which the package does not contain: the function can only import what is in the package or in a layer. ' +
        'Run npm install in the folder and deploy again.',
    ])
  })
})
