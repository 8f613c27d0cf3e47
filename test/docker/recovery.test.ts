/** The host is killed in the middle of its work and started again. */
import { realpathSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/sandbox/docker/engine/client.ts'
import { digest, LABELS } from '../../src/sandbox/docker/engine/labels.ts'
import { createFunction, invoke } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { type HostProcess, startHostProcess } from '../support/host-process.ts'
import { until } from '../support/until.ts'

const docker = connect()
let data: string
let host: HostProcess | undefined
let counter: Server
/** Request ids of events that functions say they ran. */
const executed: string[] = []
let open = false
let env: Record<string, string>

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hearth-recovery-'))
  counter = createServer((request, response) => {
    executed.push(request.url!.slice(1))
    response.end(open ? 'open' : 'shut')
  })
  await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve))
  const { port } = counter.address() as AddressInfo
  env = { HEARTH_FUNCTION_REACH: String(port), HEARTH_FUNCTION_ENV_GATE: `http://host.docker.internal:${port}` }
})
afterAll(async () => {
  await host?.end('SIGTERM')
  counter.close()
  await rm(data, { recursive: true, force: true })
})

const reporting = `
exports.handler = async (event, context) => {
  for (;;) {
    const answer = await fetch(process.env.GATE + '/' + context.awsRequestId)
    if (event.quick || (await answer.text()) === 'open') return 'done'
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}`

/** Everything of this data folder's hosts in the engine and on this machine, by name; other hosts have their own. */
async function traces(): Promise<{ containers: string[]; networks: string[]; mounts: string[] }> {
  const labelled = { label: [`${LABELS.data}=${digest(realpathSync(data), 16)}`] }
  const [containers, networks, mountinfo] = await Promise.all([
    docker.listContainers({ all: true, filters: labelled }),
    docker.listNetworks({ filters: labelled }),
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
  ])
  return {
    containers: containers.map(({ Id }) => Id),
    networks: networks.map(({ Id }) => Id),
    mounts: mountinfo.split('\n').filter((line) => line.includes(data)),
  }
}

describe('a host that is killed with SIGKILL while invocations run', () => {
  it('executes accepted events after the next start and leaves nothing of the earlier instance', async () => {
    host = await startHostProcess(data, env)
    let client = testClient(host.url)
    await createFunction(client, 'reporting', { 'index.js': reporting }, { Timeout: 300 })
    const running = invoke(client, 'reporting').catch((error: Error) => error)
    const accepted: string[] = []
    for (let i = 0; i < 5; i++) {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: 'reporting', InvocationType: 'Event', Payload: '{}' }),
      )
      expect(answer.StatusCode).toBe(202)
      accepted.push(answer.$metadata.requestId!)
    }
    await until(() => executed.length > 0)
    const before = await traces()
    expect(before.containers.length).toBeGreaterThan(0)

    await host.end('SIGKILL')
    expect(await running).toBeInstanceOf(Error)
    client.destroy()
    executed.length = 0
    open = true
    host = await startHostProcess(data, env)
    client = testClient(host.url)

    await until(() => accepted.every((id) => executed.includes(id)))
    const after = await traces()
    expect(after.containers.filter((id) => before.containers.includes(id))).toEqual([])
    expect(after.networks.filter((id) => before.networks.includes(id))).toEqual([])
    expect(after.mounts.filter((line) => before.mounts.includes(line))).toEqual([])
    expect((await invoke(client, 'reporting', { quick: true })).body).toBe('done')
    client.destroy()
  })

  it('leaves no container, network or mount when it is stopped with SIGTERM', async () => {
    const during = await traces()
    await host!.end('SIGTERM')
    host = undefined
    const after = await traces()
    expect(after.containers.filter((id) => during.containers.includes(id))).toEqual([])
    expect(after.networks.filter((id) => during.networks.includes(id))).toEqual([])
    expect(after.mounts).toEqual([])
  })
})
