import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HttpServer, serveHttp } from '../../../src/api/http/server.ts'
import type { InvokeHandler } from '../../../src/api/invoke/invoke.ts'
import { readPayload } from '../../../src/api/invoke/invoke-call.ts'
import { apiListener } from '../../../src/api/listener.ts'
import { LambdaException } from '../../../src/lambda/errors.ts'

const CALLER = { account: '111111111111', region: 'us-east-1' }

/** Answers with what it was asked. */
const echo: InvokeHandler = async (call, caller) => ({
  status: 200,
  headers: { 'X-Direct': 'yes' },
  body: JSON.stringify({
    name: call.name,
    qualifier: call.query('Qualifier'),
    body: Buffer.from(
      await readPayload(call, (bytes) => new LambdaException('ServiceException', String(bytes))),
    ).toString(),
    ...caller,
  }),
})

const logged: string[] = []
let server: HttpServer
let invoke: InvokeHandler
beforeEach(async () => {
  invoke = echo
  const api = new Hono().all('*', (c) => c.text(`api ${c.req.method} ${c.req.path}`))
  const listener = apiListener(api, {
    invoke: (call, caller) => invoke(call, caller),
    caller: CALLER,
    log: { error: (_detail, message) => logged.push(message) },
  })
  server = await serveHttp(listener, { host: '127.0.0.1', port: 0 })
})
afterEach(() => server.close(0))

const post = (path: string, init: RequestInit = {}) => fetch(server.url + path, { method: 'POST', body: '{}', ...init })
const INVOKE = '/2015-03-31/functions'

describe('Invoke', () => {
  it.each([
    ['/f/invocations', { name: 'f' }],
    ['/f/invocations/', { name: 'f' }],
    ['/f/invocations?Qualifier=a%20b&x=1', { name: 'f', qualifier: ['a b'] }],
    ['/f/invocations/?Qualifier=one&Qualifier=two', { qualifier: ['one', 'two'] }],
    [
      '/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations',
      { name: 'arn:aws:lambda:us-east-1:1:function:f' },
    ],
    ['/invocations/invocations', { name: 'invocations' }],
    ['/f%2Fg/invocations', { name: 'f/g' }],
  ])('is answered without the router: %s', async (path, asked) => {
    const answer = await post(INVOKE + path)
    expect(answer.headers.get('x-direct')).toBe('yes')
    expect(await answer.json()).toMatchObject({ ...asked, ...CALLER, body: '{}' })
  })

  it.each([
    '/f/invocations/x',
    '/f/g/invocations',
    '//invocations',
    '/invocations',
    '/f/invocationsx',
    '/%E0%A4%A/invocations',
    '/f/invocations//',
    '?x=/f/invocations',
    '/f?x=/invocations',
  ])('is left to the router: %s', async (path) => {
    const answer = await post(INVOKE + path)
    expect(answer.headers.get('x-direct')).toBe(null)
    expect(await answer.text()).toContain('api POST')
  })

  it('is a POST', async () => {
    expect(await (await fetch(`${server.url}${INVOKE}/f/invocations`)).text()).toContain('api GET')
  })

  it('is made by the account and in the region of its signature, in the header or in the URL', async () => {
    const credential = (account: string) => `${account}/20260101/eu-west-1/lambda/aws4_request`
    const signed = { headers: { authorization: `AWS4-HMAC-SHA256 Credential=${credential('333333333333')}, x` } }
    const presigned = `?X-Amz-Credential=${encodeURIComponent(credential('444444444444'))}`
    const region = 'eu-west-1'
    expect(await (await post(`${INVOKE}/f/invocations`, signed)).json()).toMatchObject({
      account: '333333333333',
      region,
    })
    expect(await (await post(`${INVOKE}/f/invocations${presigned}`)).json()).toMatchObject({
      account: '444444444444',
      region,
    })
    expect(await (await post(`${INVOKE}/f/invocations${presigned}`, signed)).json()).toMatchObject({
      account: '333333333333',
    })
  })

  it('answers 500 and logs when its handler is wrong or its answer cannot be sent', async () => {
    invoke = () => Promise.reject(new Error('a defect'))
    expect((await post(`${INVOKE}/f/invocations`)).status).toBe(500)
    expect(logged).toEqual(['a request failed: ServiceException'])
    invoke = async () => ({ status: 200, headers: { 'X-Bad': 'a\nb' } })
    expect((await post(`${INVOKE}/f/invocations`)).status).toBe(500)
    expect((await post('/other')).status).toBe(200)
  })

  it('tells how long its answer is', async () => {
    invoke = async () => ({ status: 200, headers: {}, body: 'gr\u00fcn' })
    expect((await post(`${INVOKE}/f/invocations`)).headers.get('content-length')).toBe('5')
  })
})

describe('a payload of one-byte chunks', () => {
  it('is held as the bytes that it has: a hundred times as much for each would let one caller fill the memory', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const held = () => {
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const body = Object.assign(new PassThrough(), { headers: {} }) as unknown as IncomingMessage
    const call = { name: 'f', headers: {}, query: () => undefined, body }
    const payload = readPayload(call, (bytes) => new LambdaException('ServiceException', String(bytes)))
    const before = held()
    for (let i = 0; i < 200_000; i++) body.emit('data', Buffer.from('x'))
    expect(held() - before).toBeLessThan(10_000_000)
    body.emit('end')
    expect(Buffer.from(await payload).equals(Buffer.alloc(200_000, 'x'))).toBe(true)
  })
})

describe('a request that is refused before its end', () => {
  const begin = `POST ${INVOKE}/f/invocations HTTP/1.1\r\nHost: here\r\nContent-Length: 400000000\r\n\r\n`

  it('is read on, so that the client gets the answer, until it is too much', async () => {
    invoke = async () => ({ status: 413, headers: { 'Content-Length': '0' } })
    const client = connect(Number(new URL(server.url).port), '127.0.0.1')
    client.write(begin)
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    const send = () => {
      while (!client.destroyed && sent < 400 * chunk.length) {
        sent += chunk.length
        if (!client.write(chunk)) return
      }
    }
    client.on('drain', send)
    client.on('error', () => {})
    send()
    expect(await text(client).catch(() => 'HTTP/1.1 413 cut off')).toContain('HTTP/1.1 413')
    expect(sent).toBeGreaterThan(200 * chunk.length)
    expect(sent).toBeLessThan(400 * chunk.length)
  })
})
