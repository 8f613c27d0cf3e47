import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ArtifactStore } from '../../../src/code/artifact.ts'
import { LayerTree } from '../../../src/code/layer-tree.ts'
import { LayerFolders, mergedId } from '../../../src/code/layers.ts'
import { buildZip, DIRECTORY, FILE, LINK } from './build-zip.ts'

let work: string
let unpackings: string[]
const log = { warn: () => {}, error: () => {} }

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'hearth-layers-'))
  unpackings = []
})
afterEach(() => rm(work, { recursive: true, force: true }))

/** An unpacked layer: text is a file, `-> x` a link. */
async function layer(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const at = join(work, 'unpacked', name, path)
    await mkdir(dirname(at), { recursive: true })
    if (content.startsWith('-> ')) await symlink(content.slice(3), at)
    else await writeFile(at, content)
  }
  return name
}

const open = (graceMs = 0) =>
  new LayerFolders({
    directory: join(work, 'layers'),
    unpacked: async (hash) => {
      unpackings.push(hash)
      return join(work, 'unpacked', hash)
    },
    log,
    graceMs,
  })

const merged = async (layers: readonly string[], folders = open()) => (await folders.folder(layers)) as string
const text = (folder: string, path: string) => readFile(join(folder, path), 'utf8')

describe('merged layers', () => {
  it('are nothing without layers and the folder of the layer for a single one', async () => {
    await layer('a', { 'x.txt': 'a' })
    expect(await open().folder([])).toBeUndefined()
    expect(await open().folder(['a'])).toBe(join(work, 'unpacked', 'a'))
  })

  it('have the files of all layers, the later ones winning', async () => {
    await layer('a', { 'both.txt': 'a', 'lib/a.txt': 'a', 'lib/same.txt': 'a' })
    await layer('b', { 'both.txt': 'b', 'lib/b.txt': 'b', 'lib/same.txt': 'b' })
    const ab = await merged(['a', 'b'])
    const ba = await merged(['b', 'a'])
    expect(
      await Promise.all(['both.txt', 'lib/a.txt', 'lib/b.txt', 'lib/same.txt'].map((path) => text(ab, path))),
    ).toEqual(['b', 'a', 'b', 'b'])
    expect([await text(ba, 'both.txt'), await text(ba, 'lib/same.txt')]).toEqual(['a', 'a'])
    expect(await text(join(work, 'unpacked', 'a'), 'both.txt')).toBe('a')
  })

  it('keep permissions and times, and share the disk space of their layers', async () => {
    await layer('a', { 'bin/tool': '#!' })
    await layer('b', { b: 'b' })
    const tool = join(work, 'unpacked', 'a', 'bin/tool')
    await chmod(tool, 0o755)
    await utimes(tool, 1000, 1000)
    const made = await stat(join(await merged(['a', 'b']), 'bin/tool'))
    expect(made.mode & 0o777).toBe(0o755)
    expect(made.mtimeMs).toBe(1_000_000)
    expect(made.ino).toBe((await stat(tool)).ino)
  })

  it('replace a folder by a file of a later layer, and a file by a folder', async () => {
    await layer('a', { 'x/deep/file.txt': 'a', y: 'a' })
    await layer('b', { x: 'b', 'y/file.txt': 'b' })
    const folder = await merged(['a', 'b'])
    expect([await text(folder, 'x'), await text(folder, 'y/file.txt')]).toEqual(['b', 'b'])
    expect(await text(await merged(['b', 'a']), 'x/deep/file.txt')).toBe('a')
  })

  it('never write or read through a link', async () => {
    const outside = join(work, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'secret'), 'secret')
    await layer('a', { inside: `-> ${outside}`, python: '-> ../../..' })
    await layer('b', { 'inside/new.txt': 'b', 'python/mine.py': 'b' })
    const folder = await merged(['a', 'b'])
    expect(await readdir(join(folder, 'inside'))).toEqual(['new.txt'])
    expect(await readdir(outside)).toEqual(['secret'])
    const back = await merged(['b', 'a'])
    expect(await readlink(join(back, 'inside'))).toBe(outside)
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('are made once, also when many environments start at the same time', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    const folders = open()
    const made = await Promise.all(Array.from({ length: 5 }, () => folders.folder(['a', 'b'])))
    expect(new Set(made).size).toBe(1)
    await folders.folder(['a', 'b'])
    expect(unpackings).toEqual(['a', 'b'])
    await open().folder(['a', 'b'])
    expect(unpackings).toEqual(['a', 'b'])
  })

  it('are made again when the folder is damaged, or what a crash left is incomplete', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    const folder = await merged(['a', 'b'])
    await rm(join(folder, 'a'))
    expect(await text(await merged(['a', 'b']), 'a')).toBe('a')
    // Killed between the folder and its marker.
    await rm(`${folder}.json`)
    await rm(join(folder, 'b'))
    expect(await text(await merged(['a', 'b']), 'b')).toBe('b')
    // Killed while it was made.
    await mkdir(join(work, 'layers', 'temporary', 'half'), { recursive: true })
    await open().collect(new Set([mergedId(['a', 'b'])]))
    expect(await readdir(join(work, 'layers', 'temporary'))).toEqual([])
  })

  it('are removed when nobody needs them and their grace time is over', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    const kept = await merged(['a', 'b'])
    const gone = await merged(['b', 'a'])
    const keep = new Set([mergedId(['a', 'b'])])
    expect(await open(60_000).collect(keep)).toBe(0)
    expect(await open().collect(keep)).toBe(1)
    expect(await text(kept, 'a')).toBe('a')
    await expect(stat(gone)).rejects.toThrow('ENOENT')
    expect(await text(await merged(['b', 'a']), 'a')).toBe('a')
  })

  it('stay for the function that they were prepared for, however old they are', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    const folder = await merged(['a', 'b'])
    await utimes(`${folder}.json`, 0, 0)
    const folders = open(60_000)
    await folders.prepare(['a', 'b'])
    expect(await folders.collect(new Set())).toBe(0)
    expect(await text(folder, 'a')).toBe('a')
  })

  it('that are collected and prepared at the same time are there in the end', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    for (let round = 0; round < 20; round++) {
      const folder = await merged(['a', 'b'])
      await utimes(`${folder}.json`, 0, 0)
      const folders = open(60_000)
      const both = [() => folders.collect(new Set()), () => folders.prepare(['a', 'b'])]
      await Promise.all((round % 2 === 0 ? both : both.reverse()).map((begin) => begin()))
      expect(await text(folder, 'b'), `round ${round}`).toBe('b')
    }
  })

  it('end in an answer with the remedy when the disk is full, and are made when it is not any more', async () => {
    await layer('a', { a: 'a' })
    await layer('b', { b: 'b' })
    const logged: string[] = []
    let full = true
    const folders = new LayerFolders({
      directory: join(work, 'layers'),
      unpacked: async (hash) => {
        if (full && hash === 'b') throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'link' })
        return join(work, 'unpacked', hash)
      },
      log: { warn: () => {}, error: (_fields: unknown, message?: string) => void logged.push(message ?? '') },
    })
    await expect(folders.folder(['a', 'b'])).rejects.toMatchObject({
      name: 'ServiceException',
      message: expect.stringContaining('Its disk is full'),
    })
    expect(logged).toEqual([expect.stringContaining('free space in the data directory')])
    full = false
    expect(await text((await folders.folder(['a', 'b'])) as string, 'b')).toBe('b')
  })

  it('leave nothing behind when a layer cannot be had', async () => {
    await layer('a', { a: 'a' })
    await expect(merged(['a', 'missing'])).rejects.toThrow('ENOENT')
    expect(await readdir(join(work, 'layers', 'merged'))).toEqual([])
    expect(await readdir(join(work, 'layers', 'temporary'))).toEqual([])
  })

  it('are copies where links are impossible, as between two file systems', async () => {
    const elsewhere = await mkdtemp('/dev/shm/hearth-layers-')
    try {
      await writeFile(join(elsewhere, 'tool'), '#!', { mode: 0o755 })
      await utimes(join(elsewhere, 'tool'), 1000, 1000)
      await layer('a', { a: 'a' })
      await symlink(elsewhere, join(work, 'unpacked', 'b'))
      const folder = await merged(['a', 'b'])
      expect(await text(folder, 'tool')).toBe('#!')
      const { mode, mtimeMs } = await stat(join(folder, 'tool'))
      expect([mode & 0o777, mtimeMs]).toEqual([0o755, 1_000_000])
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  })
})

describe('hostile layers', () => {
  const artifacts = () => new ArtifactStore({ directory: join(work, 'code'), log })
  const put = async (entries: Parameters<typeof buildZip>[0]) => (await artifacts().put(buildZip(entries))).sha256Base64
  const real = () =>
    new LayerFolders({ directory: join(work, 'layers'), unpacked: (hash) => artifacts().folder(hash), log })

  it.each([
    ['a path out of the layer', [{ name: '../out', data: 'x' }]],
    ['a device', [{ name: 'disk', mode: 0o060000 | 0o666 }]],
    ['a pipe', [{ name: 'pipe', mode: 0o010000 | 0o666 }]],
    ['a name that says it is UTF-8 and is not', [{ name: Buffer.from([0xff, 0xfe]), data: 'x' }]],
  ])('with %s are refused when they are published', async (_what, entries) => {
    await expect(put(entries)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'Could not unzip uploaded file. Please check your file, then try to upload again.',
    })
  })

  it('keep links out of the layer and follow none of them', async () => {
    const outside = join(work, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'secret'), 'secret')
    const hashes = [
      await put([
        { name: 'lib', data: outside, mode: LINK | 0o777 },
        { name: 'up', data: '../../../outside', mode: LINK | 0o777 },
        { name: 'bin/python', data: '/usr/bin/python3', mode: LINK | 0o777 },
      ]),
      await put([
        { name: 'lib/mine', data: 'x' },
        { name: 'up/secret', data: 'x' },
        { name: 'other', data: '/opt/lib', mode: LINK | 0o777 },
      ]),
    ]
    const folder = (await real().folder(hashes)) as string
    expect((await readdir(folder)).sort()).toEqual(['bin', 'lib', 'other', 'up'])
    expect(await readlink(join(folder, 'bin/python'))).toBe('/usr/bin/python3')
    expect(await readlink(join(folder, 'other'))).toBe('/opt/lib')
    expect(await readdir(join(folder, 'lib'))).toEqual(['mine'])
    expect(await readdir(join(folder, 'up'))).toEqual(['secret'])
    expect(await text(outside, 'secret')).toBe('secret')
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('keep the permissions of their zips where those are exact', async () => {
    const code = new ArtifactStore({ directory: join(work, 'code'), log, permissions: 'exact' })
    const store = async (...entries: Parameters<typeof buildZip>[0]) => (await code.put(buildZip(entries))).sha256Base64
    const private_ = { name: 'lib/', mode: DIRECTORY | 0o700 }
    const hashes = [
      await store(private_, { name: 'a/x', data: 'x', mode: FILE | 0o600 }),
      await store(private_, { name: 'b', data: 'x', mode: FILE | 0o640 }),
    ]
    const folders = new LayerFolders({
      directory: join(work, 'layers'),
      unpacked: (hash) => code.folder(hash),
      log,
      permissions: 'exact',
    })
    const folder = (await folders.folder(hashes)) as string
    const mode = async (path: string) => ((await stat(join(folder, path))).mode & 0o777).toString(8)
    expect([await mode('lib'), await mode('a'), await mode('a/x'), await mode('b')]).toEqual([
      '700',
      '755',
      '600',
      '640',
    ])
  })

  it('lose setuid, setgid and write permission of others', async () => {
    const hashes = [
      await put([{ name: 'bin/su', data: '#!', mode: FILE | 0o6777 }]),
      await put([
        { name: 'bin/', mode: DIRECTORY | 0o7777 },
        { name: 'bin/b', data: 'b', mode: FILE | 0o666 },
      ]),
    ]
    const folder = (await real().folder(hashes)) as string
    expect((await stat(join(folder, 'bin/su'))).mode & 0o7777).toBe(0o755)
    expect((await stat(join(folder, 'bin'))).mode & 0o7777).toBe(0o755)
    expect((await stat(join(folder, 'bin/b'))).mode & 0o7777).toBe(0o644)
  })

  it('have names in the old code page as they would be unpacked alone', async () => {
    const hashes = [
      await put([{ name: Buffer.from([0x81, 0x2e, 0x70, 0x79]), data: 'x', flags: 0 }]),
      await put([{ name: 'b', data: 'b' }]),
    ]
    expect((await readdir((await real().folder(hashes)) as string)).sort()).toEqual(['b', 'ü.py'])
  })

  it('with too many files together are refused by name', async () => {
    const [a, b] = [await layer('a', { x: '', 'y/z': '' }), await layer('b', { x: '' })]
    const folder = (name: string) => join(work, 'unpacked', name)
    await new LayerTree(4).add(folder(a))
    const tree = new LayerTree(3)
    await tree.add(folder(a))
    await expect(tree.add(folder(b))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'The layers of a function must have at most 3 files and folders together',
    })
  })
})
