/**
 * What a large registry costs: GetFunction, a page of ListFunctions, CreateFunction and a warm invoke on a host with many functions of five
 * versions each, against a host with ten, and the memory of the host: `npm run bench:registry [-- functions [rounds]]`.
 *
 * Ends with status 1 when something takes more than 1.5 times as long, or the host more than 300 MB.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import type { FunctionKey } from '../src/lambda/function.ts'
import { openStore } from '../src/store/open.ts'
import { validConfiguration } from '../test/support/configuration.ts'
import { createFunction, ROLE, zipped } from '../test/support/functions.ts'
import { testClient } from '../test/support/host.ts'
import { median, oneCaller } from './load.ts'
import { HANDLER, RUNTIME, type Setting, setUp } from './setting.ts'

const FUNCTIONS = Number(process.argv[2] ?? 500)
const ROUNDS = Number(process.argv[3] ?? 5)
const BASELINE = 10
const VERSIONS = 5
const RATIO_MAX = 1.5
const MEMORY_MAX_MB = 300
/** Calls of each kind in one round; creations cost more. */
const CALLS = { read: 100, create: 10, invoke: 200 }
/** A round that something else on the machine disturbed must not decide: more rounds are added before the verdict. */
const ATTEMPTS = 3

/** Writes functions as a host would have, without the calls. */
async function fill(data: string, functions: number): Promise<void> {
  const store = await openStore(join(data, 'hearth.db'))
  const configuration = validConfiguration({
    runtime: RUNTIME,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    environment: { STAGE: 'bench', TABLE: 'a-table-with-a-name' },
    codeSha256: Buffer.alloc(32).toString('base64'),
  })
  const add = async (number: number) => {
    const key: FunctionKey = {
      account: '000000000000',
      region: 'us-east-1',
      name: `f-${String(number).padStart(6, '0')}`,
    }
    let { latest } = await store.functions.create(
      key,
      { configuration, tags: { team: 'blue' }, publish: true },
      Date.now(),
    )
    await store.functions.completeUpdate(key, latest.deploymentId, { ok: true })
    for (let version = 2; version <= VERSIONS; version++) {
      const change = () => ({ ...configuration, description: `version ${version}` })
      latest = (await store.functions.beginUpdate(key, { change, publish: true }, Date.now())).latest
      await store.functions.completeUpdate(key, latest.deploymentId, { ok: true })
    }
  }
  for (let number = 0; number < functions; number++) {
    await add(number)
    if (number > 0 && number % 1000 === 0) process.stderr.write(`${number} of ${functions} functions written\n`)
  }
  await store.close()
}

interface Host {
  readonly name: string
  readonly functions: number
  readonly setting: Setting
  readonly client: LambdaClient
}

async function start(name: string, functions: number): Promise<Host> {
  const setting = await setUp({}, (data) => fill(data, functions))
  const client = testClient(setting.host.url)
  await createFunction(client, 'bench', { 'index.js': HANDLER }, { Runtime: RUNTIME, MemorySize: 1769 })
  return { name, functions, setting, client }
}

/** Milliseconds of each of `count` calls. */
async function timed(count: number, call: (i: number) => Promise<Response>): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    const answer = await call(i)
    const body = await answer.text()
    latencies.push(performance.now() - began)
    if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${body}`)
  }
  return latencies
}

const PATH = '/2015-03-31/functions'
const KINDS = ['GetFunction', 'ListFunctions, a page', 'CreateFunction', 'warm invoke'] as const
let created = 0
const code = Buffer.from(await zipped({ 'index.js': HANDLER })).toString('base64')

async function measure({ setting, client, functions }: Host): Promise<Record<(typeof KINDS)[number], number>> {
  const { url } = setting.host
  const any = (i: number) => `f-${String((i * 7919) % functions).padStart(6, '0')}`
  const read = await timed(CALLS.read, (i) => fetch(`${url}${PATH}/${any(i)}`))
  const page = await timed(CALLS.read, () => fetch(`${url}${PATH}?MaxItems=10`))
  const names: string[] = []
  const creations = await timed(CALLS.create, () => {
    const FunctionName = `new-${created++}`
    names.push(FunctionName)
    const body = { FunctionName, Runtime: RUNTIME, Handler: 'index.handler', Role: ROLE, Code: { ZipFile: code } }
    return fetch(`${url}${PATH}`, { method: 'POST', body: JSON.stringify(body) })
  })
  for (const FunctionName of names) await client.send(new DeleteFunctionCommand({ FunctionName }))
  const invokes = await oneCaller({ name: 'bench', url: `${url}${PATH}/bench/invocations` }, CALLS.invoke)
  return {
    GetFunction: median(read),
    'ListFunctions, a page': median(page),
    CreateFunction: median(creations),
    'warm invoke': median(invokes),
  }
}

/** Resident memory of a process now and at its highest, in MB. */
function memory(pid: number | undefined): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

const hosts: Host[] = []
try {
  for (const [name, functions] of [
    ['few', BASELINE],
    ['many', FUNCTIONS],
  ] as const) {
    hosts.push(await start(name, functions))
  }
  const [few, many] = hosts as [Host, Host]
  const seen = new Map<string, number[]>()
  const of = (host: Host, kind: string) => median(seen.get(`${host.name} ${kind}`) ?? [])
  const ratio = (kind: string) => of(many, kind) / of(few, kind)

  for (const host of hosts) await measure(host)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (let round = 0; round < ROUNDS; round++) {
      for (const host of hosts) {
        for (const [kind, value] of Object.entries(await measure(host))) {
          const key = `${host.name} ${kind}`
          seen.set(key, [...(seen.get(key) ?? []), value])
        }
      }
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`)
    }
    if (KINDS.every((kind) => ratio(kind) <= RATIO_MAX)) break
  }

  const used = memory(many.setting.host.process.pid)
  const least = memory(few.setting.host.process.pid)
  const rows = KINDS.map(
    (kind) =>
      `| ${kind} | ${of(few, kind).toFixed(2)} ms | ${of(many, kind).toFixed(2)} ms | ${ratio(kind).toFixed(2)} |`,
  )
  process.stdout.write(
    `| median of interleaved rounds | ${BASELINE} functions | ${FUNCTIONS} functions | ratio |
| --- | --- | --- | --- |
${rows.join('\n')}

Memory of the host with ${FUNCTIONS} functions of ${VERSIONS} versions: ${used.now.toFixed(0)} MB, ${used.peak.toFixed(0)} MB at its highest;
with ${BASELINE} functions ${least.now.toFixed(0)} MB, ${least.peak.toFixed(0)} MB at its highest.
`,
  )
  const slow = KINDS.filter((kind) => ratio(kind) > RATIO_MAX)
  if (slow.length > 0 || used.now > MEMORY_MAX_MB) {
    const memoryToo = used.now > MEMORY_MAX_MB ? [`memory above ${MEMORY_MAX_MB} MB`] : []
    process.stderr.write(`over the limit: ${[...slow, ...memoryToo].join(', ')}\n`)
    process.exitCode = 1
  }
} finally {
  for (const { client, setting } of hosts) {
    client.destroy()
    await setting.end()
  }
}
