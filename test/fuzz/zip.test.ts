import { execFileSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LayerFolders } from '../../src/code/layers.ts'
import { markerFor } from '../../src/code/marker.ts'
import { digestFile, listPackage } from '../../src/code/signature/files.ts'
import { readSignatures } from '../../src/code/signature/read.ts'
import { readProfiles } from '../../src/code/signature/trust.ts'
import { unpackZip } from '../../src/code/zip.ts'
import { LambdaException } from '../../src/lambda/errors.ts'
import { buildZip, DIRECTORY, type EntrySpec, FILE, LINK } from '../unit/code/build-zip.ts'
import { Random } from './random.ts'

const random = new Random()
const log = { warn: () => {}, error: () => {} }

let parent: string
beforeAll(async () => {
  parent = await realpath(await mkdtemp(join(tmpdir(), 'hearth-zip-fuzz-')))
})
afterAll(() => rm(parent, { recursive: true, force: true }))

function path(): string {
  const segments = Array.from({ length: 1 + random.below(4) }, () =>
    random.pick([
      'a',
      'b',
      'c',
      'd',
      '.',
      '..',
      'ü',
      '',
      'META-INF',
      'META-INF/MANIFEST.MF',
      'META-INF/A.SF',
      'META-INF/A.RSA',
    ]),
  )
  return `${random.pick(['', '', '', '/', './'])}${segments.join(random.pick(['/', '/', '/', '\\']))}${random.pick(['', '', '/'])}`
}

/** What links lead to: places within the package and around it, some of which are there. */
function target(): string {
  if (random.chance(0.4)) return path()
  return (
    random.pick(['/', '/dev/zero', '/opt/nodejs/node_modules', parent, join(parent, 'secret')]) +
    random.pick(['', '/pipe', '/a'])
  )
}

function entry(): EntrySpec {
  const kind = random.pick([FILE, FILE, FILE, DIRECTORY, LINK, 0, random.below(16) << 12])
  const lie = <T>(value: T) => (random.chance(0.03) ? value : undefined)
  return {
    name: path(),
    data:
      kind === LINK
        ? target()
        : random.chance(0.5)
          ? random.bytes(random.below(300))
          : 'abc'.repeat(random.below(3000)),
    mode: kind | random.below(0o10000),
    host: random.pick([3, 3, 3, 19, 0, 10, 7]),
    method: random.pick([8, 8, 0, 0, random.chance(0.05) ? random.below(100) : 8]),
    flags: random.chance(0.05) ? random.below(65536) : 0x800,
    crc: lie(random.below(2 ** 32)),
    size: lie(random.below(1000)),
    compressedSize: lie(random.below(1000)),
    localName: lie(path()),
    offset: lie(random.below(500)),
    date: random.below(65536),
    time: random.below(65536),
    extra: random.chance(0.1) ? random.bytes(random.below(40)) : undefined,
  }
}

/** Everything below the folder is a file, a folder or a link, and, unless the package was refused half-way, has the permissions that it may have. */
async function expectSafe(folder: string, refused = false, at = folder): Promise<number> {
  let count = 0
  for (const name of await readdir(at)) {
    const found = join(at, name)
    const stats = await lstat(found)
    count++
    if (stats.isSymbolicLink()) continue
    if (stats.isDirectory()) {
      expect(stats.mode & 0o7777).toBe(0o755)
      count += await expectSafe(folder, refused, found)
    } else {
      expect(stats.isFile()).toBe(true)
      if (!refused) expect(stats.mode & 0o7777 & ~0o111).toBe(0o644)
    }
  }
  return count
}

/** Reads a package in every way that the host does. Returns the number of its links. */
async function readAll(folder: string): Promise<number> {
  const files = await listPackage(folder)
  for (const file of files) await digestFile(folder, file, 'SHA-256')
  await readSignatures(folder, readProfiles({}))
  await markerFor(folder, { entries: 0, bytes: 0 })
  return files.filter(({ kind }) => kind === 'link').length
}

describe('any zip', () => {
  it(`is unpacked safely or refused with AWS's message (FUZZ_SEED=${random.seed})`, async () => {
    const secret = join(parent, 'secret')
    await mkdir(join(secret, 'a'), { recursive: true })
    // Whoever opens it through a link waits for ever.
    execFileSync('mkfifo', [join(secret, 'pipe')])
    const folders: string[] = []
    const layers = new LayerFolders({ directory: join(parent, 'layers'), unpacked: async (path) => path, log })
    let links = 0
    for (let round = 0; round < 1500; round++) {
      const folder = join(parent, `package-${round}`)
      await mkdir(folder)
      const zip = buildZip(Array.from({ length: 1 + random.below(6) }, entry))
      for (let flips = random.chance(0.3) ? 1 + random.below(4) : 0; flips > 0; flips--) {
        zip[random.below(zip.length)] = random.below(256)
      }
      const input = random.chance(0.05) ? zip.subarray(0, random.below(zip.length)) : zip
      try {
        const { entries } = await unpackZip(input, folder)
        expect(await expectSafe(folder)).toBe(entries)
        links += await readAll(folder)
        folders.push(folder)
      } catch (error) {
        if (!(error instanceof LambdaException)) throw error
        expect(['InvalidParameterValueException', 'RequestEntityTooLargeException']).toContain(error.name)
        await expectSafe(folder, true)
        await rm(folder, { recursive: true })
      }
      if (folders.length > 1 && random.chance(0.2)) {
        const merged = (await layers.folder([random.pick(folders), random.pick(folders)])) as string
        await expectSafe(merged)
        await readAll(merged)
      }
    }
    expect(folders.length).toBeGreaterThan(20)
    expect(links).toBeGreaterThan(5)
    for (const folder of [...folders, join(parent, 'layers')]) await rm(folder, { recursive: true })
    expect(await readdir(parent)).toEqual(['secret'])
    expect((await readdir(secret)).sort()).toEqual(['a', 'pipe'])
    expect(await readdir(join(secret, 'a'))).toEqual([])
  })

  it(`whose bytes are random is refused (FUZZ_SEED=${random.seed})`, async () => {
    const folder = join(parent, 'package')
    await mkdir(folder)
    for (let round = 0; round < 300; round++) {
      await expect(unpackZip(random.bytes(1 + random.below(500)), folder)).rejects.toBeInstanceOf(LambdaException)
    }
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
  })

  it(`that is undamaged comes out as it went in (FUZZ_SEED=${random.seed})`, async () => {
    for (let round = 0; round < 30; round++) {
      const folder = join(parent, `whole-${round}`)
      await mkdir(folder)
      const files = Array.from({ length: 20 }, (_, i) => ({
        name: `${random.pick(['', 'a/', 'a/b/', 'c/'])}f${i}`,
        data: random.bytes(random.below(5000)),
        method: random.pick([0, 8]),
      }))
      await unpackZip(buildZip(files), folder)
      for (const { name, data } of files) expect(Buffer.compare(await readFile(join(folder, name)), data)).toBe(0)
      await rm(folder, { recursive: true })
    }
  })
})
