import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { afterEach, expect, it } from 'vitest'
import { type HttpServer, serveHttp } from '../../../../src/api/http/server.ts'
import { Uploads } from '../../../../src/api/http/uploads.ts'
import { apiListener } from '../../../../src/api/listener.ts'

const MIB = 1024 * 1024
const CALLER = { account: '111111111111', region: 'us-east-1' }

let server: HttpServer
afterEach(() => server.close(0))

/** Answers an upload when the test says so. */
async function serving(uploads: Uploads) {
  const begun: (() => void)[] = []
  const app = new Hono().post('/upload', async (c) =>
    c.json(
      await uploads.run(c, 'CreateFunction', async (json) => {
        await new Promise<void>((end) => begun.push(end))
        return Object.keys(json as object)
      }),
    ),
  )
  app.onError((error, c) => c.text(error.message, 500))
  const invoke = () => Promise.reject(new Error('nobody invokes'))
  server = await serveHttp(apiListener(app, { invoke, caller: CALLER, log: { error: () => {} } }), {
    host: '127.0.0.1',
    port: 0,
  })
  return begun
}

const upload = (bytes: number) =>
  fetch(`${server.url}/upload`, { method: 'POST', body: JSON.stringify({ zip: 'x'.repeat(bytes) }) })
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

it('are read while there is room, the others when one has ended; small requests do not wait', async () => {
  const begun = await serving(new Uploads({ roomBytes: 5 * MIB }))
  const large = [upload(2 * MIB), upload(2 * MIB), upload(2 * MIB)]
  await until(() => begun.length === 2)
  const small = upload(10)
  await until(() => begun.length === 3)
  begun[2]!()
  expect(await (await small).json()).toEqual(['zip'])
  expect(begun).toHaveLength(3)
  begun[0]!()
  await until(() => begun.length === 4)
  for (const end of begun) end()
  for (const answer of await Promise.all(large)) expect(answer.status).toBe(200)
})

it('give their room back when they stop amid their body', async () => {
  const begun = await serving(new Uploads({ roomBytes: 5 * MIB, idleMs: 1000 }))
  const client = connect(Number(new URL(server.url).port), '127.0.0.1')
  client.write(`POST /upload HTTP/1.1\r\nHost: here\r\nContent-Length: ${5 * MIB}\r\n\r\n{"zip":`)
  client.resume()
  await once(client, 'close')
  const next = upload(4 * MIB)
  await until(() => begun.length === 1)
  begun[0]!()
  expect((await next).status).toBe(200)
})

it('may take long to be worked on', async () => {
  const begun = await serving(new Uploads({ idleMs: 500 }))
  const answer = upload(2 * MIB)
  await until(() => begun.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  begun[0]!()
  expect((await answer).status).toBe(200)
})
