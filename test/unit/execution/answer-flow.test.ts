/** An answer from a runtime's socket through session and environment to a client's socket: real sockets, only the sandbox is not there. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, createServer, request as httpRequest, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { AnswerFlow, AnswerHead } from '../../../src/execution/answer-flow.ts'
import { ExecutionEnvironment } from '../../../src/execution/environment.ts'
import type { InvocationEnding } from '../../../src/execution/invocation.ts'
import { RuntimeApiListeners } from '../../../src/runtime-api/listener.ts'
import { fakeHost, until, validVersion } from './fake-host.ts'

const MIB = 1024 * 1024
const PIECE = Buffer.alloc(MIB, 'stream ')
const PIECES = 96
/** What the kernel may hold of two connections on one machine; a host that kept the rest would hold the whole body. */
const IN_KERNEL = 48 * MIB
/** Milliseconds without a byte moved that count as standing still. A slow machine can only make the tests pass more easily. */
const STILL_MS = 400

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** It takes more, or is gone. */
function writable(stream: ClientRequest | ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** An edge whose client reads at its own pace. */
class ClientEdge implements AnswerFlow {
  readonly limitBytes = 200 * MIB
  readonly keeps = false
  readonly response: ServerResponse
  head: AnswerHead | undefined
  ending: InvocationEnding | undefined
  taken = 0
  afterEnd = 0

  constructor(response: ServerResponse) {
    this.response = response
  }

  begin(head: AnswerHead): void {
    this.head = head
    this.response.writeHead(200)
  }

  chunk(bytes: Uint8Array): Promise<void> | undefined {
    if (this.ending !== undefined) this.afterEnd += bytes.length
    this.taken += bytes.length
    const { response } = this
    if (response.destroyed || response.write(bytes)) return undefined
    return writable(response)
  }

  end(ending: InvocationEnding): void {
    this.ending = ending
    this.response.end()
  }
}

/** A warm environment with a runtime on a socket, and a client on another that has sent its request and reads nothing yet. */
async function setUp({ timeout = 60 } = {}) {
  let address = ''
  const { host } = fakeHost({
    behaviour: { boot: () => {} },
    refuseStart: (_cell, { environment }) => {
      address = environment.AWS_LAMBDA_RUNTIME_API!
      return undefined
    },
  })
  const listeners = new RuntimeApiListeners({ admit: async () => {}, chunk: 2, log: { debug() {} } })
  closing.push(() => listeners.close())
  const states: string[] = []
  host.bus.subscribe((event) => {
    if (event.type === 'environment.state') states.push(event.to)
  })
  const owner = { idle() {}, finishing() {}, unavailable() {}, gone() {} }
  const environment = new ExecutionEnvironment({ ...host, listeners }, owner, validVersion({ timeout }))
  const started = environment.start()
  await until(() => address !== '')
  const call = (method: string, path: string, headers = {}): ClientRequest =>
    httpRequest({ host: address.split(':')[0], port: address.split(':')[1], method, path, headers })
  const next = async () => {
    const request = call('GET', '/2018-06-01/runtime/invocation/next')
    request.on('error', () => {})
    request.end()
    const [response] = await once(request, 'response')
    response.resume()
    return response.headers['lambda-runtime-aws-request-id'] as string
  }
  const event = next()
  await started

  const edges: ClientEdge[] = []
  const server: Server = createServer((_request, response) => {
    const edge = new ClientEdge(response)
    edges.push(edge)
    const invocation = {
      requestId: 'r1',
      invokedFunctionArn: 'arn',
      traceHeader: '',
      payload: new Uint8Array(),
      tail: false,
    }
    void environment.invoke(invocation, edge)
  })
  closing.push(
    () => void server.closeAllConnections(),
    () => void server.close(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  closing.push(() => void client.destroy())
  client.pause()
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const requestId = await event
  const answer = call('POST', `/2018-06-01/runtime/invocation/${requestId}/response`, {
    'Lambda-Runtime-Function-Response-Mode': 'streaming',
    'Content-Type': 'text/plain',
    'Transfer-Encoding': 'chunked',
  })
  answer.on('error', () => {})
  return { environment, states, client, answer, edge: edges[0]!, next }
}

/** Sends the whole body as fast as the host takes it. */
async function stream(answer: ClientRequest): Promise<void> {
  for (let i = 0; i < PIECES && !answer.destroyed; i++) {
    if (!answer.write(PIECE)) await writable(answer)
  }
  answer.end()
}

async function standsStill(edge: ClientEdge): Promise<void> {
  for (let before = -1; before !== edge.taken || edge.taken === 0; ) {
    before = edge.taken
    await new Promise((resolve) => setTimeout(resolve, STILL_MS))
  }
}

async function bodyHash(client: Socket): Promise<string> {
  const server = createHash('sha256')
  let bytes = 0
  let head = true
  // Chunked: sizes and line ends go, and they are told from the body by its own length.
  let rest = Buffer.alloc(0)
  for await (const data of client) {
    rest = Buffer.concat([rest, data as Buffer])
    if (head) {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) continue
      rest = rest.subarray(end + 4)
      head = false
    }
    for (;;) {
      const line = rest.indexOf('\r\n')
      const size = line < 0 ? Number.NaN : Number.parseInt(rest.toString('latin1', 0, line), 16)
      if (Number.isNaN(size) || rest.length < line + 4 + size) break
      server.update(rest.subarray(line + 2, line + 2 + size))
      bytes += size
      rest = rest.subarray(line + 4 + size)
    }
  }
  return `${bytes} ${server.digest('hex')}`
}

it('a client that does not read makes the function wait: the host holds no more than the sockets do', async () => {
  const { client, answer, edge, states, next } = await setUp()
  const sent = stream(answer)
  await standsStill(edge)
  expect(edge.head).toEqual({ streaming: true, contentType: 'text/plain' })
  expect(edge.ending).toBeUndefined()
  expect(edge.taken).toBeLessThan(IN_KERNEL)
  expect(edge.response.writableLength).toBeLessThan(MIB)
  // It reads now: everything comes, in order.
  const hash = bodyHash(client)
  await sent
  const [response] = await once(answer, 'response')
  expect(response.statusCode).toBe(202)
  response.resume()
  void next().catch(() => {})
  const whole = createHash('sha256')
  for (let i = 0; i < PIECES; i++) whole.update(PIECE)
  expect(await hash).toBe(`${PIECES * MIB} ${whole.digest('hex')}`)
  expect(edge.ending).toEqual({ ok: true })
  await until(() => states.at(-1) === 'Idle')
})

it('a client that leaves does not hold up the function: its answer is read to the end', async () => {
  const { client, answer, edge, states, next } = await setUp()
  const sent = stream(answer)
  await standsStill(edge)
  client.destroy()
  await sent
  const [response] = await once(answer, 'response')
  response.resume()
  void next().catch(() => {})
  await until(() => edge.ending !== undefined && states.at(-1) === 'Idle')
  expect(edge.taken).toBe(PIECES * MIB)
})

it('a function that is still waiting at its timeout is ended, and nothing comes after the end', async () => {
  const { client, answer, edge, states } = await setUp({ timeout: 1 })
  void stream(answer)
  await until(() => edge.ending !== undefined)
  expect(edge.ending).toMatchObject({ ok: false, errorType: 'Sandbox.Timedout' })
  const hash = await bodyHash(client)
  await until(() => states.at(-1) === 'Idle')
  expect(edge.afterEnd).toBe(0)
  expect(Number(hash.split(' ')[0])).toBe(edge.taken)
})
