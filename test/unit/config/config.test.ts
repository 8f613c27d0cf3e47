import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configurationDocument } from '../../../src/config/document.ts'
import { effectiveSettings } from '../../../src/config/effective.ts'
import { nearest } from '../../../src/config/nearest.ts'
import { flagOf, SETTING_NAMES, SETTINGS } from '../../../src/config/settings.ts'
import { ConfigError, type ConfigInput, loadConfig } from '../../../src/config.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'hearth-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const machine = { memoryBytes: 8 * 1024 ** 3, processors: 2 }
const load = (input: Partial<ConfigInput> = {}) => loadConfig({ flags: {}, env: {}, cwd, machine, ...input })
const file = (content: unknown) =>
  writeFileSync(join(cwd, 'hearth.config.json'), typeof content === 'string' ? content : JSON.stringify(content))

function problems(input: Partial<ConfigInput>): readonly string[] {
  try {
    load(input)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('loadConfig', () => {
  it('takes every default when nothing is given, and says so', () => {
    const { config, sources } = load()
    expect(config).toMatchObject({
      port: 9000,
      host: '127.0.0.1',
      data: join(cwd, '.hearth'),
      region: 'us-east-1',
      accountId: '000000000000',
      accountConcurrency: 1000,
      unreservedMinimum: 100,
      functionEnv: {},
      functionReach: [],
      functionApi: 'invoke',
      idleTimeout: 600,
      waitForEnvironmentMs: 10_000,
    })
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
  })

  it('prefers a flag to the environment, the environment to the file, and the file to the default', () => {
    file({ port: 1, idleTimeout: 2, region: 'eu-west-1' })
    const { config, sources } = load({
      flags: { port: '3' },
      env: { HEARTH_PORT: '2', HEARTH_IDLE_TIMEOUT: '5' },
    })
    expect([config.port, config.idleTimeout, config.region, config.accountId]).toEqual([
      3,
      5,
      'eu-west-1',
      '000000000000',
    ])
    expect(sources.port).toBe('flag --port')
    expect(sources.idleTimeout).toBe('environment HEARTH_IDLE_TIMEOUT')
    expect(sources.region).toBe(`file ${join(cwd, 'hearth.config.json')}`)
    expect(sources.accountId).toBe('default')
  })

  it.each([
    ['invoke', 'invoke'],
    ['ALL', 'all'],
    ['off', 'off'],
    ['no', 'off'],
  ])('lets functions call what HEARTH_FUNCTION_API=%s says, without a warning', (given, mode) => {
    const { config, warnings } = load({ env: { HEARTH_FUNCTION_API: given } })
    expect([config.functionApi, warnings]).toEqual([mode, []])
  })

  it('reads HEARTH_FUNCTION_API=on as invoke and warns once, however it was written', () => {
    for (const given of ['on', 'true', '1']) {
      const { config, warnings } = load({ env: { HEARTH_FUNCTION_API: given } })
      expect(config.functionApi).toBe('invoke')
      expect(warnings).toEqual([
        `HEARTH_FUNCTION_API=${given} now means invoke: functions may invoke functions and do nothing else. Write invoke, or write all to allow what on allowed in earlier versions.`,
      ])
    }
    file({ functionApi: true })
    expect(load().warnings).toHaveLength(1)
  })

  it('keeps the unreserved minimum within a small account limit', () => {
    expect(load({ env: { HEARTH_ACCOUNT_CONCURRENCY: '20' } }).config.unreservedMinimum).toBe(20)
    expect(load({ env: { HEARTH_ACCOUNT_CONCURRENCY: '500' } }).config.unreservedMinimum).toBe(100)
    expect(problems({ env: { HEARTH_ACCOUNT_CONCURRENCY: '20', HEARTH_UNRESERVED_MINIMUM: '30' } })).toEqual([
      'HEARTH_UNRESERVED_MINIMUM must not be greater than accountConcurrency (20); it is 30',
    ])
  })

  it('derives the number of environments from the memory of the machine', () => {
    expect(load().config.maxEnvironments).toBe(48)
    expect(load({ machine: { memoryBytes: 256 * 1024 ** 2, processors: 1 } }).config.maxEnvironments).toBe(4)
    expect(load({ machine: { memoryBytes: 4 * 1024 ** 4, processors: 256 } }).config).toMatchObject({
      maxEnvironments: 2000,
      maxParallelStarts: 32,
    })
  })

  it('collects HEARTH_FUNCTION_ENV_* into one setting, values untouched', () => {
    const { config, sources } = load({
      env: { HEARTH_FUNCTION_ENV_DB_URL: 'pg://h/a=b,c', HEARTH_FUNCTION_ENV_EMPTY: '' },
    })
    expect(config.functionEnv).toEqual({ DB_URL: 'pg://h/a=b,c', EMPTY: '' })
    expect(sources.functionEnv).toBe('environment HEARTH_FUNCTION_ENV_*')
  })

  it('reads lists, pairs, sizes and switches as text and as JSON', () => {
    const env = {
      HEARTH_FUNCTION_REACH: '5432, 9090,5432',
      HEARTH_ACCESS_KEYS: 'AKIA1=111122223333,AKIA2=444455556666',
      HEARTH_LOG_MAX_BYTES: '2 MiB',
      HEARTH_FUNCTION_API: 'off',
    }
    const expected = {
      functionReach: [5432, 9090],
      accessKeys: { AKIA1: '111122223333', AKIA2: '444455556666' },
      logMaxBytes: 2 * 1024 * 1024,
      functionApi: 'off',
    }
    expect(load({ env }).config).toMatchObject(expected)
    file({ ...expected, functionReach: [5432, 9090, 5432] })
    expect(load().config).toMatchObject(expected)
  })

  it('treats an empty variable as not given', () => {
    const { config, sources } = load({ env: { HEARTH_PORT: '' } })
    expect(config.port).toBe(9000)
    expect(sources.port).toBe('default')
  })

  it('refuses a variable that is no setting and names the nearest one', () => {
    expect(problems({ env: { HEARTH_PROT: '9' } })).toEqual([
      'HEARTH_PROT is not a setting of Hearth; did you mean HEARTH_PORT?',
    ])
    expect(problems({ env: { HEARTH_ENDPOINT: 'http://x', HEARTH_CONFIG: '' } })).toEqual([])
  })

  it('refuses a key of the file that is no setting and names the nearest one', () => {
    file({ idleTimeOut: 5 })
    expect(problems({})).toEqual([
      `idleTimeOut in ${join(cwd, 'hearth.config.json')} is not a setting of Hearth; did you mean idleTimeout?`,
    ])
  })

  it('says one line for each value that is not valid', () => {
    expect(
      problems({
        flags: { port: '70000' },
        env: {
          HEARTH_REGION: 'machine-room-1',
          HEARTH_ACCOUNT_ID: '12',
          HEARTH_RUNTIME_IMAGES: 'other',
          HEARTH_SUBNET_POOL: '10.0.0.0/30',
          HEARTH_FUNCTION_API: 'maybe',
        },
      }),
    ).toEqual([
      '--port must be a whole number from 0 to 65535; it is "70000"',
      'HEARTH_REGION must be the name of an AWS region, for example us-east-1; it is "machine-room-1"',
      'HEARTH_ACCOUNT_ID must be twelve digits; it is "12"',
      'HEARTH_FUNCTION_API must be one of: invoke, all, off; it is "maybe"',
      'HEARTH_RUNTIME_IMAGES must be one of: hearth, aws; it is "other"',
      'HEARTH_SUBNET_POOL must be an IPv4 network of /8 to /22, for example 10.213.0.0/16; it is "10.0.0.0/30"',
    ])
  })

  it('never repeats a wrong value that may be a secret', () => {
    const [problem] = problems({ env: { HEARTH_FUNCTION_ENV_1PASSWORD: 'hunter2' } })
    expect(problem).toContain('HEARTH_FUNCTION_ENV_*')
    expect(problem).not.toContain('hunter2')
  })

  it('refuses a file that is not JSON, and a named file that is not there', () => {
    file('{')
    expect(problems({})[0]).toContain('is not JSON')
    file('[]')
    expect(problems({})[0]).toContain('must hold a JSON object')
    expect(problems({ flags: { config: 'other.json' } })[0]).toContain(
      `the settings file ${join(cwd, 'other.json')} cannot be read`,
    )
  })
})

describe('effectiveSettings', () => {
  it('masks the values of function variables and the access keys', () => {
    const settings = effectiveSettings(
      load({ env: { HEARTH_FUNCTION_ENV_TOKEN: 'hunter2', HEARTH_ACCESS_KEYS: 'AKIAEXAMPLE1=111122223333' } }),
    )
    const value = (name: string) => settings.find((one) => one.name === name)?.value
    expect(value('functionEnv')).toEqual({ TOKEN: '****' })
    expect(value('accessKeys')).toEqual({ '****PLE1': '111122223333' })
    expect(value('port')).toBe(9000)
  })
})

describe('the table of settings', () => {
  it('gives every setting its own variable and flag', () => {
    expect(new Set(SETTING_NAMES.map((name) => SETTINGS[name].env)).size).toBe(SETTING_NAMES.length)
    expect(new Set(SETTING_NAMES.map(flagOf)).size).toBe(SETTING_NAMES.length)
  })

  it('has defaults that are valid values', () => {
    for (const name of SETTING_NAMES) {
      const value = SETTINGS[name].fallback({ cwd: '/', ...machine }, {})
      expect(SETTINGS[name].schema.safeParse(value), name).toMatchObject({ success: true })
    }
  })

  it('is what docs/configuration.md says', () => {
    const path = new URL('../../../docs/configuration.md', import.meta.url)
    expect(readFileSync(path, 'utf8'), 'run: node --import tsx scripts/docs.mjs').toBe(configurationDocument())
  })
})

describe('nearest', () => {
  it('finds the name with the fewest edits', () => {
    expect(nearest('HEARTH_REGIN', ['HEARTH_PORT', 'HEARTH_REGION'])).toBe('HEARTH_REGION')
  })
})

describe('an address that other machines reach', () => {
  it('is refused until the operator says that everybody may use the host', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.7', 'lambda.example.org']) {
      expect(problems({ env: { HEARTH_HOST: host } })).toEqual([
        `HEARTH_HOST is ${host}, which other machines can reach. Hearth does not authenticate requests: anyone who reaches the host can run code on this machine. If you want that, add --allow-anonymous or set HEARTH_ALLOW_ANONYMOUS=on.`,
      ])
      expect(load({ flags: { host, allowAnonymous: 'on' } }).config.allowAnonymous).toBe(true)
    }
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) expect(problems({ flags: { host } })).toEqual([])
  })
})

describe('the origins of web pages that may call the API', () => {
  it('are named one by one', () => {
    const env = { HEARTH_ALLOWED_ORIGINS: 'https://app.example.org, http://localhost:3000' }
    expect(load({ env }).config.allowedOrigins).toEqual(['https://app.example.org', 'http://localhost:3000'])
    for (const origin of ['*', 'null', 'https://*.example.org', 'https://a.example/path', 'app.example.org']) {
      expect(problems({ env: { HEARTH_ALLOWED_ORIGINS: origin } })[0], origin).toContain('* and null cannot be allowed')
    }
  })
})

it('names of the host are names, without port', () => {
  expect(load({ env: { HEARTH_PUBLIC_NAMES: 'a.example,b.example' } }).config.publicNames).toHaveLength(2)
  for (const name of ['a.example:9000', '*.example', 'http://a.example']) {
    expect(problems({ env: { HEARTH_PUBLIC_NAMES: name } }), name).toHaveLength(1)
  }
})

it('functions may not reach the port of the host', () => {
  expect(problems({ flags: { port: '9100', functionReach: '5432,9100' } })).toEqual([
    "--function-reach names port 9100, which is the host's own port. Functions could then reach the operator's pages. They can call the Lambda API at AWS_ENDPOINT_URL_LAMBDA instead.",
  ])
  expect(problems({ flags: { functionReach: '9000' } })).toHaveLength(1)
})
