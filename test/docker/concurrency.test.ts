/** Fifty first invocations at once under an account limit of twenty. */
import { realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/sandbox/docker/engine/client.ts'
import { digest } from '../../src/sandbox/docker/engine/labels.ts'
import { createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { until } from '../support/until.ts'

let host: TestHost
let gate: Server
let open = false
beforeAll(async () => {
  gate = createServer((_request, response) => response.end(open ? 'open' : 'shut'))
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  const { port } = gate.address() as AddressInfo
  host = await startTestHost({
    accountConcurrency: 20,
    unreservedMinimum: 0,
    functionReach: [port],
    functionEnv: { GATE: `http://host.docker.internal:${port}` },
  })
})
afterAll(async () => {
  gate.close()
  await host?.stop()
})

/** Each invocation runs until the test opens the gate. */
const held = `
exports.handler = async () => {
  for (;;) {
    const answer = await fetch(process.env.GATE)
    if ((await answer.text()) === 'open') return 'done'
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}`

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${host.url}/_hearth/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

describe('under an account limit of 20', () => {
  it('20 of 50 parallel first invocations run and 30 are refused at once with the Reason', async () => {
    await createFunction(host.client, 'held', { 'index.js': held }, { Timeout: 120 })
    let answered = 0
    let most = 0
    const calls = Array.from({ length: 50 }, () => invoke(host.client, 'held').finally(() => answered++))
    const outcomes = Promise.allSettled(calls)
    await until(async () => {
      const running = await metric('hearth_concurrent_executions')
      most = Math.max(most, running)
      return answered === 30 && running === 20
    })
    open = true
    const settled = await outcomes
    const refused = settled.filter((each) => each.status === 'rejected').map((each) => each.reason)
    expect(settled.filter((each) => each.status === 'fulfilled' && each.value.body === 'done')).toHaveLength(20)
    expect(refused).toHaveLength(30)
    for (const error of refused) {
      expect(error).toMatchObject({
        name: 'TooManyRequestsException',
        message: 'Rate Exceeded.',
        Reason: 'ConcurrentInvocationLimitExceeded',
        Type: 'User',
        $metadata: { httpStatusCode: 429 },
      })
    }
    expect(most).toBe(20)
  })

  it('a function with reserved concurrency 0 is refused with its own Reason', async () => {
    await createFunction(host.client, 'reserved', { 'index.js': held })
    await host.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'reserved', ReservedConcurrentExecutions: 0 }),
    )
    await expect(invoke(host.client, 'reserved')).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    })
  })

  it('a stopped host leaves no container behind', async () => {
    const docker = connect()
    const ours = { label: [`hearth.data=${digest(realpathSync(host.data), 16)}`] }
    expect(await docker.listContainers({ all: true, filters: ours })).not.toHaveLength(0)
    await host.stop()
    expect(await docker.listContainers({ all: true, filters: ours })).toHaveLength(0)
  })
})
