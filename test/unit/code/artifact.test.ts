import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ArtifactStore } from '../../../src/code/artifact.ts'
import { LambdaException } from '../../../src/lambda/errors.ts'
import { buildZip, FILE } from './build-zip.ts'

const ZIP = buildZip([
  { name: 'index.js', data: 'exports.handler = 1', mode: FILE | 0o755 },
  { name: 'lib/a.js', data: 'a' },
])
const SHA = createHash('sha256').update(ZIP).digest('base64')
const HEX = createHash('sha256').update(ZIP).digest('hex')

let directory: string
let logged: string[]

function open(graceMs = 0): ArtifactStore {
  const note = (_fields: unknown, message?: string) => void logged.push(message ?? '')
  return new ArtifactStore({ directory, graceMs, log: { warn: note, error: note } })
}

let store: ArtifactStore
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hearth-artifacts-'))
  logged = []
  store = open()
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const zipPath = () => join(directory, 'zips', `${HEX}.zip`)
const markerPath = () => join(directory, 'unpacked', `${HEX}.json`)
const folderPath = () => join(directory, 'unpacked', HEX)

/** Changes whenever the folder is made anew (an inode number may be used again). */
async function madeAt(folder: string): Promise<bigint> {
  return (await stat(folder, { bigint: true })).birthtimeNs
}

async function expectWhole(folder: string): Promise<void> {
  expect(await readFile(join(folder, 'index.js'), 'utf8')).toBe('exports.handler = 1')
  expect(await readFile(join(folder, 'lib', 'a.js'), 'utf8')).toBe('a')
  expect((await stat(join(folder, 'index.js'))).mode & 0o777).toBe(0o755)
}

async function failure(promise: Promise<unknown>): Promise<LambdaException> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(LambdaException)
  return error as LambdaException
}

it('tells the operator of files that functions could not read on AWS, and gives them the permissions that are set', async () => {
  const { sha256Base64 } = await store.put(buildZip([{ name: 'm.py', data: 'x', mode: FILE | 0o600 }]))
  await store.put(buildZip([{ name: 'm.py', data: 'x', mode: FILE | 0o600 }]))
  const warning = expect.stringContaining('"Permission denied"')
  expect(logged).toEqual([warning, warning])
  const mode = async (permissions: 'readable' | 'exact') => {
    const log = { warn: () => {}, error: () => {} }
    const folder = await new ArtifactStore({ directory, permissions, log }).folder(sha256Base64)
    return ((await stat(join(folder, 'm.py'))).mode & 0o777).toString(8)
  }
  const modes = [await mode('readable'), await mode('exact'), await mode('exact'), await mode('readable')]
  expect(modes).toEqual(['644', '600', '600', '644'])
})

describe('put', () => {
  it('keeps the zip and its unpacked content under the hash that AWS shows', async () => {
    expect(await store.put(ZIP)).toEqual({ sha256Base64: SHA, size: ZIP.length, unzippedBytes: 20 })
    expect(Buffer.compare((await store.get(SHA)) as Uint8Array, ZIP)).toBe(0)
    await expectWhole(await store.folder(SHA))
    expect(await readdir(join(directory, 'temporary'))).toEqual([])
  })

  it('of the same zip many times at once makes it once', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => store.put(ZIP)))
    for (const result of results) expect(result).toEqual({ sha256Base64: SHA, size: ZIP.length, unzippedBytes: 20 })
    await expectWhole(await store.folder(SHA))
    expect(await readdir(join(directory, 'unpacked'))).toEqual([HEX, `${HEX}.json`])
  })

  it('again does not touch the folder that running functions see', async () => {
    await store.put(ZIP)
    const made = await madeAt(folderPath())
    expect(await store.put(ZIP)).toMatchObject({ unzippedBytes: 20 })
    expect(await madeAt(folderPath())).toBe(made)
  })

  it('of a bad zip leaves nothing behind', async () => {
    const bad = buildZip([
      { name: 'good', data: 'x' },
      { name: 'bad', data: 'x', crc: 1 },
    ])
    expect((await failure(store.put(bad))).name).toBe('InvalidParameterValueException')
    for (const name of ['zips', 'unpacked', 'temporary']) expect(await readdir(join(directory, name))).toEqual([])
  })

  it('heals a zip that was damaged on disk', async () => {
    await store.put(ZIP)
    await truncate(zipPath(), 10)
    expect(await store.get(SHA)).toBeUndefined()
    await store.put(ZIP)
    expect((await store.get(SHA))?.length).toBe(ZIP.length)
  })
})

describe('get', () => {
  it('of something unknown, or of no hash at all, is undefined', async () => {
    expect(await store.get(createHash('sha256').update('x').digest('base64'))).toBeUndefined()
    expect(await store.get('../../etc/passwd')).toBeUndefined()
  })
})

describe('folder', () => {
  const damages: [string, () => Promise<unknown>][] = [
    ['the folder is gone', () => rm(folderPath(), { recursive: true })],
    ['the marker is gone', () => rm(markerPath())],
    ['the marker is half written', () => truncate(markerPath(), 20)],
    ['the marker is of another format', () => writeFile(markerPath(), '{"format":2}')],
    ['a file is gone', () => rm(join(folderPath(), 'index.js'))],
    ['a file in a subfolder is gone', () => rm(join(folderPath(), 'lib', 'a.js'))],
    ['a file was added', () => writeFile(join(folderPath(), 'extra'), '')],
    ['a file was cut', () => truncate(join(folderPath(), 'lib', 'a.js'), 0)],
    ['a file was overwritten with as many bytes', () => writeFile(join(folderPath(), 'lib', 'a.js'), 'b')],
    ['a file lost its permissions', () => chmod(join(folderPath(), 'index.js'), 0o644)],
    [
      'everything but the zip is gone',
      async () => {
        await rm(join(directory, 'unpacked'), { recursive: true })
        await rm(join(directory, 'temporary'), { recursive: true })
        store = open()
      },
    ],
    [
      'it was unpacked before the machine was started last',
      async () => {
        const marker = JSON.parse(await readFile(markerPath(), 'utf8'))
        await writeFile(markerPath(), JSON.stringify({ ...marker, boot: 'earlier' }))
      },
    ],
  ]

  it.each(damages)('is made again when %s', async (_title, damage) => {
    await store.put(ZIP)
    const made = await madeAt(folderPath())
    await damage()
    const [folder, same] = await Promise.all([store.folder(SHA), store.folder(SHA)])
    expect(same).toBe(folder)
    await expectWhole(folder)
    expect(await madeAt(folder)).not.toBe(made)
    // And then it is whole: the next lookup does not make it again.
    const again = await madeAt(folder)
    await store.folder(SHA)
    expect(await madeAt(folder)).toBe(again)
  })

  it('keeps what a running sandbox may still have mounted, until the next start', async () => {
    await store.put(ZIP)
    await rm(markerPath())
    await store.folder(SHA)
    expect((await readdir(join(directory, 'temporary'))).length).toBe(1)
    await open().put(ZIP)
    expect(await readdir(join(directory, 'temporary'))).toEqual([])
  })

  const beyondRepair: [string, () => Promise<unknown>][] = [
    ['missing', () => rm(zipPath())],
    ['cut', () => truncate(zipPath(), 100)],
    ['another one', () => writeFile(zipPath(), buildZip([{ name: 'evil' }]))],
  ]

  it.each(beyondRepair)('is InvalidZipFileException when it is damaged and the zip is %s', async (_title, damage) => {
    await store.put(ZIP)
    await damage()
    await expectWhole(await store.folder(SHA))
    await rm(join(folderPath(), 'index.js'))
    const error = await failure(store.folder(SHA))
    expect([error.name, error.status, error.message]).toEqual([
      'InvalidZipFileException',
      502,
      'Lambda could not unzip the deployment package.',
    ])
    expect(logged).toEqual([
      'package is damaged or missing and cannot be unpacked: upload the code again with UpdateFunctionCode',
    ])
    await store.put(ZIP)
    await expectWhole(await store.folder(SHA))
  })

  it('of something unknown, or of no hash at all, is InvalidZipFileException', async () => {
    expect((await failure(store.folder(createHash('sha256').update('x').digest('base64')))).name).toBe(
      'InvalidZipFileException',
    )
    expect((await failure(store.folder('../../etc'))).name).toBe('InvalidZipFileException')
  })
})

describe('collect', () => {
  const OTHER = buildZip([{ name: 'other', data: 'x' }])

  it('removes the packages that nobody names, whole', async () => {
    await store.put(ZIP)
    const other = await store.put(OTHER)
    expect(await store.collect(new Set([SHA]))).toBe(1)
    await expectWhole(await store.folder(SHA))
    expect(await store.get(other.sha256Base64)).toBeUndefined()
    expect((await readdir(join(directory, 'zips'))).length).toBe(1)
    expect((await readdir(join(directory, 'unpacked'))).length).toBe(2)
    expect(await store.collect(new Set([SHA]))).toBe(0)
  })

  it('spares what was uploaded a short time ago, and again by another upload of the same zip', async () => {
    store = open(60_000)
    await store.put(ZIP)
    expect(await store.collect(new Set())).toBe(0)
    await utimes(zipPath(), 0, 0)
    await store.put(ZIP)
    expect(await store.collect(new Set())).toBe(0)
    await utimes(zipPath(), 0, 0)
    expect(await store.collect(new Set())).toBe(1)
  })

  it('spares what is renewed, and says so when it came too late', async () => {
    await store.put(ZIP)
    await utimes(zipPath(), 0, 0)
    const graceful = open(60_000)
    await graceful.renew(SHA)
    expect(await graceful.collect(new Set())).toBe(0)
    await utimes(zipPath(), 0, 0)
    const [removed, renewed] = await Promise.allSettled([graceful.collect(new Set()), graceful.renew(SHA)])
    const left = await graceful.get(SHA)
    expect(renewed.status).toBe(left === undefined ? 'rejected' : 'fulfilled')
    expect(removed).toMatchObject({ value: left === undefined ? 1 : 0 })
    await graceful.collect(new Set())
    await utimes(zipPath(), 0, 0).catch(() => {})
    await graceful.collect(new Set())
    await expect(graceful.renew(SHA)).rejects.toMatchObject({ name: 'InvalidZipFileException' })
  })

  it('removes folders whose zip was never stored, as a kill within put leaves them', async () => {
    await store.put(ZIP)
    await rm(zipPath())
    expect(await store.collect(new Set())).toBe(1)
    expect(await readdir(join(directory, 'unpacked'))).toEqual([])
  })

  it('and put at the same time leave a package whole', async () => {
    await store.put(ZIP)
    await utimes(zipPath(), 0, 0)
    store = open(60_000)
    const puts: Promise<unknown>[] = []
    for (let i = 0; i < 20; i++) {
      await utimes(zipPath(), 0, 0).catch(() => {})
      puts.push(store.collect(new Set()), store.put(ZIP))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(puts)
    await store.put(ZIP)
    await expectWhole(await store.folder(SHA))
    expect((await store.get(SHA))?.length).toBe(ZIP.length)
  })
})

describe('a host that is killed while it stores packages', () => {
  it('finds every package that it confirmed, and nothing half-made, when it starts again', async () => {
    const child = join(import.meta.dirname, 'put-for-ever.ts')
    const confirmed = new Set<string>()
    for (let round = 0; round < 6; round++) {
      const host = spawn(process.execPath, ['--import', 'tsx', child, directory, String(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      const exited = new Promise((resolve) => host.once('close', resolve))
      // Killed at another point of its work each time: after some bytes of its output, and then a few turns of the event loop.
      await new Promise<void>((resolve) => {
        host.stdout.on('data', (chunk) => {
          output += chunk
          if (output.split('\n').length > round * 3 + 2) resolve()
        })
      })
      for (let turn = 0; turn < round * 7; turn++) await new Promise((resolve) => setImmediate(resolve))
      host.kill('SIGKILL')
      await exited
      for (const line of output.split('\n').slice(0, -1)) confirmed.add(line)
    }
    expect(confirmed.size).toBeGreaterThan(6)
    store = open()
    for (const sha of confirmed) {
      const names = await readdir(await store.folder(sha))
      expect(names.length).toBe(40)
      expect(await store.get(sha)).toBeDefined()
    }
    for (const name of await readdir(join(directory, 'zips'))) {
      const sha = Buffer.from(name.replace('.zip', ''), 'hex').toString('base64')
      expect((await readdir(await store.folder(sha))).length).toBe(40)
    }
    expect(logged).toEqual([])
    await store.collect(new Set())
    expect(await readdir(join(directory, 'temporary'))).toEqual([])
  }, 60_000)
})

describe('a disk', () => {
  /** A file system of 256 KiB, or why there is none. */
  function mountSmall(): string | undefined {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory], { stdio: 'ignore' })
      return undefined
    } catch {
      return 'mounting a small file system needs root'
    }
  }

  it('that is full is a ServiceException that says so, and nothing half-made stays', async (context) => {
    const missing = mountSmall()
    if (missing !== undefined) return context.skip(missing)
    try {
      const large = buildZip([{ name: 'large', data: Buffer.alloc(1_000_000) }])
      const error = await failure(store.put(large))
      expect([error.name, error.message]).toEqual([
        'ServiceException',
        'The host cannot store function code (ENOSPC). Its disk is full: free space in the data directory, then try again.',
      ])
      expect(logged).toEqual(['Its disk is full: free space in the data directory, then try again.'])
      for (const name of ['zips', 'unpacked', 'temporary']) expect(await readdir(join(directory, name))).toEqual([])
      await store.put(ZIP)
      await expectWhole(await store.folder(SHA))
      await rm(markerPath())
      await writeFile(join(directory, 'ballast'), Buffer.alloc(400_000)).catch(() => {})
      expect((await failure(store.folder(SHA))).name).toBe('ServiceException')
    } finally {
      execFileSync('umount', [directory])
    }
  })

  it('may be moved with everything on it', async () => {
    await store.put(ZIP)
    const moved = `${directory}-moved`
    await rename(directory, moved)
    directory = moved
    const made = await madeAt(folderPath())
    store = open()
    await expectWhole(await store.folder(SHA))
    expect(await madeAt(folderPath())).toBe(made)
  })
})
