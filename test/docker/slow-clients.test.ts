/** A hostile function at the door of its sandbox: what the host holds for it, and what others notice. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createFunction, invoke } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { type HostProcess, startHostProcess } from '../support/host-process.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024

/** Opens connections that announce an Invoke of 6 MB each and send all of it but the last byte. */
const hostile = `
import { connect } from 'node:net'
export const handler = async ({ connections, seconds }) => {
  const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
  const size = 6 * 1024 * 1024
  const body = Buffer.alloc(size - 1, ' ')
  let open = 0
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect(Number(port), host, () => open++)
    socket.on('error', () => {})
    socket.on('close', () => open--)
    socket.write('POST /2015-03-31/functions/quiet/invocations HTTP/1.1\\r\\nHost: ' + host + '\\r\\nContent-Length: ' + size + '\\r\\n\\r\\n')
    socket.write(body)
    return socket
  })
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const left = open
  for (const socket of sockets) socket.destroy()
  return { left }
}`

const quiet = `export const handler = async (event) => event`

let data: string
let host: HostProcess
let client: LambdaClient
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hearth-slow-'))
  host = await startHostProcess(data)
  client = testClient(host.url)
  await createFunction(client, 'hostile', { 'index.mjs': hostile }, { MemorySize: 512 })
  await createFunction(client, 'quiet', { 'index.mjs': quiet }, { MemorySize: 512 })
})
afterAll(async () => {
  client?.destroy()
  await host?.end('SIGINT')
  await rm(data, { recursive: true, force: true })
})

/** Bytes of memory that the host has. */
async function resident(): Promise<number> {
  const status = await readFile(`/proc/${host.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

it('a hundred half-sent Invokes of one sandbox do not grow the host, and others are served as before', async () => {
  const payload = { text: 'x'.repeat(5 * MIB) }
  // Warm, with everything that such payloads need.
  for (let i = 0; i < 5; i++) await invoke(client, 'quiet', payload)
  await invoke(client, 'hostile', { connections: 1, seconds: 0 })
  const before = await resident()
  let highest = 0
  let done = false
  const attack = invoke(client, 'hostile', { connections: 100, seconds: 10 }).finally(() => {
    done = true
  })
  const watching = until(async () => {
    highest = Math.max(highest, await resident())
    return done
  }, 100)
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect((await invoke(client, 'quiet', payload)).body).toEqual(payload)
  await attack
  await watching
  expect(highest - before).toBeLessThan(64 * MIB)
})
