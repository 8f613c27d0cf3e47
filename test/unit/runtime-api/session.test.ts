import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorPath, event, Harness, INIT_ERROR, NEXT, type Reply, responsePath, until } from './harness.ts'

let api: Harness
beforeEach(async () => {
  api = await Harness.open({ identity: { functionName: 'hello', functionVersion: '$LATEST', handler: 'a.b' } })
})
afterEach(() => api.close())

/** Boots the runtime: its first `next` waits. */
async function boot(): Promise<Promise<Reply>> {
  const waiting = api.next()
  await until(() => api.ready.length === 1)
  return waiting as unknown as Promise<Promise<Reply>>
}

describe('next', () => {
  it('tells the observer that the runtime is ready, and gives it the event that comes later', async () => {
    const waiting = api.next()
    await until(() => api.ready.length === 1)
    api.invoke(event('a'))
    const reply = await waiting
    expect(reply.status).toBe(200)
    expect(reply.text).toBe('{"id":"a"}')
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '10',
      'lambda-runtime-aws-request-id': 'a',
      'lambda-runtime-deadline-ms': '1700000000123',
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:hello',
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0',
    })
    expect(reply.headers['lambda-runtime-invocation-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(reply.headers).not.toHaveProperty('lambda-runtime-client-context')
    expect(reply.headers).not.toHaveProperty('transfer-encoding')
  })

  it('gives the event that was there before the runtime', async () => {
    api.invoke(event('a'))
    const reply = await api.next()
    expect(reply.text).toBe('{"id":"a"}')
    expect(api.ready).toEqual([0])
  })

  it('gives the event that the observer hands over while it is told ready', async () => {
    api.onReady = () => api.invoke(event('a'))
    expect((await api.next()).text).toBe('{"id":"a"}')
  })

  it('omits empty headers', async () => {
    api.invoke(event('a', { traceHeader: '', clientContext: '' }))
    const { headers } = await api.next()
    expect(headers).not.toHaveProperty('lambda-runtime-trace-id')
    expect(headers).not.toHaveProperty('lambda-runtime-client-context')
  })

  it('sends a client context with line breaks and text beyond ASCII as UTF-8 in one line', async () => {
    api.invoke(event('a', { clientContext: '{\r\n "city": "Köln €"}' }))
    const { headers } = await api.next()
    expect(Buffer.from(String(headers['lambda-runtime-client-context']), 'latin1').toString()).toBe(
      '{   "city": "Köln €"}',
    )
  })

  it('carries an empty and a binary payload unchanged', async () => {
    api.invoke(event('a', { payload: new Uint8Array() }))
    const empty = await api.next()
    expect(empty.body.length).toBe(0)
    expect(empty.headers['content-length']).toBe('0')
    await api.call('POST', responsePath('a'), { body: '' })
    const waiting = api.next()
    await until(() => api.ready.length === 2)
    const bytes = new Uint8Array(6 * 1024 * 1024).map((_, i) => i % 251)
    api.invoke(event('b', { payload: bytes }))
    expect(Buffer.compare((await waiting).body, bytes)).toBe(0)
  })

  it('returns the same event again during an invocation, without a second ready', async () => {
    api.invoke(event('a'))
    const first = await api.next()
    const second = await api.next()
    expect(second.text).toBe(first.text)
    expect(second.headers['lambda-runtime-invocation-id']).toBe(first.headers['lambda-runtime-invocation-id'])
    expect(api.ready).toEqual([0])
  })

  it('survives a client that lost its connection while it waited', async () => {
    const lost = await api.raw()
    lost.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until(() => api.ready.length === 1)
    lost.socket.destroy()
    await lost.closed
    const waiting = api.next()
    api.invoke(event('a'))
    expect((await waiting).text).toBe('{"id":"a"}')
    expect(lost.received).toBe('')
    expect(api.ready).toEqual([0])
  })

  it('keeps the event for a client that comes back after it went away', async () => {
    const lost = await api.raw()
    lost.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until(() => api.ready.length === 1)
    lost.socket.destroy()
    await lost.closed
    await api.call('GET', '/ping')
    api.invoke(event('a'))
    expect((await api.next()).text).toBe('{"id":"a"}')
  })

  it('closes the connection of an older call that still waits', async () => {
    const older = await api.raw()
    older.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until(() => api.ready.length === 1)
    const newer = api.next()
    await older.closed
    api.invoke(event('a'))
    expect((await newer).text).toBe('{"id":"a"}')
    expect(older.received).toBe('')
  })

  it('ends an invocation after its response, once', async () => {
    api.invoke(event('a'))
    await api.next()
    await api.call('POST', responsePath('a'), { body: '1' })
    expect(api.ready).toEqual([0])
    const waiting = api.next()
    await until(() => api.ready.length === 2)
    expect(api.ready).toEqual([0, 1])
    api.invoke(event('b'))
    expect((await waiting).text).toBe('{"id":"b"}')
  })
})

describe('one invocation at a time', () => {
  it('is refused when another is in progress', async () => {
    api.invoke(event('a'))
    expect(() => api.invoke(event('b'))).toThrow('invocation a is still in progress')
  })

  it('uses the connection of the runtime for hundreds of invocations', async () => {
    for (let i = 0; i < 300; i++) {
      const waiting = api.next()
      await until(() => api.ready.length === i + 1)
      api.invoke(event(`r${i}`))
      expect((await waiting).headers['lambda-runtime-aws-request-id']).toBe(`r${i}`)
      expect((await api.call('POST', responsePath(`r${i}`), { body: `${i}` })).status).toBe(202)
    }
    expect(api.outcomes.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 300 }, (_, i) => `r${i}`))
    expect(Object.values(api.agent.freeSockets).flat().length).toBe(1)
  })
})

describe('init/error', () => {
  it('reaches the observer with body and type', async () => {
    const body = '{"errorMessage":"no module","errorType":"Runtime.ImportModuleError","requestId":"","stackTrace":[]}'
    const reply = await api.call('POST', INIT_ERROR, {
      body,
      headers: { 'Lambda-Runtime-Function-Error-Type': 'Runtime.ImportModuleError' },
    })
    expect([reply.status, reply.text]).toEqual([202, '{"status":"OK"}\n'])
    expect(api.initErrors.map(({ errorType }) => errorType)).toEqual(['Runtime.ImportModuleError'])
    expect(Buffer.from(api.initErrors[0]?.payload ?? []).toString()).toBe(body)
  })

  it('is refused after Init, and next is refused after it', async () => {
    const { status } = await api.call('POST', INIT_ERROR, { body: '{}' })
    expect(status).toBe(202)
    const next = await api.next()
    expect([next.status, next.text]).toEqual([
      403,
      '{"errorMessage":"State transition from InitError to Ready failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n',
    ])
    const again = await api.call('POST', INIT_ERROR, { body: '{}' })
    expect(again.text).toContain('from InitError to InitError failed for runtime')
    expect(api.initErrors.length).toBe(1)
    expect(api.ready).toEqual([])
  })

  it('during an invocation is a 403 that leaves the invocation alone', async () => {
    api.invoke(event('a'))
    await api.next()
    const reply = await api.call('POST', INIT_ERROR, { body: '{}' })
    expect(reply.status).toBe(403)
    expect(reply.text).toContain('from Running to InitError')
    expect((await api.call('POST', responsePath('a'), { body: '1' })).status).toBe(202)
  })

  it('larger than a response may be is answered 413 and still ends Init', async () => {
    const reply = await api.call('POST', INIT_ERROR, { body: Buffer.alloc(6_291_557) })
    expect(reply.status).toBe(413)
    expect(api.initErrors.map(({ errorType }) => errorType)).toEqual(['Function.ResponseSizeTooLarge'])
  })
})

describe('reset', () => {
  it('drops the connections and begins anew on the same address', async () => {
    const { address } = api.session
    const waiting = api.next().catch((error: Error) => error)
    await until(() => api.ready.length === 1)
    api.invoke(event('a'))
    await waiting
    const open = await api.raw()
    api.session.reset()
    await open.closed
    expect(api.session.address).toBe(address)
    const late = await api.call('POST', responsePath('a'), { body: '1' })
    expect([late.status, late.text]).toEqual([
      400,
      '{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n',
    ])
    const booted = api.next()
    await until(() => api.ready.length === 2)
    api.invoke(event('b'))
    expect((await booted).text).toBe('{"id":"b"}')
    expect(api.outcomes).toEqual([])
  })

  it('forgets a response of which only a part had come', async () => {
    api.invoke(event('a'))
    await api.next()
    const half = await api.raw()
    half.write(`POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345`)
    await until(() => half.socket.bytesWritten > 0)
    await api.call('GET', '/ping')
    api.session.reset()
    await half.closed
    api.invoke(event('b'))
    expect((await api.next()).text).toBe('{"id":"b"}')
    expect((await api.call('POST', responsePath('b'), { body: '1' })).status).toBe(202)
    expect(api.outcomes.map(({ requestId }) => requestId)).toEqual(['b'])
  })
})

describe('close', () => {
  it('drops a waiting next', async () => {
    const waiting = boot().catch((error: Error & { code?: string }) => error.code)
    await until(() => api.ready.length === 1)
    api.session.close()
    expect(await waiting).toBe('ECONNRESET')
  })

  it('refuses later invocations', () => {
    api.session.close()
    api.session.close()
    expect(() => api.invoke(event('a'))).toThrow('the session is closed')
  })
})

describe('everything else', () => {
  it('answers ping', async () => {
    const reply = await api.call('GET', '/ping')
    expect([reply.status, reply.text]).toEqual([200, 'pong'])
  })

  it.each([
    ['GET', '/2018-06-01/runtime/restore/next'],
    ['POST', '/2018-06-01/runtime/restore/error'],
    ['GET', '/2018-06-01/runtime'],
    ['POST', '/2018-06-01/runtime/invocation//response'],
    ['POST', '/2018-06-01/runtime/invocation/a/b/response'],
    ['GET', '/2020-01-01/extension'],
    ['GET', '/nothing'],
  ])('%s %s is 404', async (method, path) => {
    const reply = await api.call(method, path)
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
      404,
      '404 page not found\n',
      'text/plain; charset=utf-8',
    ])
  })

  it.each([
    ['POST', NEXT],
    ['GET', responsePath('a')],
    ['PUT', errorPath('a')],
    ['GET', INIT_ERROR],
    ['POST', '/ping'],
  ])('%s %s is 405', async (method, path) => {
    const reply = await api.call(method, path, method === 'GET' ? {} : { body: 'x' })
    expect([reply.status, reply.text]).toEqual([405, ''])
  })

  it('takes no notice of a query', async () => {
    api.invoke(event('a'))
    expect((await api.next()).status).toBe(200)
    expect((await api.call('GET', `${NEXT}?x=1`)).text).toBe('{"id":"a"}')
    expect((await api.call('POST', `${responsePath('a')}?x=1`, { body: '1' })).status).toBe(202)
  })

  it('goes to the fallback outside the paths of the in-sandbox APIs', async () => {
    await api.close()
    const paths: string[] = []
    api = await Harness.open({
      fallback: (request, response) => {
        paths.push(request.url ?? '')
        response.end('lambda')
      },
    })
    expect((await api.call('POST', '/2015-03-31/functions/f/invocations?Qualifier=1', { body: '1' })).text).toBe(
      'lambda',
    )
    expect((await api.call('GET', '/2018-06-01/runtime/nothing')).status).toBe(404)
    expect((await api.call('GET', '/2018-06-01/runtimes')).text).toBe('lambda')
    expect((await api.call('GET', '/ping')).text).toBe('pong')
    expect(paths).toEqual(['/2015-03-31/functions/f/invocations?Qualifier=1', '/2018-06-01/runtimes'])
  })
})
