import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorPath, event, Harness, responsePath, type Seen, until } from './harness.ts'

const LIMIT = 6 * 1024 * 1024 + 100

let api: Harness
beforeEach(async () => {
  api = await Harness.open()
  api.invoke(event('a'))
  await api.next()
})
afterEach(() => api.close())

function outcome(): Seen {
  expect(api.outcomes.map(({ requestId }) => requestId)).toEqual(['a'])
  return (api.outcomes[0] as { outcome: Seen }).outcome
}

function text(payload: Uint8Array): string {
  return Buffer.from(payload).toString()
}

describe('response', () => {
  it('is accepted with the body that .NET parses, and its bytes are the outcome', async () => {
    const reply = await api.call('POST', responsePath('a'), { body: '{"ok":"ü"}' })
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
      202,
      '{"status":"OK"}\n',
      'application/json',
    ])
    const result = outcome()
    expect(result.kind).toBe('response')
    if (result.kind === 'response') expect(text(result.payload)).toBe('{"ok":"ü"}')
  })

  it('may be empty', async () => {
    expect((await api.call('POST', responsePath('a'), { body: '' })).status).toBe(202)
    expect(outcome()).toMatchObject({ kind: 'response', payload: Buffer.alloc(0) })
  })

  it('may be chunked with announced but empty trailers, as Go sends every one', async () => {
    const connection = await api.raw()
    connection.write(
      `POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n` +
        'Trailer: Lambda-Runtime-Function-Error-Type,Lambda-Runtime-Function-Error-Body\r\n\r\n3\r\n"ab\r\n2\r\nc"\r\n0\r\n\r\n',
    )
    await until(() => connection.received.includes('OK'))
    const result = outcome()
    expect(result.kind === 'response' && text(result.payload)).toBe('"abc"')
    connection.socket.destroy()
  })

  it('may come in ten thousand chunks of one byte', async () => {
    const connection = await api.raw()
    connection.write(`POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    connection.write('1\r\nx\r\n'.repeat(10_000))
    connection.write('0\r\n\r\n')
    await until(() => connection.received.includes('OK'))
    const result = outcome()
    expect(result.kind === 'response' && text(result.payload)).toBe('x'.repeat(10_000))
    connection.socket.destroy()
  })

  it('of exactly the limit is accepted unchanged', async () => {
    const body = Buffer.alloc(LIMIT, 'abc')
    expect((await api.call('POST', responsePath('a'), { body })).status).toBe(202)
    const result = outcome()
    expect(result.kind === 'response' && Buffer.compare(result.payload, body)).toBe(0)
  })

  const tooLarge =
    '{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}\n'

  it('of one byte more is answered 413, and a following /error 403', async () => {
    const reply = await api.call('POST', responsePath('a'), { body: Buffer.alloc(LIMIT + 1) })
    expect([reply.status, reply.text]).toEqual([413, tooLarge])
    expect(outcome()).toEqual({ kind: 'too-large' })
    const error = await api.call('POST', errorPath('a'), { body: '{}' })
    expect([error.status, error.text]).toEqual([
      403,
      '{"errorMessage":"State transition from RuntimeResponseSentState to InvocationErrorResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n',
    ])
    void api.next().catch(() => {})
    await until(() => api.ready.length === 2)
  })

  it('over the limit is found out while a chunked body is still coming', async () => {
    const connection = await api.raw()
    connection.write(`POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    connection.write(`${(LIMIT + 1).toString(16)}\r\n`)
    connection.write(Buffer.alloc(LIMIT + 1, 'x'))
    await until(() => api.outcomes.length === 1)
    expect(outcome()).toEqual({ kind: 'too-large' })
    expect(connection.received).toBe('')
    connection.write('\r\n0\r\n\r\n')
    await until(() => connection.received.endsWith(tooLarge))
    expect(connection.received).toMatch(/^HTTP\/1.1 413 /)
    connection.socket.destroy()
  })

  it('without an end is given up, with the answer and the connection', async () => {
    const connection = await api.raw()
    connection.write(`POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n`)
    await until(() => api.outcomes.length === 1)
    const block = Buffer.alloc(1024 * 1024)
    const feed = () => {
      while (!connection.socket.destroyed && connection.socket.write(block)) {}
    }
    connection.socket.on('drain', feed)
    feed()
    await connection.closed
    expect(outcome()).toEqual({ kind: 'too-large' })
    expect((await api.call('GET', '/ping')).status).toBe(200)
  })

  it('is refused for an id that is not the current one', async () => {
    for (const id of ['b', '..', '%00', 'a%2Fb']) {
      const reply = await api.call('POST', responsePath(id), { body: 'x' })
      expect([reply.status, reply.text]).toEqual([
        400,
        '{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n',
      ])
    }
    expect(api.outcomes).toEqual([])
    expect((await api.call('POST', responsePath('a'), { body: '1' })).status).toBe(202)
  })

  it('is refused the second time', async () => {
    await api.call('POST', responsePath('a'), { body: '1' })
    const reply = await api.call('POST', responsePath('a'), { body: '2' })
    expect([reply.status, reply.text]).toEqual([
      403,
      '{"errorMessage":"State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n',
    ])
    expect(api.outcomes.length).toBe(1)
  })

  it('is refused while another one is being read', async () => {
    const first = await api.raw()
    first.write(`POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1`)
    let status = 0
    while (status !== 403) {
      // Until the first one's head has arrived this is only a wrong id.
      status = (await api.call('POST', responsePath('b'), { body: '' })).status === 400 ? 403 : 0
    }
    await until(() => first.socket.bytesWritten > 0)
    await api.call('GET', '/ping')
    const second = await api.call('POST', responsePath('a'), { body: '2' })
    expect(second.text).toContain('from InvocationResponse to InvocationResponse failed')
    expect((await api.next()).text).toContain('from InvocationResponse to Ready failed')
    first.write('2')
    await until(() => first.received.includes('202'))
    const result = outcome()
    expect(result.kind === 'response' && text(result.payload)).toBe('12')
    first.socket.destroy()
  })

  it('with an unknown response mode is 400 and fails the invocation', async () => {
    const reply = await api.call('POST', responsePath('a'), {
      body: '1',
      headers: { 'Lambda-Runtime-Function-Response-Mode': 'bogus' },
    })
    expect([reply.status, reply.text]).toEqual([
      400,
      '{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}\n',
    ])
    expect(outcome()).toEqual({ kind: 'invalid-response-mode' })
    expect((await api.call('POST', errorPath('a'), { body: '{}' })).status).toBe(403)
  })
})

describe('a truncated response', () => {
  const head = `POST ${responsePath('a')} HTTP/1.1\r\nHost: x\r\n`

  it('fails the invocation when the connection breaks', async () => {
    const connection = await api.raw()
    connection.write(`${head}Content-Length: 10\r\n\r\n12345`)
    await api.call('GET', '/ping')
    connection.socket.resetAndDestroy()
    await until(() => api.outcomes.length === 1)
    expect(outcome()).toEqual({ kind: 'truncated' })
  })

  it('is answered 400 when only the sending side was closed', async () => {
    const connection = await api.raw()
    connection.socket.end(`${head}Content-Length: 10\r\n\r\n12345`)
    await connection.closed
    expect(outcome()).toEqual({ kind: 'truncated' })
    expect(connection.received).toMatch(/^HTTP\/1.1 400 /)
    expect(connection.received).toContain(
      '{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}\n',
    )
  })

  it.each(['5\r\n123', '5\r\n12345\r\nzz\r\n', '-1\r\n', '5;ext="\r\n'])(
    'may be broken chunking: %j',
    async (chunks) => {
      const connection = await api.raw()
      connection.socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`)
      await connection.closed
      await until(() => api.outcomes.length === 1)
      expect(outcome()).toEqual({ kind: 'truncated' })
      void api.next().catch(() => {})
      await until(() => api.ready.length === 2)
    },
  )
})

describe('a streamed response', () => {
  const streaming = { 'Lambda-Runtime-Function-Response-Mode': 'streaming' }

  it('is collected into one payload', async () => {
    const reply = await api.call('POST', responsePath('a'), {
      chunks: ['one ', 'two'],
      headers: streaming,
      trailers: {},
    })
    expect(reply.status).toBe(202)
    const result = outcome()
    expect(result.kind === 'response' && text(result.payload)).toBe('one two')
  })

  it('that ends with the error trailers is a stream error with what came before', async () => {
    const body = '{"errorType":"E","errorMessage":"half-way"}'
    await api.call('POST', responsePath('a'), {
      chunks: ['part'],
      headers: streaming,
      trailers: {
        'Lambda-Runtime-Function-Error-Type': 'Function.StreamError',
        'Lambda-Runtime-Function-Error-Body': Buffer.from(body).toString('base64'),
      },
    })
    const result = outcome()
    expect(result).toMatchObject({ kind: 'stream-error', errorType: 'Function.StreamError' })
    if (result.kind === 'stream-error') expect([text(result.payload), text(result.errorBody)]).toEqual(['part', body])
  })

  it('has the limit of a buffered one', async () => {
    const reply = await api.call('POST', responsePath('a'), { chunks: [Buffer.alloc(LIMIT), 'x'], headers: streaming })
    expect(reply.status).toBe(413)
    expect(outcome()).toEqual({ kind: 'too-large' })
  })
})

describe('Lambda-Runtime-Invocation-Id', () => {
  it('is accepted when it is echoed, and 410 when it is another one', async () => {
    const id = String((await api.next()).headers['lambda-runtime-invocation-id'])
    const stale = await api.call('POST', responsePath('a'), {
      body: '1',
      headers: { 'Lambda-Runtime-Invocation-Id': '00000000-0000-0000-0000-000000000000' },
    })
    expect([stale.status, stale.text]).toEqual([410, '{"errorMessage":"Invoke timeout","errorType":"InvokeTimeout"}\n'])
    expect(api.outcomes).toEqual([])
    const good = await api.call('POST', responsePath('a'), {
      body: '1',
      headers: { 'Lambda-Runtime-Invocation-Id': id },
    })
    expect(good.status).toBe(202)
  })
})

describe('error', () => {
  it('carries the body unchanged and the type of the header', async () => {
    const body = '{"errorMessage":"m","errorType":"ValueError","stackTrace":[]}'
    const reply = await api.call('POST', errorPath('a'), {
      body,
      headers: { 'Lambda-Runtime-Function-Error-Type': 'Runtime.BadFunctionCode' },
    })
    expect([reply.status, reply.text]).toEqual([202, '{"status":"OK"}\n'])
    const result = outcome()
    expect(result).toMatchObject({ kind: 'error', errorType: 'Runtime.BadFunctionCode' })
    expect(result.kind === 'error' && text(result.payload)).toBe(body)
  })

  it('takes the type from the trailer, as Go may send it', async () => {
    await api.call('POST', errorPath('a'), {
      chunks: ['{}'],
      trailers: { 'Lambda-Runtime-Function-Error-Type': 'Function.FromTrailer' },
    })
    expect(outcome()).toMatchObject({ kind: 'error', errorType: 'Function.FromTrailer' })
  })

  it('takes the type from the body, as Node and Python send it, and accepts any bytes', async () => {
    await api.call('POST', errorPath('a'), { body: '{"errorType":"Runtime.UserCodeSyntaxError"}' })
    expect(outcome()).toMatchObject({ kind: 'error', errorType: 'Runtime.UserCodeSyntaxError' })
  })

  it('comes with an X-Ray cause of a megabyte as a header', async () => {
    const reply = await api.call('POST', errorPath('a'), {
      body: 'not json',
      headers: { 'Lambda-Runtime-Function-XRay-Error-Cause': 'x'.repeat(1024 * 1024) },
    })
    expect(reply.status).toBe(202)
    expect(outcome()).toMatchObject({ kind: 'error', errorType: 'Runtime.Unknown' })
  })

  it('without its X-Ray cause goes to the caller when the body combines both', async () => {
    await api.call('POST', errorPath('a'), {
      body: '{"errorMessage":"m","errorType":"T","stackTrace":[],"errorCause":{}}',
      headers: { 'Content-Type': 'application/vnd.aws.lambda.error.cause+json' },
    })
    const result = outcome()
    expect(result.kind === 'error' && text(result.payload)).toBe('{"errorMessage":"m","errorType":"T","stackTrace":[]}')
  })

  it('over the limit is answered 413', async () => {
    expect((await api.call('POST', errorPath('a'), { body: Buffer.alloc(LIMIT + 1) })).status).toBe(413)
    expect(outcome()).toEqual({ kind: 'too-large' })
  })

  it('is refused for another id', async () => {
    expect((await api.call('POST', errorPath('b'), { body: '{}' })).status).toBe(400)
    expect(api.outcomes).toEqual([])
  })
})
