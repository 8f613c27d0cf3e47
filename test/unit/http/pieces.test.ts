import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Budget } from '../../../src/http/budget.ts'
import { countAgainst } from '../../../src/http/counted.ts'
import { type Body, readBody } from '../../../src/http/incoming-body.ts'
import { Pieces, SMALL_PIECE_BYTES } from '../../../src/http/pieces.ts'

describe('the pieces of a peer', () => {
  it('are used up by small ones only, come back with time, and later each time', () => {
    let now = 0
    const pieces = new Pieces({ perSecond: 10, burst: 20 }, () => now)
    const taken = () => {
      let count = 0
      while (pieces.take(1)) count++
      return count
    }
    for (let i = 0; i < 1000; i++) expect(pieces.take(SMALL_PIECE_BYTES)).toBe(true)
    expect(taken()).toBe(20)
    for (const rest of [1000, 2000, 4000]) {
      now += rest - 1
      expect([pieces.open, pieces.take(1)]).toEqual([false, false])
      now += 1
      expect(pieces.open).toBe(true)
      expect(taken()).toBeGreaterThan(0)
    }
    now += 100_000
    expect(taken()).toBe(20)
    now += 1000
    expect(pieces.open).toBe(true)
  })

  it('are never used up by a stream of tokens', () => {
    let now = 0
    const pieces = new Pieces(undefined, () => now)
    let taken = 0
    for (; now < 100_000; now++) taken += pieces.take(5) ? 1 : 0
    expect(taken).toBe(100_000)
  })
})

describe('a body in small pieces', () => {
  let server: Server
  afterEach(() => new Promise((done) => server.close(done)))

  async function listen(pieces: Pieces, done: (body: Body) => void): Promise<number> {
    const share = new Budget({ bytes: 1_000_000, lent: 1_000_000 }).share(undefined, undefined, pieces)
    server = createServer((incoming, response) => {
      readBody(incoming, { limit: 100_000, discard: 0, share, pace: undefined }, (body, release) => {
        release()
        done(body)
        response.end()
      })
    })
    server.on('connection', (socket) => countAgainst(share, socket))
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return (server.address() as AddressInfo).port
  }

  const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'

  it('ends its connection when it has too many, and is truncated', async () => {
    const bodies: Body[] = []
    const pieces = new Pieces({ perSecond: 1, burst: 100 })
    const port = await listen(pieces, (body) => bodies.push(body))
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(HEAD + '1\r\nx\r\n'.repeat(1000))
    await new Promise((closed) => socket.on('close', closed).resume())
    expect(bodies).toEqual(['truncated'])
    expect(pieces.open).toBe(false)
  })

  it('is whole when it has few', async () => {
    const bodies: Body[] = []
    const port = await listen(new Pieces({ perSecond: 1, burst: 100 }), (body) => bodies.push(body))
    await new Promise<void>((done, failed) => {
      const outgoing = request({ port, method: 'POST' }, (answer) => answer.resume().on('end', () => done()))
      outgoing.on('error', failed)
      for (let i = 0; i < 50; i++) outgoing.write('x')
      outgoing.end()
    })
    expect(bodies.map((body) => body.length)).toEqual([50])
  })
})
