import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renderError } from '../../../../src/api/http/errors.ts'
import { type HttpServer, serveHttp } from '../../../../src/api/http/server.ts'
import { Uploads } from '../../../../src/api/http/uploads.ts'
import type { InvokeHandler } from '../../../../src/api/invoke/invoke.ts'
import { readPayload } from '../../../../src/api/invoke/invoke-call.ts'
import { apiListener } from '../../../../src/api/listener.ts'
import { Budget, type BudgetRules } from '../../../../src/http/budget.ts'
import { LambdaException } from '../../../../src/lambda/errors.ts'
import { until } from '../../../support/until.ts'

const MIB = 1024 * 1024
const INVOKE = '/2015-03-31/functions/f/invocations'

let server: HttpServer | undefined
let clients: Socket[]
beforeEach(() => {
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  await server?.close(0)
})

const invoke: InvokeHandler = async (call) => {
  const payload = await readPayload(call, (bytes) => new LambdaException('ServiceException', String(bytes))).catch(
    (error: LambdaException) => error,
  )
  if (payload instanceof LambdaException) return { status: payload.status, headers: {}, body: payload.message }
  return { status: 200, headers: {}, body: String(payload.length) }
}

/** Answers an upload when the test says so, and Invoke at once. */
async function serving(rules: Partial<BudgetRules> = {}) {
  const begun: (() => void)[] = []
  const uploads = new Uploads()
  const app = new Hono().post('/upload', async (c) =>
    c.json(
      await uploads.run(c, 'CreateFunction', async (json) => {
        await new Promise<void>((end) => begun.push(end))
        return Object.keys(json as object)
      }),
    ),
  )
  app.onError((error) => renderError(error, 'id', { error: () => {} }))
  const budget = new Budget({ bytes: 5 * MIB, lent: 6 * MIB, ...rules })
  const caller = { account: '111111111111', region: 'us-east-1' }
  const listener = apiListener(app, { invoke, caller, log: { error: () => {} } })
  server = await serveHttp(listener, { host: '127.0.0.1', port: 0, budget })
  return { begun, budget, url: server.url }
}

const upload = (url: string, bytes: number) =>
  fetch(`${url}/upload`, { method: 'POST', body: JSON.stringify({ zip: 'x'.repeat(bytes) }) })

/** A client that announces a body and sends only a part of it. */
async function half(url: string, path: string, announced: number, sent: number): Promise<Socket> {
  const client = connect(Number(new URL(url).port), '127.0.0.1')
  clients.push(client)
  client.on('error', () => {})
  await once(client, 'connect')
  client.write(`POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: ${announced}\r\n\r\n`)
  client.write(Buffer.alloc(sent, ' '))
  return client
}

describe('uploads', () => {
  it('are counted until they are worked on to the end; beyond the budget they wait, and small ones do not', async () => {
    const { begun, budget, url } = await serving()
    const large = [1, 2, 3, 4, 5, 6, 7, 8].map(() => upload(url, 2 * MIB))
    await until(() => begun.length >= 3)
    const held: number[] = []
    const small = upload(url, 10)
    for (let i = 0; i < 9; i++) {
      await until(() => begun.length > i)
      held.push(budget.bytes)
      begun[i]!()
    }
    expect(await (await small).json()).toEqual(['zip'])
    for (const answer of await Promise.all(large)) expect(answer.status).toBe(200)
    expect(Math.max(...held)).toBeLessThanOrEqual(11 * MIB)
    expect(budget.bytes).toBe(0)
  })

  it('may take long to be worked on', async () => {
    const { begun, url } = await serving({ leastRate: 1e9, graceMs: 100, totalMs: 500 })
    const answer = upload(url, 2 * MIB)
    await until(() => begun.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    begun[0]!()
    expect((await answer).status).toBe(200)
  })

  it('come to their end beside many clients that announce much and send a byte now and then', async () => {
    const { begun, url } = await serving()
    const hostile = await Promise.all(Array.from({ length: 20 }, () => half(url, '/upload', 70 * MIB, 400_000)))
    const drip = setInterval(() => {
      for (const client of hostile) client.write(' ')
    }, 100)
    try {
      const answers = [upload(url, 4 * MIB), upload(url, 3 * MIB)]
      for (let i = 0; i < 2; i++) {
        await until(() => begun.length > i)
        begun[i]!()
      }
      for (const answer of answers) expect((await answer).status).toBe(200)
    } finally {
      clearInterval(drip)
    }
  })

  it('give their room back when their client leaves, also one that waits for room', async () => {
    const { begun, budget, url } = await serving()
    const [first, second] = [await half(url, '/upload', 8 * MIB, 6 * MIB), await half(url, '/upload', 8 * MIB, 6 * MIB)]
    await until(() => budget.bytes > 5 * MIB)
    first.destroy()
    second.destroy()
    await until(() => budget.bytes === 0)
    const next = upload(url, 4 * MIB)
    await until(() => begun.length === 1)
    begun[0]!()
    expect((await next).status).toBe(200)
  })

  it('are refused, for another try, when no room comes free in time', async () => {
    const { begun, budget, url } = await serving({ waitMs: 300, lent: 3 * MIB })
    const working = [upload(url, 4 * MIB), upload(url, 3 * MIB)]
    await until(() => begun.length === 2)
    const { status, headers } = await upload(url, 2 * MIB)
    expect([status, headers.get('x-amzn-errortype')]).toEqual([429, 'TooManyRequestsException'])
    for (const end of begun) end()
    for (const answer of await Promise.all(working)) expect(answer.status).toBe(200)
    expect(budget.bytes).toBe(0)
  })
})

describe('a body that comes too slowly', () => {
  it.each(['/upload', INVOKE])('is given up, with an answer that says so: %s', async (path) => {
    const { budget, url } = await serving({ graceMs: 300, leastRate: 1000 })
    const client = await half(url, path, 1000, 10)
    const drip = setInterval(() => client.write(' '), 50)
    const [answer] = (await once(client.setEncoding('utf8'), 'data')) as [string]
    clearInterval(drip)
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('The request body arrived too slowly.')
    expect(budget.bytes).toBe(0)
  })
})

describe('Invoke', () => {
  it('is counted when it comes in parts: a hundred half-sent ones hold no more than the budget', async () => {
    const { budget, url } = await serving()
    await Promise.all(Array.from({ length: 100 }, () => half(url, INVOKE, 6 * MIB, MIB)))
    await until(() => budget.bytes > 4 * MIB)
    const answer = await fetch(url + INVOKE, { method: 'POST', body: Buffer.alloc(5 * MIB, ' ') })
    expect(await answer.text()).toBe(String(5 * MIB))
    expect(budget.bytes).toBeLessThanOrEqual(5 * MIB + 6 * MIB)
  })

  it('that comes whole is not counted, and waits for nobody', async () => {
    const { budget, url } = await serving({ bytes: 1 })
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    clients.push(client)
    client.write(`POST ${INVOKE} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`)
    expect(await text(client)).toMatch(/^HTTP\/1.1 200 /)
    expect(budget.bytes).toBe(0)
  })
})
