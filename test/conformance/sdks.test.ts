/**
 * The same short session through the AWS CLI, boto3 and the official SDKs for JavaScript v3, Go v2, Java 2.x and Rust, each a program of its
 * own that gets its SDK from its language's registry. Real host, real containers.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { zipped } from '../support/functions.ts'
import { fetchGo, GO } from '../support/go.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const SOURCES = resolve(import.meta.dirname, 'sdk')
/** Downloads and build products outlive a run. */
const BUILT = resolve(import.meta.dirname, '../../.hearth/test-tools/sdk')

/** Greets whom the event names, and shows what a layer brought, where there is one. */
const HANDLER = `
import { existsSync, readFileSync } from 'node:fs'
const greeting = existsSync('/opt/greeting') ? readFileSync('/opt/greeting', 'utf8') : undefined
export const handler = async (event) => ({ hello: event.name, greeting })
`

/** A build on two busy cores, with everything to download. */
const BUILD_TIMEOUT_MS = 900_000

let host: TestHost
let folder: string
/** Zips that the sessions upload. */
let code: string
let layer: string
beforeAll(async () => {
  host = await startTestHost()
  folder = await mkdtemp(join(tmpdir(), 'hearth-sdks-'))
  code = join(folder, 'code.zip')
  await writeFile(code, await zipped({ 'index.mjs': HANDLER }))
  layer = join(folder, 'layer.zip')
  await writeFile(layer, await zipped({ greeting: 'from a layer' }))
  await mkdir(BUILT, { recursive: true })
})
afterAll(async () => {
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function run(command: string, args: readonly string[], at: { cwd?: string; env?: object } = {}): Promise<string> {
  const options = { cwd: at.cwd, env: { ...process.env, ...at.env }, maxBuffer: 64 * 1024 * 1024 }
  return (await promisify(execFile)(command, args, options)).stdout
}

/** Major and minor version that a command prints; undefined where there is none. */
async function versionOf(command: string, ...args: string[]): Promise<readonly [number, number] | undefined> {
  const text = await run(command, args).catch(() => '')
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor)]
}

/** What keeps an SDK from being built here; undefined when nothing does. */
async function lacks(
  tool: string,
  needed: readonly [number, number],
  ...versionArgs: string[]
): Promise<string | undefined> {
  const found = await versionOf(tool, ...versionArgs)
  if (found === undefined) return `there is no ${tool} on this machine`
  const enough = found[0] > needed[0] || (found[0] === needed[0] && found[1] >= needed[1])
  return enough ? undefined : `the SDK needs ${tool} ${needed.join('.')}, this machine has ${found.join('.')}`
}

const build = {
  async go() {
    const program = join(BUILT, 'go-session')
    const go = (await lacks('go', GO.needed, 'version')) === undefined ? 'go' : await fetchGo(BUILT)
    const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }
    await run(go, ['build', '-o', program, '.'], { cwd: join(SOURCES, 'go'), env })
    return [program]
  },

  async java() {
    const libraries = join(BUILT, 'java')
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`], {
      cwd: join(SOURCES, 'java'),
    })
    return ['java', '-cp', `${libraries}/*`, join(SOURCES, 'java/Session.java')]
  },

  async rust() {
    const project = join(BUILT, 'rust')
    await cp(join(SOURCES, 'rust'), project, { recursive: true })
    // versions.lock is a Cargo.lock without the lines that say from which registry: cargo's own one says it for this machine.
    await rm(join(project, 'Cargo.lock'), { force: true })
    await run('cargo', ['generate-lockfile', '--quiet'], { cwd: project })
    const [source = ''] = /^source = .*$/m.exec(await readFile(join(project, 'Cargo.lock'), 'utf8')) ?? []
    const versions = await readFile(join(project, 'versions.lock'), 'utf8')
    await writeFile(join(project, 'Cargo.lock'), versions.replace(/^checksum = /gm, `${source}\nchecksum = `))
    await run('cargo', ['build', '--quiet', '--locked'], {
      cwd: project,
      env: { CARGO_TARGET_DIR: join(project, 'target') },
    })
    return [join(project, 'target/debug/session')]
  },
}

const nothing = async () => undefined

const CLIENTS = [
  {
    client: 'the AWS CLI',
    name: 'aws-cli',
    built: async () => ['bash', join(SOURCES, 'cli/session.sh')],
    missing: nothing,
  },
  {
    client: 'boto3',
    name: 'boto3',
    built: async () => ['python3', join(SOURCES, 'python/session.py')],
    missing: nothing,
  },
  {
    client: 'the SDK for JavaScript v3',
    name: 'javascript-sdk',
    built: async () => [process.execPath, '--import', 'tsx', join(SOURCES, 'javascript/session.ts')],
    missing: nothing,
  },
  { client: 'the SDK for Go v2', name: 'go-sdk', built: build.go, missing: () => lacks('go', [1, 16], 'version') },
  {
    client: 'the SDK for Java 2.x',
    name: 'java-sdk',
    built: build.java,
    missing: async () => (await lacks('mvn', [3, 6], '--version')) ?? lacks('java', [17, 0], '--version'),
  },
  {
    client: 'the SDK for Rust',
    name: 'rust-sdk',
    built: build.rust,
    missing: () => lacks('cargo', [1, 95], '--version'),
  },
]

/** What a session prints, step by step. */
function stepsOf(name: string) {
  const account = 'us-east-1:000000000000'
  const arn = `arn:aws:lambda:${account}:function:${name}`
  return {
    create: { arn },
    'wait and invoke': { status: '200', payload: '{"hello":"you"}' },
    version: { version: '1' },
    alias: { alias: `${arn}:live`, executed: '1', through: '{"hello":"alias"}' },
    layer: {
      layer: `arn:aws:lambda:${account}:layer:${name}:1`,
      layered: '{"hello":"layer","greeting":"from a layer"}',
    },
    policy: {
      policy: JSON.stringify({
        Version: '2012-10-17',
        Id: 'default',
        Statement: [
          {
            Sid: 's3',
            Effect: 'Allow',
            Principal: { Service: 's3.amazonaws.com' },
            Action: 'lambda:InvokeFunction',
            Resource: arn,
            Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' } },
          },
        ],
      }),
      unpolicied: 'ResourceNotFoundException',
    },
    tag: { tag: 'blue' },
    page: { versions: '$LATEST,1' },
    delete: { missing: 'ResourceNotFoundException', text: `Function not found: ${arn}` },
  }
}

describe.each(CLIENTS)('$client', ({ name, built, missing }) => {
  const steps = Object.entries(stepsOf(name))
  it(`runs the session: ${steps.map(([step]) => step).join(', ')}`, { timeout: BUILD_TIMEOUT_MS }, async (test) => {
    const reason = await missing()
    if (reason !== undefined) test.skip(reason)
    const [command = '', ...args] = await built()
    const output = await run(command, [...args, host.url, code, layer])
    const said = new Map(output.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]))
    const seen = steps.map(([step, values]) => [
      step,
      Object.fromEntries(Object.keys(values).map((value) => [value, said.get(value)])),
    ])
    expect(Object.fromEntries(seen)).toEqual(stepsOf(name))
  })
})
