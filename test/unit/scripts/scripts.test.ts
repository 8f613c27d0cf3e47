import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
// @ts-expect-error plain JavaScript: it runs before anything is installed
import { apt } from '../../../scripts/debian.mjs'
// @ts-expect-error plain JavaScript
import { outdated } from '../../../scripts/dependencies.mjs'
// @ts-expect-error plain JavaScript
import { engineAddress, ping } from '../../../scripts/engine.mjs'
// @ts-expect-error plain JavaScript
import { hasNodeSqlite } from '../../../scripts/sqlite.mjs'
// @ts-expect-error plain JavaScript
import { add, closingLine, readResults, readTimes, timesTable } from '../../../scripts/test-results.mjs'
// @ts-expect-error plain JavaScript
import { PROJECTS, select } from '../../../scripts/test-selection.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-scripts-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('SQLite', () => {
  it('is found by the process that installed it', () => {
    cpSync(join(import.meta.dirname, '../../../scripts'), join(folder, 'scripts'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{}')
    mkdirSync(join(folder, 'node_modules'))
    // In a Node.js of its own: the tests' module loader does not remember what was missing.
    const program = `import { mkdirSync, writeFileSync } from 'node:fs'
      import { loads } from './scripts/sqlite.mjs'
      console.log(loads())
      mkdirSync('node_modules/better-sqlite3')
      writeFileSync('node_modules/better-sqlite3/package.json', '{"main": "lib.js"}')
      writeFileSync('node_modules/better-sqlite3/lib.js', 'module.exports = class { close() {} }')
      await import('better-sqlite3')
      console.log(loads())`
    writeFileSync(join(folder, 'start.mjs'), program)
    expect(execFileSync(process.execPath, ['start.mjs'], { cwd: folder, encoding: 'utf8' })).toBe('false\ntrue\n')
  })
})

describe('apt', () => {
  const locked = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)'
  const before = process.env.PATH
  beforeEach(() => {
    process.env.PATH = `${folder}:${before}`
  })
  afterEach(() => {
    process.env.PATH = before
  })
  const fakeApt = (script: string) =>
    writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\ncd ${folder}\necho "$@" >> calls\n${script}\n`, { mode: 0o755 })
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')

  it('waits for another one that is at work', async () => {
    fakeApt(`[ $(wc -l < calls) -ge 3 ] || { echo '${locked}' >&2; exit 100; }`)
    await apt(['update'], { waitMs: 60_000, pauseMs: 1 })
    expect(calls()).toEqual(Array(3).fill('-q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=3 update'))
  })

  it('gives up when the other one does not end, and at once for another reason', async () => {
    fakeApt(`echo '${locked}' >&2; exit 100`)
    await expect(apt(['update'], { waitMs: 50, pauseMs: 1 })).rejects.toThrow('`apt-get update` failed with status 100')
    fakeApt('rm calls; echo "$@" >> calls; echo "E: Unable to locate package" >&2; exit 100')
    await expect(apt(['install', 'x'], { waitMs: 60_000, pauseMs: 1 })).rejects.toThrow('failed with status 100')
    expect(calls()).toHaveLength(1)
  })
})

describe('outdated dependencies', () => {
  const lock = (packages: object, present?: object) => {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }))
    if (present === undefined) return
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }))
  }

  it('are missing where nothing was installed', () => {
    lock({ 'node_modules/a': { version: '1.0.0' } })
    expect(outdated(folder)).toBe('missing')
  })

  it('are none where every version is the one of the lock', () => {
    lock({ 'node_modules/a': { version: '1.0.0' } }, { 'node_modules/a': { version: '1.0.0' } })
    expect(outdated(folder)).toBeUndefined()
  })

  it('are those with another version, and those that are not there', () => {
    lock(
      { 'node_modules/a': { version: '2.0.0' }, 'node_modules/b': { version: '1.0.0' } },
      { 'node_modules/a': { version: '1.0.0' } },
    )
    expect(outdated(folder)).toBe('a is 1.0.0, not 2.0.0')
  })

  it('are not the optional ones, which npm leaves out for another platform or without a compiler', () => {
    lock({ 'node_modules/a': { version: '1.0.0', optional: true } }, {})
    expect(outdated(folder)).toBeUndefined()
  })
})

describe('engineAddress', () => {
  it('is the usual socket unless DOCKER_HOST says otherwise', () => {
    expect(engineAddress({}).options).toEqual({ socketPath: '/var/run/docker.sock' })
    expect(engineAddress({ DOCKER_HOST: 'unix:///tmp/d.sock' }).options).toEqual({ socketPath: '/tmp/d.sock' })
    expect(engineAddress({ DOCKER_HOST: 'tcp://10.0.0.1:2375' }).options).toEqual({ host: '10.0.0.1', port: 2375 })
    expect(engineAddress({ DOCKER_HOST: 'tcp://[::1]' }).options).toEqual({ host: '::1', port: 2375 })
    expect(engineAddress({ DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1' }).options).toMatchObject({
      host: 'h',
      port: 2376,
    })
  })

  it('refuses what it cannot use and says what it can', () => {
    expect(() => engineAddress({ DOCKER_HOST: 'ssh://me@there' })).toThrow(
      /set it to unix:\/\/\/path\/of\/socket or tcp:\/\/host:port/,
    )
  })
})

describe('ping', () => {
  let server: Server
  let status = 200
  beforeEach(async () => {
    server = createServer((request, response) => {
      response.statusCode = request.url === '/_ping' ? status : 404
      response.end('OK')
    })
    await new Promise<void>((done) => server.listen(join(folder, 'engine.sock'), done))
  })
  afterEach(() => new Promise((done) => server.close(done)))

  const at = (name: string) => engineAddress({ DOCKER_HOST: `unix://${join(folder, name)}` })

  it('is undefined when the engine answers', async () => {
    status = 200
    expect(await ping(at('engine.sock'))).toBeUndefined()
  })

  it('names the reason when it does not', async () => {
    status = 500
    expect(await ping(at('engine.sock'))).toBe('HTTP 500')
    expect(await ping(at('other.sock'))).toBe('ENOENT')
  })
})

describe('hasNodeSqlite', () => {
  it('is true from Node.js 22.13 on', () => {
    expect(['20.20.2', '22.12.0', '22.13.0', '23.4.0', '24.0.0'].map((version) => hasNodeSqlite(version))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })
})

describe('the selection of tests', () => {
  it('is everything by default', () => {
    expect(select([])).toEqual({ projects: PROJECTS, unknown: [], rest: [] })
  })

  it('takes projects by name and by the folder of a file, and hands the rest on', () => {
    expect(select(['--project', 'unit', '-t', 'x'])).toEqual({ projects: ['unit'], unknown: [], rest: ['-t', 'x'] })
    expect(select(['--project=docker', '--project=fuzz']).projects).toEqual(['fuzz', 'docker'])
    expect(select(['test/docker/cold.test.ts'])).toEqual({
      projects: ['docker'],
      unknown: [],
      rest: ['test/docker/cold.test.ts'],
    })
  })

  it('knows what it does not know', () => {
    expect(select(['--project', 'unti']).unknown).toEqual(['unti'])
  })
})

describe('the results of a run', () => {
  const report = (content: object) => {
    const path = join(folder, 'report.json')
    writeFileSync(path, JSON.stringify(content))
    return path
  }

  it('are the counts of the report', () => {
    const path = report({ numPassedTests: 5, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] })
    expect(readResults(path, 0)).toEqual({ passed: 5, failed: 0, skipped: 2 })
  })

  it('count a file that could not be loaded as a failure', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ]
    expect(readResults(report({ numPassedTests: 1, numFailedTests: 0, testResults }), 1).failed).toBe(1)
  })

  it('count a run without a report, and an error outside every test, as a failure', () => {
    expect(readResults(join(folder, 'none.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(readResults(report({ numPassedTests: 1, numFailedTests: 0, testResults: [] }), 1).failed).toBe(1)
  })

  it('say how long each file took, the slowest first', () => {
    const file = (name: string, seconds: number) => ({
      name: join(folder, 'test', name),
      startTime: 1_000_000,
      endTime: 1_000_000 + seconds * 1000,
      assertionResults: [{ status: 'passed' }, { status: 'passed' }],
    })
    const times = readTimes(
      report({ testResults: [file('a.test.ts', 0.5), file('b.test.ts', 12), file('c.test.ts', 0.01)] }),
      folder,
    )
    expect(timesTable(times)).toBe(
      '     12.0s     2 tests  test/b.test.ts\n      0.5s     2 tests  test/a.test.ts\n     each under 0.1 s: 1 files\n',
    )
    expect(readTimes(join(folder, 'none.json'), folder)).toEqual([])
  })

  it('end in one line', () => {
    expect(closingLine(add({ passed: 3, failed: 0, skipped: 0 }, { passed: 4, failed: 1, skipped: 0 }))).toBe(
      '7 passed, 1 failed',
    )
    expect(closingLine({ passed: 3, failed: 0, skipped: 2 })).toBe('3 passed, 0 failed, 2 skipped')
  })
})
