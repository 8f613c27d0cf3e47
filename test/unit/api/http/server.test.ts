import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { readJson } from '../../../../src/api/http/body.ts'
import { renderError } from '../../../../src/api/http/errors.ts'
import type { HttpAnswer } from '../../../../src/api/http/http-answer.ts'
import { checkPort, type HttpServer, serveHttp } from '../../../../src/api/http/server.ts'
import { type InvokeHandler, invokeHandler } from '../../../../src/api/invoke/invoke.ts'
import { apiListener, type Listener } from '../../../../src/api/listener.ts'
import type { Invoker } from '../../../../src/invoke/invoke.ts'
import { until } from '../../../support/until.ts'

/** A promise, and what resolves it. */
function signal<T>(): [Promise<T>, (value: T) => void] {
  let resolve: (value: T) => void = () => {}
  return [new Promise<T>((given) => (resolve = given)), (value) => resolve(value)]
}

let server: HttpServer | undefined
afterEach(async () => {
  await server?.close(0)
  server = undefined
})

const CUT_OFF = {
  name: 'InvalidRequestContentException',
  message: 'The connection ended before the request body did.',
}
const CALLER = { account: '111111111111', region: 'us-east-1' }

/** Invoke is answered by `invoke`, everything else by the app. */
function listening(app: Hono, invoke: InvokeHandler = () => Promise.reject(new Error('nobody invokes'))): Listener {
  return apiListener(app, { invoke, caller: CALLER, log: { error: () => {} } })
}

async function serving(app: Hono = new Hono().all('*', (c) => c.text('served'))): Promise<string> {
  server = await serveHttp(listening(app), { host: '127.0.0.1', port: 0 })
  return server.url
}

it('lets requests under way finish when it stops, and takes no new ones', async () => {
  let finish: () => void = () => {}
  let began: () => void = () => {}
  const underWay = new Promise<void>((resolve) => {
    began = resolve
  })
  const app = new Hono().all('*', async (c) => {
    began()
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    return c.text('finished')
  })
  const url = await serving(app)
  const answer = fetch(url)
  await underWay
  const closed = server!.close(60_000)
  await expect(fetch(url)).rejects.toThrow()
  finish()
  expect(await (await answer).text()).toBe('finished')
  await closed
})

it('ends the connections of busy clients with their answers when it stops, so that they do not hold it up', async () => {
  const finish: (() => void)[] = []
  const app = new Hono().all('*', async (c) => {
    await new Promise<void>((resolve) => finish.push(resolve))
    return c.text('finished')
  })
  const { port } = new URL(await serving(app))
  const request = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n'
  const clients = [1, 2].map(() => connect(Number(port), '127.0.0.1').setEncoding('utf8'))
  for (const client of clients) {
    client.on('error', () => {})
    client.write(request)
  }
  await until(() => finish.length === 2)
  const closed = server!.close(60_000)
  const answers = clients.map(async (client) => {
    const [answer] = (await once(client, 'data')) as [string]
    client.write(request)
    return answer
  })
  for (const one of [0, 1]) {
    finish[one]!()
    expect(await answers[one]).toContain('Connection: close')
  }
  await closed
  expect(finish).toHaveLength(2)
})

it('answers all requests of a connection that were under way when it stops', async () => {
  const finish: (() => void)[] = []
  const app = new Hono().all('*', async (c) => {
    await new Promise<void>((resolve) => finish.push(resolve))
    return c.text(`finished ${c.req.path}`)
  })
  const { port } = new URL(await serving(app))
  const client = connect(Number(port), '127.0.0.1')
  client.write('GET /one HTTP/1.1\r\nHost: here\r\n\r\nGET /two HTTP/1.1\r\nHost: here\r\n\r\n')
  await until(() => finish.length === 2)
  const closed = server!.close(60_000)
  for (const end of finish) end()
  const answers = await text(client)
  expect(answers).toContain('finished /one')
  expect(answers).toContain('finished /two')
  await closed
})

it('cuts off what does not finish in time', async () => {
  let began: () => void = () => {}
  const underWay = new Promise<void>((resolve) => {
    began = resolve
  })
  const url = await serving(
    new Hono().all('*', () => {
      began()
      return new Promise<Response>(() => {})
    }),
  )
  const answer = fetch(url).catch(() => 'cut off')
  await underWay
  await server!.close(1)
  expect(await answer).toBe('cut off')
})

it('says what to do when the port is taken', async () => {
  const port = Number(new URL(await serving()).port)
  await expect(serveHttp(listening(new Hono()), { host: '127.0.0.1', port })).rejects.toMatchObject({
    message: `Port ${port} of 127.0.0.1 is in use.`,
    remedy: 'Stop the other program, or choose another port with --port or HEARTH_PORT.',
  })
})

it('does not listen on a port that functions may reach', async () => {
  const { port } = new URL(await serving())
  await server!.close(0)
  server = undefined
  const options = { host: '127.0.0.1', port: Number(port), functionReach: [Number(port)] }
  await expect(serveHttp(listening(new Hono()), options)).rejects.toMatchObject({
    message: `The system gave the host port ${port}, which functions may reach (HEARTH_FUNCTION_REACH).`,
  })
})

describe('a client that leaves amid its body', () => {
  const half = async (url: string, path: string, begun: Promise<void>) => {
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    await once(client, 'connect')
    client.write(`POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{"half":`)
    await begun
    client.destroy()
  }

  it('is taken for a failure of that client by the control plane', async () => {
    const [begun, begin] = signal<void>()
    const [failure, failed] = signal<unknown>()
    const logged: object[] = []
    const url = await serving(
      new Hono()
        .use(async (_, next) => {
          begin()
          await next()
        })
        .post('/json', async (c) => c.json(await readJson(c, 'CreateFunction')))
        .onError((error) => {
          failed(error)
          return renderError(error, 'id', { error: (detail) => logged.push(detail) })
        }),
    )
    await half(url, '/json', begun)
    expect(await failure).toMatchObject(CUT_OFF)
    expect(logged).toEqual([])
  })

  it('is taken for a failure of that client by Invoke', async () => {
    const [begun, begin] = signal<void>()
    const [answered, answer] = signal<HttpAnswer>()
    const logged: object[] = []
    const handle = invokeHandler({} as Invoker, { error: (detail) => logged.push(detail) })
    const invoke: InvokeHandler = (call, caller) => {
      begin()
      const answering = handle(call, caller)
      void answering.then(answer)
      return answering
    }
    server = await serveHttp(listening(new Hono(), invoke), { host: '127.0.0.1', port: 0 })
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await half(server.url, '/2015-03-31/functions/f/invocations', begun)
    const { status, body } = await answered
    await new Promise((resolve) => setImmediate(resolve))
    // Nothing waits for the rest of the body, which would keep what there is of it.
    expect(timers.mock.calls.filter(([, delay]) => delay === 10_000)).toEqual([])
    timers.mockRestore()
    expect([status, JSON.parse(String(body))]).toMatchObject([400, { message: CUT_OFF.message }])
    expect(logged).toEqual([])
  })
})

describe('the check of a port', () => {
  it('says what to do when another program has it, and lets a free one go', async () => {
    server = await serveHttp(listening(new Hono()), { host: '127.0.0.1', port: 0 })
    const port = Number(new URL(server.url).port)
    await expect(checkPort({ host: '127.0.0.1', port })).rejects.toMatchObject({
      message: `Port ${port} of 127.0.0.1 is in use.`,
      remedy: expect.stringContaining('--port'),
    })
    await server.close(0)
    await checkPort({ host: '127.0.0.1', port })
    server = await serveHttp(listening(new Hono()), { host: '127.0.0.1', port })
  })
})
