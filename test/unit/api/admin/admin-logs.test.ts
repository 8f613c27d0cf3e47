import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerLogs } from '../../../../src/api/admin/admin-logs.ts'
import { LogFiles } from '../../../../src/telemetry/log-files.ts'

/** The page with the files that it reads in production. */
const EVENTS = 25_000
const DEFAULTS = { account: '000000000000', region: 'us-east-1' }
let directory: string
let logs: LogFiles
const app = new Hono()
const ask = (query: string) => app.request(`/logs?function=f&${query}`)
const messages = async (answer: Response) =>
  (await answer.text())
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { message: string }).message]))

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hearth-admin-logs-'))
  logs = new LogFiles({ directory, log: { warn: () => {} } })
  const name = { ...DEFAULTS, group: '/aws/lambda/f', stream: 's' }
  for (let n = 0; n < EVENTS; n++) logs.append(name, [{ timestamp: n, message: `line ${n}` }])
  await logs.flush()
  app.get('/logs', (c) => answerLogs(c, { logs, caller: { accessKeys: {}, ...DEFAULTS } }))
})
afterAll(async () => {
  await logs.close()
  await rm(directory, { recursive: true })
})

describe('the limit of the logs', () => {
  it('is honoured: as many events as were asked for, the newest', async () => {
    expect(await messages(await ask('limit=24999'))).toEqual(Array.from({ length: 24_999 }, (_, n) => `line ${n + 1}`))
    expect(await messages(await ask('limit=100000'))).toHaveLength(EVENTS)
    expect(await messages(await ask('limit=2'))).toEqual(['line 24998', 'line 24999'])
  })

  it('is 10,000 where none is given', async () => {
    const given = await messages(await ask(''))
    expect(given).toHaveLength(10_000)
    expect(given.at(-1)).toBe('line 24999')
  })

  it('refuses more than 100,000 and says so', async () => {
    const answer = await ask('limit=100001')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ message: 'limit must be a number of events from 1 to 100000.' })
  })

  it('counts from the newest also for who follows', async () => {
    const answer = await ask('limit=12000&follow=1')
    const reader = answer.body!.getReader()
    let lines = 0
    while (lines < 12_000) {
      const { value } = await reader.read()
      lines += Buffer.from(value!).toString().split('\n').length - 1
    }
    expect(lines).toBe(12_000)
    await reader.cancel()
  })
})
