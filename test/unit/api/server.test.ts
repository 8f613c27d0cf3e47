import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { afterEach, expect, it } from 'vitest'
import type { Api } from '../../../src/api/app.ts'
import { readJson } from '../../../src/api/body.ts'
import { renderError } from '../../../src/api/errors.ts'
import { invokeHandler } from '../../../src/api/invoke.ts'
import { type HttpServer, serveHttp } from '../../../src/api/server.ts'
import type { Invoker } from '../../../src/invoke/invoke.ts'

let server: HttpServer | undefined
afterEach(async () => {
  await server?.close(0)
  server = undefined
})

async function serving(app: Hono = new Hono().all('*', (c) => c.text('served'))): Promise<string> {
  server = await serveHttp(app as unknown as Api, { host: '127.0.0.1', port: 0 })
  return server.url
}

it('serves clients, and refuses the page of another site that sends requests through its visitor', async () => {
  const url = await serving()
  expect((await fetch(url, { method: 'POST' })).status).toBe(200)
  const refused = await fetch(url, { method: 'POST', headers: { Origin: 'https://elsewhere.example' } })
  expect([refused.status, refused.headers.get('x-amzn-errortype')]).toEqual([403, 'AccessDeniedException'])
})

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
  await expect(serveHttp(new Hono() as unknown as Api, { host: '127.0.0.1', port })).rejects.toMatchObject({
    message: `Port ${port} of 127.0.0.1 is in use.`,
    remedy: 'Stop the other program, or choose another port with --port or HEARTH_PORT.',
  })
})

it.each(['/json', '/invoke/f'])(
  'takes a client that leaves amid its body for a failure of that client: %s',
  async (path) => {
    let failed: (error: unknown) => void = () => {}
    const failure = new Promise<unknown>((resolve) => {
      failed = resolve
    })
    let begin: () => void = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const logged: object[] = []
    const invoke = invokeHandler({} as Invoker)
    const url = await serving(
      new Hono()
        .use(async (_, next) => {
          begin()
          await next()
        })
        .post('/json', async (c) => c.json(await readJson(c, 'CreateFunction')))
        .post('/invoke/:name', (c) => invoke(c, { account: '111111111111', region: 'us-east-1' }))
        .onError((error) => {
          failed(error)
          return renderError(error, 'id', { error: (detail) => logged.push(detail) })
        }),
    )
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    await once(client, 'connect')
    client.write(`POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{"half":`)
    await begun
    client.destroy()
    expect(await failure).toMatchObject({
      name: 'InvalidRequestContentException',
      message: 'The connection ended before the request body did.',
    })
    expect(logged).toEqual([])
  },
)
