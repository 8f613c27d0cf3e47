/** Provisioned concurrency on real containers. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateAliasCommand,
  DeleteFunctionConcurrencyCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { type RunningHost, startHost } from '../../src/main.ts'
import { active, createFunction, invoke, zipped } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { until } from '../support/until.ts'

let data: string
let host: RunningHost
let client: LambdaClient
let gate: Server
let open = false

async function start(): Promise<void> {
  const { config, sources } = loadConfig({ flags: {}, env: {}, cwd: data })
  const { port } = gate.address() as AddressInfo
  const functionEnv = { GATE: `http://host.docker.internal:${port}` }
  const given = { ...config, data, port: 0, functionReach: [port], functionEnv }
  host = await startHost(given, { log: pino({ level: 'silent' }), sources })
  client = testClient(host.url)
}
async function stop(): Promise<void> {
  client.destroy()
  await host.close()
}
beforeAll(async () => {
  gate = createServer((_request, response) => response.end(open ? 'open' : 'shut'))
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  data = await mkdtemp(join(tmpdir(), 'hearth-test-'))
  await start()
})
afterAll(async () => {
  await stop()
  gate.close()
  await rm(data, { recursive: true, force: true })
})

const PROVISIONED = 10

/** Each invocation runs until the test opens the gate. */
const code = (text: string) => ({
  'index.js': `exports.handler = async () => {
    for (;;) {
      const answer = await fetch(process.env.GATE)
      if ((await answer.text()) === 'open') break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return { text: '${text}', type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE }
  }`,
})

const status = async () =>
  client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: 'kept', Qualifier: 'live' }))
const ready = () => until(async () => (await status()).Status === 'READY')

interface Environment {
  readonly version: string
  readonly state: string
  readonly initializationType: string
}

async function environments(version: string): Promise<Environment[]> {
  const all = (await (await fetch(`${host.url}/_hearth/environments`)).json()) as Environment[]
  return all.filter((one) => one.version === version)
}
const kept = (all: Environment[]) =>
  all.filter(({ state, initializationType }) => state === 'Idle' && initializationType === 'provisioned-concurrency')

const once = () => invoke(client, 'kept', {}, { Qualifier: 'live', LogType: 'Tail' })

const byNumber = async (Qualifier: string) => (await invoke(client, 'kept', {}, { Qualifier })).body

/** So many invocations, all of them running at the same time, and `meanwhile` beside them. */
async function parallel(count: number, version: string, meanwhile: () => Promise<void> = async () => {}) {
  open = false
  const calls = Array.from({ length: count }, once)
  await until(async () => (await environments(version)).filter(({ state }) => state === 'Invoke').length === count)
  await meanwhile()
  open = true
  return Promise.all(calls)
}

describe(`provisioned concurrency ${PROVISIONED} on an alias`, () => {
  it('serves the first ten parallel invocations without an Init Duration; the eleventh starts cold', async () => {
    await createFunction(client, 'kept', code('one'), { Timeout: 30 })
    await client.send(new PublishVersionCommand({ FunctionName: 'kept' }))
    await client.send(new CreateAliasCommand({ FunctionName: 'kept', Name: 'live', FunctionVersion: '1' }))
    await client.send(
      new PutProvisionedConcurrencyConfigCommand({
        FunctionName: 'kept',
        Qualifier: 'live',
        ProvisionedConcurrentExecutions: PROVISIONED,
      }),
    )
    await ready()
    expect(await status()).toMatchObject({
      AllocatedProvisionedConcurrentExecutions: PROVISIONED,
      AvailableProvisionedConcurrentExecutions: PROVISIONED,
    })
    const answers = await parallel(PROVISIONED + 1, '1')
    const types = answers.map(({ body }) => (body as { type: string }).type).sort()
    expect(types).toEqual(['on-demand', ...Array.from({ length: PROVISIONED }, () => 'provisioned-concurrency')])
    for (const { body, log } of answers) {
      expect(log.includes('Init Duration')).toBe((body as { type: string }).type === 'on-demand')
    }
    const metrics = await (await fetch(`${host.url}/_hearth/metrics`)).text()
    const of = 'account="000000000000",region="us-east-1",function="kept"'
    expect(metrics).toContain(`hearth_provisioned_concurrency_invocations_total{${of}} 10`)
    expect(metrics).toContain(`hearth_provisioned_concurrency_spillover_invocations_total{${of}} 1`)
    expect(metrics).toContain(`hearth_provisioned_concurrency{${of},qualifier="live",count="available"} 10`)
  })

  it('is all that runs when it is all of the reserved concurrency: the eleventh invocation is throttled', async () => {
    const reserved = { FunctionName: 'kept', ReservedConcurrentExecutions: PROVISIONED }
    await client.send(new PutFunctionConcurrencyCommand(reserved))
    const answers = await parallel(PROVISIONED, '1', async () => {
      await expect(once()).rejects.toMatchObject({
        name: 'TooManyRequestsException',
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      })
    })
    for (const { log } of answers) expect(log).not.toContain('Init Duration')
    await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'kept' }))
  })

  it('is there again after a restart of the host', async () => {
    await stop()
    await start()
    await ready()
    for (const { body, log } of await parallel(PROVISIONED, '1')) {
      expect(body).toEqual({ text: 'one', type: 'provisioned-concurrency' })
      expect(log).not.toContain('Init Duration')
    }
  })

  it('moves with the alias, and never has fewer environments than before', async () => {
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: 'kept', ZipFile: await zipped(code('two')) }))
    await active(client, 'kept')
    await client.send(new PublishVersionCommand({ FunctionName: 'kept' }))
    // It leaves an environment on demand, which must not be preferred to those of provisioned concurrency later.
    expect(await byNumber('2')).toEqual({ text: 'two', type: 'on-demand' })
    await client.send(new UpdateAliasCommand({ FunctionName: 'kept', Name: 'live', FunctionVersion: '2' }))
    let fewest = Number.POSITIVE_INFINITY
    await until(async () => {
      const [old, fresh] = [await environments('1'), await environments('2')]
      fewest = Math.min(fewest, Math.max(kept(old).length, kept(fresh).length))
      return old.length === 0 && kept(fresh).length === PROVISIONED
    })
    expect(fewest).toBe(PROVISIONED)
    await ready()
    for (const { body } of await parallel(PROVISIONED, '2'))
      expect(body).toEqual({ text: 'two', type: 'provisioned-concurrency' })
    // Recorded: alias and version share the environments.
    expect((await once()).body).toEqual({ text: 'two', type: 'provisioned-concurrency' })
    expect(await byNumber('2')).toEqual({ text: 'two', type: 'provisioned-concurrency' })
    expect(await byNumber('1')).toEqual({ text: 'one', type: 'on-demand' })
  })
})
