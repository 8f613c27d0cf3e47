import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Dockerode from 'dockerode'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connect } from '../../../../../src/sandbox/docker/engine/client.ts'
import { bounded } from '../../../../../src/sandbox/docker/engine/errors.ts'
import { EngineHealth } from '../../../../../src/sandbox/docker/engine/health.ts'
import { digestInRegistry } from '../../../../../src/sandbox/docker/images/registry/registry.ts'
import { until } from '../../../../support/until.ts'

/** An engine that takes every connection and answers nothing, on a real socket. */
let folder: string
let server: Server
let docker: Dockerode
let asked: ServerResponse[]
let open: number
let most: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-engine-'))
  asked = []
  open = 0
  most = 0
  server = createServer((_request, response) => void asked.push(response))
  server.on('connection', (socket) => {
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
  })
  const path = join(folder, 'docker.sock')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  vi.stubEnv('DOCKER_HOST', `unix://${path}`)
  docker = connect()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
  await until(() => open === 0)
  rmSync(folder, { recursive: true })
})

describe('a call of an engine that hangs', () => {
  const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    ping: () => docker.ping(),
    info: () => docker.info(),
    'look at a network': () => docker.getNetwork('n').inspect(),
    'join a network': () => docker.getNetwork('n').connect({ Container: 'c' }),
    'disconnect a container': () => docker.getNetwork('n').disconnect({ Container: 'c' }),
    'look at a container': () => docker.getContainer('c').inspect(),
    'look at a volume': () => docker.getVolume('v').inspect(),
    'look at an image': () => docker.getImage('i').inspect(),
    'ask a registry': () => docker.getImage('i').distribution(),
    'ask a registry, after its credentials': (signal) => digestInRegistry(docker, 'i', signal),
    'export a container': () => docker.getContainer('c').export(),
    "follow the engine's events": () => docker.getEvents(),
    pull: () => docker.pull('i'),
  }

  it.each(Object.keys(calls))('gives its connection back after its time: %s', async (name) => {
    await expect(bounded(100, name, calls[name]!)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await until(() => open === 0)
  })

  it('leaves what was answered in time alone, streams included', async () => {
    server.removeAllListeners('request')
    server.on('request', (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{"one":1}\n')
      asked.push(response)
    })
    const stream = await bounded(1000, 'follow', () => docker.getEvents())
    const chunks: string[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(String(chunk)))
    await new Promise((resolve) => setTimeout(resolve, 1200))
    asked[0]!.end('{"two":2}\n')
    await until(() => chunks.join('').includes('two'))
  })
})

describe('the health of an engine', () => {
  it('gives its connection back before it asks again while the engine hangs', async () => {
    const health = new EngineHealth(docker, { everyMs: 1, limitMs: 20 })
    await health.open()
    await until(() => asked.length >= 8)
    health.close()
    // The server may see the end of one only after the beginning of the next.
    expect(most).toBeLessThanOrEqual(2)
    expect(health.problem).toMatch(/no answer within/)
    await until(() => open === 0)
  })

  it('is what the last question says, not an older one that ends later', async () => {
    const health = new EngineHealth(docker, { everyMs: 1, limitMs: 200 })
    const opened = health.open()
    await until(() => asked.length === 1)
    // A question that hangs is over before the next one is asked.
    await opened
    await until(() => asked.length === 2)
    asked[1]!.end('OK')
    await until(() => health.problem === undefined)
    await until(() => asked.length === 3)
    asked[2]!.writeHead(500).end('{"message":"broken"}')
    await until(() => /broken/.test(health.problem ?? ''))
    health.close()
  })

  it('asks nothing after it was closed', async () => {
    const health = new EngineHealth(docker, { everyMs: 1, limitMs: 5 })
    await health.open()
    health.close()
    const before = asked.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked.length).toBeLessThanOrEqual(before + 1)
    await until(() => open === 0)
  })
})
