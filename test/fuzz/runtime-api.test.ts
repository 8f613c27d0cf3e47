import { afterEach, describe, expect, it } from 'vitest'
import { RuntimeApiListeners } from '../../src/runtime-api/listener.ts'
import { RUNTIME_TRANSITIONS, type RuntimeState } from '../../src/runtime-api/protocol.ts'
import type { RuntimeSession } from '../../src/runtime-api/session.ts'
import {
  EXTENSION,
  errorPath,
  event,
  Harness,
  INIT_ERROR,
  NEXT,
  type Reply,
  responsePath,
  silent,
  until,
} from '../unit/runtime-api/harness.ts'
import { Random } from './random.ts'

const random = new Random()
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function stateOf(api: Harness): RuntimeState {
  return (api.session as RuntimeSession).state
}

/** What a correct Runtime API must do, written down a second time and more simply: one call after the other, no connection is lost. */
class Model {
  state: 'boot' | 'failed' | 'idle' | 'running' | 'answered' = 'boot'
  /** The current invocation, or the last one. */
  id: string | undefined
  /** Given to the host, not yet to the runtime. */
  pending = false
  outcomes = 0
  ready = 0
  initErrors = 0

  /** Status of the answer, or `waits`. */
  next(): number | 'waits' {
    if (this.state === 'failed') return 403
    if (this.state === 'running') return 200
    if (this.state !== 'idle') this.ready++
    this.state = 'idle'
    if (!this.pending) return 'waits'
    this.pending = false
    this.state = 'running'
    return 200
  }

  answer(id: string): number {
    if (id !== this.id) return 400
    if (this.state !== 'running') return 403
    this.state = 'answered'
    this.outcomes++
    return 202
  }

  initError(): number {
    if (this.state !== 'boot') return 403
    this.state = 'failed'
    this.initErrors++
    return 202
  }

  get mayInvoke(): boolean {
    return !this.pending && this.state !== 'running' && this.state !== 'failed'
  }
}

describe('any sequence of calls', () => {
  it(`is answered as the state table says (FUZZ_SEED=${random.seed})`, async () => {
    const listeners = new RuntimeApiListeners({ admit: async () => {}, chunk: 4, log: silent })
    cleanups.push(() => listeners.close())
    for (let walk = 0; walk < 60; walk++) {
      const api = await Harness.open({}, listeners)
      let model = new Model()
      let waiting: Promise<Reply> | undefined
      let counted = { ready: 0, initErrors: 0, outcomes: 0 }
      const trail: string[] = []
      for (let step = 0; step < 50; step++) {
        const action = random.pick([
          'next',
          'next',
          'invoke',
          'response',
          'response',
          'error',
          'initError',
          'ping',
          'reset',
        ])
        const id = random.chance(0.8) && model.id !== undefined ? model.id : random.pick(['nobody', '%2e', 'r0', 'r1'])
        trail.push(`${action} ${id}`)
        // A runtime that waits in `next` can do nothing else on that connection; these come from other threads of the function.
        if (action === 'next' && waiting === undefined) {
          const expected = model.next()
          const reply = api.next()
          if (expected === 'waits') {
            waiting = reply
            waiting.catch(() => {})
            await until(() => api.ready.length - counted.ready === model.ready && stateOf(api) === 'Ready')
          } else {
            expect((await reply).status, trail.join(', ')).toBe(expected)
          }
        } else if (action === 'invoke' && model.mayInvoke) {
          model.id = `r${step}`
          model.pending = true
          api.invoke(event(model.id))
          if (waiting !== undefined) {
            model.pending = false
            model.state = 'running'
            expect((await waiting).headers['lambda-runtime-aws-request-id'], trail.join(', ')).toBe(model.id)
            waiting = undefined
          }
        } else if (action === 'response' || action === 'error') {
          const body = random.bytes(random.below(200))
          const expected = model.answer(id)
          const path = action === 'response' ? responsePath(id) : errorPath(id)
          const options = random.chance(0.5) ? { body } : { chunks: [body, 'x'], trailers: {} }
          expect((await api.call('POST', path, options)).status, trail.join(', ')).toBe(expected)
        } else if (action === 'initError') {
          expect((await api.call('POST', INIT_ERROR, { body: '{}' })).status, trail.join(', ')).toBe(model.initError())
        } else if (action === 'ping') {
          expect((await api.call('GET', '/ping')).status).toBe(200)
        } else if (action === 'reset' && random.chance(0.3)) {
          api.session.reset()
          waiting = undefined
          await until(() => Object.values(api.agent.freeSockets).flat().length === 0)
          model = new Model()
          counted = { ready: api.ready.length, initErrors: api.initErrors.length, outcomes: api.outcomes.length }
        }
        expect(
          {
            ready: api.ready.length - counted.ready,
            initErrors: api.initErrors.length - counted.initErrors,
            outcomes: api.outcomes.length - counted.outcomes,
          },
          trail.join(', '),
        ).toEqual({ ready: model.ready, initErrors: model.initErrors, outcomes: model.outcomes })
        expect(Object.keys(RUNTIME_TRANSITIONS)).toContain(stateOf(api))
      }
      const ids = api.outcomes.map(({ requestId }) => requestId)
      api.session.close()
      api.agent.destroy()
      expect(ids.length).toBe(api.outcomes.length)
    }
  })
})

/** Requests and halves of requests, some of them sensible, then damaged. */
function hostileBytes(id: string): Buffer {
  const body = random.bytes(random.below(300)).toString('latin1')
  const chunked = Array.from({ length: random.below(20) }, () => `1;${'x'.repeat(random.below(2000))}=y\r\nz\r\n`).join(
    '',
  )
  const request = random.pick([
    `GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET ${NEXT} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`,
    `POST ${responsePath(id)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `POST ${responsePath(id)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length + random.below(9)}\r\n\r\n${body}`,
    `POST ${responsePath(id)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\n\r\n`,
    `POST ${errorPath(id)} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`,
    `POST ${responsePath(id)} HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Function-Response-Mode: ${random.pick(['streaming', 'x', ''])}\r\nContent-Length: 0\r\n\r\n`,
    `POST ${INIT_ERROR} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{`,
    `POST ${EXTENSION}/register HTTP/1.1\r\nHost: x\r\nLambda-Extension-Name: ${body.length}\r\nContent-Length: 2\r\n\r\n{}`,
    `GET ${EXTENSION}/event/next HTTP/1.1\r\nHost: x\r\nLambda-Extension-Identifier: ${body.length}\r\n\r\n`,
    `CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    `GET http://elsewhere/${body.length} HTTP/1.1\r\nHost: x\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET /${'a'.repeat(random.below(100_000))} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /ping HTTP/1.1\r\n${'X: y\r\n'.repeat(random.below(5000))}\r\n`,
    `GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(random.below(60)),
    `GET /ping HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(random.below(60)),
    body,
  ])
  const bytes = Buffer.from(request, 'latin1')
  for (let flips = random.chance(0.4) ? random.below(6) : 0; flips > 0 && bytes.length > 0; flips--) {
    bytes[random.below(bytes.length)] = random.below(256)
  }
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

describe('any bytes', () => {
  it(`leave one outcome for each invocation, and a host that serves the next runtime (FUZZ_SEED=${random.seed})`, async () => {
    const failures: unknown[] = []
    const note = (error: unknown) => void failures.push(error)
    process.on('uncaughtException', note)
    process.on('unhandledRejection', note)
    cleanups.push(async () => {
      process.off('uncaughtException', note)
      process.off('unhandledRejection', note)
    })
    const api = await Harness.open({ fallback: (_request, response) => void response.end('fallback') })
    cleanups.push(() => api.close())
    for (let round = 0; round < 40; round++) {
      const id = `round-${round}`
      const before = api.outcomes.length
      api.invoke(event(id, { payload: random.bytes(random.below(2000)) }))
      const connections = await Promise.all(Array.from({ length: 12 }, () => api.raw()))
      for (let step = 0; step < 40; step++) {
        const { socket } = random.pick(connections)
        if (!socket.writable) continue
        socket.write(hostileBytes(id))
        if (random.chance(0.1)) socket.end()
        else if (random.chance(0.05)) socket.resetAndDestroy()
        if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve))
      }
      // The function is killed, and whatever it left half-said is forgotten. All of its connections have been accepted by then.
      if (random.chance(0.5)) for (const { socket } of connections) socket.destroy()
      expect((await api.call('GET', '/ping')).status).toBe(200)
      api.session.reset()
      for (const { closed } of connections) await closed
      const told = api.outcomes.slice(before)
      expect(told.length).toBeLessThanOrEqual(1)
      for (const { requestId } of told) expect(requestId).toBe(id)
      expect(stateOf(api)).toBe('Started')

      const ready = api.ready.length
      await until(() => Object.values(api.agent.freeSockets).flat().length === 0)
      const waiting = api.next()
      await until(() => api.ready.length === ready + 1)
      api.invoke(event(`${id}-good`))
      expect((await waiting).headers['lambda-runtime-aws-request-id']).toBe(`${id}-good`)
      expect((await api.call('POST', responsePath(`${id}-good`), { body: '1' })).status).toBe(202)
      expect(api.outcomes.at(-1)?.requestId).toBe(`${id}-good`)
      expect(api.outcomes.length).toBe(before + told.length + 1)
      api.session.reset()
      await until(() => Object.values(api.agent.freeSockets).flat().length === 0)
    }
    expect(failures).toEqual([])
  })
})
