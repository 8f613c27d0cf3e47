import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { RuntimeApiListeners } from '../../../src/runtime-api/listener.ts'
import { bindChunk, chunkStarts } from '../../../src/runtime-api/ports.ts'
import { event, Harness, NEXT, RawConnection, responsePath, silent, until } from './harness.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(...args: Parameters<typeof Harness.open>): Promise<Harness> {
  const api = await Harness.open(...args)
  cleanups.push(() => api.close())
  return api
}

function listeners(chunk: number, admit: (...ports: [string, number, number]) => Promise<void> = async () => {}) {
  const made = new RuntimeApiListeners({ admit, chunk, log: silent })
  cleanups.push(() => made.close())
  return made
}

describe('ports', () => {
  it('are bound before the firewall is told to let sandboxes reach them', async () => {
    const reached: boolean[] = []
    const admitted: [string, number, number][] = []
    const made = listeners(4, async (...range) => {
      admitted.push(range)
      for (let port = range[1]; port <= range[2]; port++) {
        const socket = connect(port, range[0])
        reached.push(await once(socket, 'connect').then(() => true))
        socket.destroy()
      }
    })
    const api = await open({ hostAddress: '127.0.0.3', peerAddress: undefined }, made)
    expect(reached).toEqual([true, true, true, true])
    expect(admitted).toEqual([['127.0.0.3', api.port, api.port + 3]])
    expect(api.host).toBe('127.0.0.3')
  })

  it('are used only after the firewall agreed', async () => {
    let agree = () => {}
    const made = listeners(
      1,
      () =>
        new Promise((resolve) => {
          agree = resolve
        }),
    )
    let opened = false
    const opening = open({}, made).then((api) => {
      opened = true
      return api
    })
    await until(() => {
      agree()
      return opened
    })
    await opening
  })

  it('are given back when the firewall refuses', async () => {
    let refuse = true
    const made = listeners(2, async () => {
      if (refuse) throw new Error('iptables failed')
    })
    await expect(Harness.open({}, made)).rejects.toThrow('iptables failed')
    refuse = false
    const api = await open({}, made)
    expect((await api.call('GET', '/ping')).status).toBe(200)
  })

  it('come in chunks that one firewall rule covers, and concurrent openings share a new chunk', async () => {
    const admitted: number[] = []
    const made = listeners(8, async (_host, first, last) => {
      admitted.push(last - first + 1)
    })
    const opened = await Promise.all(Array.from({ length: 20 }, () => Harness.open({}, made)))
    expect(new Set(opened.map((api) => api.session.address)).size).toBe(20)
    expect(admitted).toEqual([8, 8, 8])
  })

  it('of a chunk in which one is taken are skipped', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.4')
    await once(taken, 'listening')
    cleanups.push(() => new Promise((resolve) => taken.close(resolve)))
    const { port } = taken.address() as { port: number }
    const other = createServer()
    other.listen(0, '127.0.0.4')
    await once(other, 'listening')
    const free = (other.address() as { port: number }).port
    await new Promise((resolve) => other.close(resolve))
    const { createServer: http } = await import('node:http')
    const chunk = await bindChunk('127.0.0.4', 1, [port, free][Symbol.iterator](), () => http())
    expect(chunk.firstPort).toBe(free)
    for (const server of chunk.servers) server.close()
    await expect(bindChunk('127.0.0.4', 1, [port][Symbol.iterator](), () => http())).rejects.toThrow(
      'no 1 contiguous free ports are left on 127.0.0.4 for the Runtime API',
    )
  })

  it('never overlap and stay within the ranges', () => {
    const starts = [...chunkStarts(32)]
    expect(starts[0]).toBe(21_000)
    expect(new Set(starts).size).toBe(starts.length)
    for (const start of starts) expect(start + 31 <= 32_767 || (start >= 61_000 && start + 31 <= 65_535)).toBe(true)
  })

  it('on an address that this machine does not have are an error that names it', async () => {
    await expect(Harness.open({ hostAddress: '192.0.2.1' }, listeners(1))).rejects.toThrow(
      'the Runtime API cannot listen on 192.0.2.1: EADDRNOTAVAIL',
    )
  })

  it('are reused, the one longest at rest first, without anything of the session before', async () => {
    const made = listeners(2)
    const first = await open({}, made)
    first.invoke(event('secret'))
    const connection = await first.raw()
    const { address } = first.session
    first.session.close()
    await connection.closed
    const second = await open({}, made)
    expect(second.session.address).not.toBe(address)
    const third = await open({}, made)
    expect(third.session.address).toBe(address)
    const waiting = third.next()
    await until(() => third.ready.length === 1)
    third.invoke(event('own'))
    expect((await waiting).text).toBe('{"id":"own"}')
    expect(first.ready).toEqual([])
  })

  it('answer nobody while they have no session', async () => {
    const made = listeners(1)
    const api = await open({}, made)
    const { host, port } = api
    api.session.close()
    const socket = connect(port, host)
    const connection = new RawConnection(socket)
    connection.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await connection.closed
    expect(connection.received).toBe('')
  })

  it('are closed with the listeners, and nothing can be opened afterwards', async () => {
    const made = listeners(1)
    const api = await open({}, made)
    await made.close()
    const socket = connect(api.port, api.host)
    const [error] = (await once(socket, 'error')) as [Error & { code: string }]
    expect(error.code).toBe('ECONNREFUSED')
    await expect(Harness.open({}, made)).rejects.toThrow('the Runtime API is closed')
  })
})

describe('a connection', () => {
  it('from another address than the sandbox’s is closed before it is read', async () => {
    const api = await open({ peerAddress: '127.0.0.2' })
    const stranger = await api.raw('127.0.0.1')
    stranger.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await stranger.closed
    expect(stranger.received).toBe('')
    expect(api.ready).toEqual([])
    const sandbox = await api.raw('127.0.0.2')
    sandbox.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => sandbox.received.endsWith('pong'))
    sandbox.socket.destroy()
  })

  it('from anywhere is served where the engine hides the sandbox’s address', async () => {
    const api = await open({ peerAddress: undefined })
    const connection = await api.raw('127.0.0.9')
    connection.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => connection.received.endsWith('pong'))
    connection.socket.destroy()
  })

  it('beyond the 256th is closed, and the runtime does not notice', async () => {
    const api = await open()
    const waiting = api.next()
    await until(() => api.ready.length === 1)
    const sockets: Socket[] = []
    let refused = 0
    for (let batch = 0; batch < 12; batch++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = connect(api.port, api.host)
          socket.on('error', () => {})
          socket.on('close', () => {
            refused++
          })
          sockets.push(socket)
          await once(socket, 'connect').catch(() => {})
        }),
      )
    }
    // One connection is the runtime's.
    await until(() => refused >= 1200 - 255)
    expect(refused).toBe(1200 - 255)
    api.invoke(event('a'))
    expect((await waiting).text).toBe('{"id":"a"}')
    for (const socket of sockets) socket.destroy()
  })

  it('with more headers than 2 MiB is refused', async () => {
    const api = await open()
    const connection = await api.raw()
    connection.write('GET /ping HTTP/1.1\r\n')
    for (let i = 0; i < 40; i++) connection.write(`X-${i}: ${'x'.repeat(64 * 1024)}\r\n`)
    await connection.closed
    expect((await api.call('GET', '/ping')).status).toBe(200)
  })

  it('after the sixteenth may send 64 KiB of headers only', async () => {
    const api = await open()
    const held = await Promise.all(Array.from({ length: 16 }, () => api.raw()))
    const wide = held[0] as RawConnection
    const narrow = await api.raw()
    const request = `GET /ping HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`
    narrow.write(request)
    await narrow.closed
    expect(narrow.received).not.toContain('pong')
    wide.write(request)
    await until(() => wide.received.endsWith('pong'))
    for (const { socket } of held) socket.destroy()
  })

  it('that sends requests ahead gets its answers in order', async () => {
    const api = await open()
    api.invoke(event('a'))
    const connection = await api.raw()
    connection.write(
      `GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n` +
        `POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1` +
        'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n',
    )
    await until(() => connection.received.endsWith('pong'))
    expect(connection.received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 202', 'HTTP/1.1 200'])
    connection.socket.destroy()
  })

  it('that sends thousands of requests ahead is closed', async () => {
    const api = await open()
    const connection = await api.raw()
    connection.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    connection.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000))
    await connection.closed
    expect(connection.received).toBe('')
    const waiting = api.next()
    api.invoke(event('a'))
    expect((await waiting).text).toBe('{"id":"a"}')
  })

  it('may stay open between invocations for longer than any default of node:http, since none applies', async () => {
    const api = await open()
    const connection = await api.raw()
    connection.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => connection.received.endsWith('pong'))
    expect(connection.received).not.toMatch(/keep-alive: *timeout/i)
    expect(connection.received).toMatch(/connection: keep-alive/i)
    connection.socket.destroy()
  })
})
