import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  blockedForCreate,
  creatableRuntimes,
  isKnownRuntime,
  RUNTIMES,
  runtimeEnvironment,
} from '../../../src/lambda/runtimes.ts'

const at = (day: string): number => Date.parse(day)

describe('the table of runtimes', () => {
  test('knows AWS’s identifiers and nothing else, however an object inherits', () => {
    expect(isKnownRuntime('python3.13')).toBe(true)
    expect(isKnownRuntime('PYTHON3.13')).toBe(false)
    expect(isKnownRuntime('toString')).toBe(false)
    expect(isKnownRuntime('')).toBe(false)
  })

  test('lists every identifier that CreateFunction was recorded to accept', () => {
    const recorded = [
      ...['16', '18', '20', '22', '24'].map((version) => `nodejs${version}.x`),
      ...['8', '9', '10', '11', '12', '13', '14'].map((minor) => `python3.${minor}`),
      ...['java8.al2', 'java11', 'java17', 'java21', 'java25', 'dotnet6', 'dotnet8', 'dotnet10'],
      ...['ruby3.2', 'ruby3.3', 'ruby3.4', 'provided.al2', 'provided.al2023'],
    ]
    expect(creatableRuntimes()).toEqual(expect.arrayContaining(recorded))
    expect(creatableRuntimes()).not.toContain('nodejs14.x')
    expect(creatableRuntimes()).not.toContain('go1.x')
  })

  test('has real days, in order', () => {
    for (const [name, { deprecation, blockCreate, blockUpdate }] of Object.entries(RUNTIMES)) {
      for (const day of [deprecation, blockCreate, blockUpdate]) {
        if (day !== undefined) expect(new Date(day).toISOString(), name).toBe(`${day}T00:00:00.000Z`)
      }
      if (blockCreate && blockUpdate) expect(at(blockCreate), name).toBeLessThanOrEqual(at(blockUpdate))
    }
  })

  test('blocks creation from the block date on, not from the deprecation', () => {
    expect(blockedForCreate('nodejs20.x', at('2026-11-22'))).toBe(false)
    expect(blockedForCreate('nodejs20.x', at('2027-02-01') - 1)).toBe(false)
    expect(blockedForCreate('nodejs20.x', at('2027-02-01'))).toBe(true)
  })

  test('blocks what was never or is no longer creatable at any time', () => {
    expect(blockedForCreate('nodejs12.x', 0)).toBe(true)
    expect(blockedForCreate('python9.9', 0)).toBe(true)
    expect(blockedForCreate('__proto__', 0)).toBe(true)
    expect(blockedForCreate('java11.al2023', at('2040-01-01'))).toBe(false)
  })
})

describe('variables of a runtime', () => {
  test('name the language’s folders and the execution environment', () => {
    expect(runtimeEnvironment('nodejs22.x')).toEqual({
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
      LD_LIBRARY_PATH: '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
      LAMBDA_TASK_ROOT: '/var/task',
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
      NODE_PATH:
        '/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task',
    })
  })

  test('say LC_CTYPE for Python from 3.12 on', () => {
    expect(runtimeEnvironment('python3.11')).toMatchObject({ PYTHONPATH: '/var/runtime', SHLVL: '0' })
    expect(runtimeEnvironment('python3.11').LC_CTYPE).toBeUndefined()
    expect(runtimeEnvironment('python3.13').LC_CTYPE).toBe('C.UTF-8')
  })

  test('have no execution environment for OS-only runtimes, and no /var/lang on provided.al2', () => {
    for (const runtime of ['provided.al2', 'provided.al2023']) {
      expect(runtimeEnvironment(runtime).AWS_EXECUTION_ENV).toBeUndefined()
    }
    expect(runtimeEnvironment('provided.al2').PATH).toBe('/usr/local/bin:/usr/bin/:/bin:/opt/bin')
    expect(runtimeEnvironment('provided.al2').LD_LIBRARY_PATH).not.toContain('/var/lang')
    expect(runtimeEnvironment('provided.al2023').PATH).toContain('/var/lang/bin')
  })

  test('are a new object each time', () => {
    const changed = runtimeEnvironment('python3.13')
    changed.PATH = 'changed'
    expect(runtimeEnvironment('python3.13').PATH).not.toBe('changed')
  })
})

test('docs/runtimes.md lists the table as it is', async () => {
  const text = await readFile(new URL('../../../docs/runtimes.md', import.meta.url), 'utf8')
  // A formatter may align the columns.
  const page = text.replace(/ +/g, ' ')
  for (const [name, { os, creatable, deprecation, blockCreate, blockUpdate }] of Object.entries(RUNTIMES)) {
    const cells = [
      `\`${name}\``,
      os,
      creatable ? 'yes' : 'no',
      deprecation ?? '–',
      blockCreate ?? '–',
      blockUpdate ?? '–',
    ]
    expect(page).toContain(`| ${cells.join(' | ')} |`)
  }
})
