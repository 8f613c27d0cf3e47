import { type AddressInfo, createServer, connect as dial, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openRelay, type Relay } from '../../../../../src/sandbox/docker/network/relay.ts'

/** Any address of 127.0.0.0/8 is ours on Linux: it stands for a bridge's gateway. */
const GATEWAY = '127.0.0.77'
const open: { close(): unknown }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

function echo(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.pipe(socket)
  })
  open.push(server)
  return new Promise((resolve) =>
    server.listen({ host, port: 0 }, () => resolve({ server, port: (server.address() as AddressInfo).port })),
  )
}

function say(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = dial({ host, port })
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
    socket.end(text)
  })
}

async function relayed(port: number, accepts = () => true): Promise<Relay | undefined> {
  const relay = await openRelay(GATEWAY, port, accepts)
  if (relay) open.push(relay)
  return relay
}

test('bytes go to the port of the loopback and back, until both sides have ended', async () => {
  const { port } = await echo('127.0.0.1')
  await relayed(port)
  const text = 'x'.repeat(300_000)
  expect(await say(GATEWAY, port, text)).toBe(text)
})

test('peers that are no sandboxes are not served', async () => {
  const { port } = await echo('127.0.0.1')
  await relayed(port, () => false)
  expect(await say(GATEWAY, port, 'hello')).toBe('')
})

test('where something listens on all addresses no relay is needed', async () => {
  const { port } = await echo('0.0.0.0')
  expect(await relayed(port)).toBeUndefined()
  expect(await say(GATEWAY, port, 'hello')).toBe('hello')
})

test('a service that is not there ends the connection, and a closed relay accepts none', async () => {
  const { server, port } = await echo('127.0.0.1')
  const relay = await relayed(port)
  await new Promise((resolve) => server.close(resolve))
  expect(await say(GATEWAY, port, 'hello')).toBe('')
  relay!.close()
  expect(await say(GATEWAY, port, 'hello')).toBe('')
})
