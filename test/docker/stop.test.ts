/** The stop of a real host: one deadline, and nothing begins after it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stopLimitMs } from '../../src/host/lifetime.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { active, createFunction } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { type HostProcess, startHostProcess } from '../support/host-process.ts'
import { until } from '../support/until.ts'

const DRAIN_S = 4
const EVENTS = 12
let data: string
let host: HostProcess
let client: LambdaClient
let gate: Server
/** Invocations that began, by what their event says. */
const began: string[] = []

/** Tells the test that it runs, and goes on for as long as its event says. */
const code = `
exports.handler = async ({ name, ms }) => {
  await fetch(process.env.GATE + '/' + name)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return name
}`

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'hearth-stop-'))
  gate = createServer((request, response) => {
    began.push(request.url!.slice(1))
    response.end()
  })
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  const { port } = gate.address() as AddressInfo
  host = await startHostProcess(data, {
    HEARTH_DRAIN_TIMEOUT: String(DRAIN_S),
    HEARTH_MAX_ENVIRONMENTS: '3',
    HEARTH_FUNCTION_REACH: String(port),
    HEARTH_FUNCTION_ENV_GATE: `http://host.docker.internal:${port}`,
  })
  client = testClient(host.url)
})
afterAll(async () => {
  client.destroy()
  if (host.process.exitCode === null) await host.end('SIGKILL')
  gate.closeAllConnections()
  gate.close()
  rmSync(data, { recursive: true, force: true })
})

describe('a stop with invocations that run and events that wait', () => {
  it('ends within its deadline, begins no event any more, and keeps those for the next start', async () => {
    for (const name of ['endless', 'quick']) {
      await createFunction(client, name, { 'index.js': code })
      await active(client, name)
    }
    const invoke = (name: string, event: object, type: 'Event' | 'RequestResponse') =>
      client.send(new InvokeCommand({ FunctionName: name, InvocationType: type, Payload: JSON.stringify(event) }))
    const endless = invoke('endless', { name: 'endless', ms: 55_000 }, 'RequestResponse').catch((error: Error) => error)
    for (let n = 0; n < EVENTS; n++) await invoke('quick', { name: `event-${n}`, ms: 1500 }, 'Event')
    // One environment runs the endless one, two run events, one after the other.
    await until(() => began.includes('endless') && began.filter((name) => name.startsWith('event')).length >= 3)
    const before = began.length
    const at = performance.now()
    await host.end('SIGINT')
    const took = performance.now() - at
    expect(host.process.exitCode).toBe(0)
    expect(took).toBeGreaterThan(DRAIN_S * 1000 - 500)
    expect(took).toBeLessThan(stopLimitMs(DRAIN_S) + 2000)
    // A request that was on its way when the signal was sent may still have arrived.
    expect(began.length - before).toBeLessThanOrEqual(2)
    await endless

    const { db, close } = await openSqlite(join(data, 'hearth.db'))
    const left = await db.selectFrom('events').select(['claimed']).execute()
    await close()
    expect(left.filter(({ claimed }) => claimed === 1)).toEqual([])
    // What began has ended, because there was time; the rest waits.
    expect(left).toHaveLength(EVENTS - (began.length - 1))
  })
})
