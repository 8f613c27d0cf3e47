import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { send } from '../../../src/api/http/http-answer.ts'
import { Budget, type BudgetRules } from '../../../src/http/budget.ts'
import { type ConnectionRules, Connections } from '../../../src/http/connections.ts'
import { until } from '../../support/until.ts'

const MIB = 1024 * 1024
const ANSWER_BYTES = 12 * MIB

let server: Server
let clients: Socket[]
beforeEach(() => {
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** A server whose peers are its two addresses. */
async function serving(
  answer: (response: ServerResponse, path: string) => void,
  rules: Partial<ConnectionRules> = {},
  budgetRules: Partial<BudgetRules> = {},
) {
  const budget = new Budget({ bytes: 20 * MIB, lent: 0, ...budgetRules })
  const connections = new Connections({ most: 100, mostOfPeer: 100, pipelined: 4, replaces: true, ...rules })
  const peers = { a: { share: budget.share(), connections: 0 }, b: { share: budget.share(), connections: 0 } }
  server = createServer((request, response) => {
    if (connections.begin(request, response)) answer(response, request.url ?? '')
  })
  server.prependListener('connection', (socket: Socket) => {
    connections.accept(socket, socket.remoteAddress === '127.0.0.1' ? peers.a : peers.b)
  })
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  return { budget, connections, port: (server.address() as AddressInfo).port }
}

async function client(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: localAddress, localAddress })
  clients.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Asks for an answer and does not read it. */
async function deaf(port: number, localAddress?: string): Promise<Socket> {
  const socket = await client(port, localAddress)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
  return socket
}

const large = (response: ServerResponse) => void response.end(Buffer.alloc(ANSWER_BYTES))
const bytesOf = async (port: number) => {
  const answer = await fetch(`http://127.0.0.1:${port}`)
  return (await answer.arrayBuffer()).byteLength
}

describe('answers that nobody reads', () => {
  it('are counted until they are read', async () => {
    const { budget, port } = await serving(large)
    const socket = await deaf(port)
    await until(() => budget.bytes > 0)
    expect(budget.bytes).toBeGreaterThanOrEqual(ANSWER_BYTES)
    socket.resume()
    await until(() => budget.bytes === 0)
  })

  it('count from the moment they are written', async () => {
    let counted = -1
    const { budget, port } = await serving((response) => {
      send({ status: 200, headers: {}, body: new Uint8Array(ANSWER_BYTES) }, response)
      counted = budget.bytes
    })
    const socket = await deaf(port)
    await until(() => counted >= 0)
    // The kernel has taken what fits into its buffers.
    expect(counted).toBeGreaterThan(ANSWER_BYTES / 2)
    socket.destroy()
  })

  it('are given up beyond the budget, and whoever reads gets its answer whole', async () => {
    const { budget, port } = await serving(large)
    const closed = new Set<Socket>()
    for (let i = 0; i < 10; i++) {
      const socket = await deaf(port)
      socket.on('close', () => closed.add(socket))
    }
    await until(() => budget.bytes >= 10 * ANSWER_BYTES)
    // A normal client beside them.
    for (let i = 0; i < 5; i++) expect(await bytesOf(port)).toBe(ANSWER_BYTES)
    await until(() => budget.bytes <= 20 * MIB)
  })

  it('are given up when they are read too slowly', async () => {
    const { budget, port } = await serving(large, {}, { bytes: 1000 * MIB, graceMs: 1000, leastRate: 20 * MIB })
    await deaf(port)
    await until(() => budget.bytes > 0)
    await until(() => budget.bytes === 0)
    expect(await bytesOf(port)).toBe(ANSWER_BYTES)
  })

  it('are given up in the end', async () => {
    const { budget, connections, port } = await serving(large, {}, { bytes: 1000 * MIB, totalMs: 1000 })
    await deaf(port)
    await until(() => budget.bytes > 0)
    await until(() => budget.bytes === 0 && connections.size === 0)
  })

  it('are counted too where they wait for an earlier one', async () => {
    const { budget, port } = await serving(large)
    const socket = await client(port)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(3))
    await until(() => budget.bytes >= 3 * ANSWER_BYTES)
  })

  it('may be a small rest for as long as the reader likes', async () => {
    const { budget, connections, port } = await serving(
      (response) => void response.write('a page of a log'),
      {},
      { graceMs: 100, leastRate: 1e9 },
    )
    const socket = await deaf(port)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect([budget.bytes, connections.size, socket.destroyed]).toEqual([0, 1, false])
  })
})

describe('connections', () => {
  const answered: ServerResponse[] = []
  const later = (response: ServerResponse) => void answered.push(response)
  beforeEach(() => void answered.splice(0))

  it('that are not in use make place for new ones, the longest unused first', async () => {
    const { connections, port } = await serving((response) => void response.end('served'), { most: 10, mostOfPeer: 5 })
    const first = await client(port)
    const used = await client(port)
    for (let i = 0; i < 3; i++) await client(port)
    await until(() => connections.size === 5)
    first.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    await once(first, 'data')
    await client(port)
    await once(used.resume(), 'close')
    expect(first.destroyed).toBe(false)
    expect(connections.size).toBe(5)
  })

  it('of one address do not keep out another one', async () => {
    const { connections, port } = await serving((response) => void response.end('served'), { most: 10 })
    for (let i = 0; i < 10; i++) await client(port)
    await until(() => connections.size === 10)
    const other = await client(port, '127.0.0.2')
    other.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(String((await once(other, 'data'))[0])).toContain('served')
    expect(connections.size).toBe(10)
  })

  it('that send a request for ever make place too, those that wait for an answer do not', async () => {
    const { connections, port } = await serving(later, { mostOfPeer: 3 })
    const waiting = await client(port)
    waiting.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    const sending = await client(port)
    sending.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf')
    const another = await client(port)
    another.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    await until(() => answered.length === 3)
    await client(port)
    await once(sending.resume(), 'close')
    const last = await client(port)
    // One that was not used yet is replaced before any that waits for its answer.
    await until(() => connections.size === 3)
    expect([waiting.destroyed, another.destroyed, last.destroyed]).toEqual([false, false, false])
  })

  it('are refused where none is to make place, but for the first few of a peer', async () => {
    const { connections, port } = await serving(later, { most: 20, mostOfPeer: 30, replaces: false })
    for (let i = 0; i < 20; i++) await client(port)
    await until(() => connections.size === 20)
    const refused = await client(port)
    await once(refused.resume(), 'close')
    await client(port, '127.0.0.2')
    await until(() => connections.size === 21)
  })

  it('that send many requests ahead are closed', async () => {
    const { port } = await serving(later)
    const socket = await client(port)
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(5))
    await until(() => answered.length === 5)
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    await once(socket.resume(), 'close')
    expect(answered).toHaveLength(5)
  })
})
