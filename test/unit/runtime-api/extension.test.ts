import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXTENSION, event, Harness, INIT_ERROR, responsePath, until } from './harness.ts'

let api: Harness
beforeEach(async () => {
  api = await Harness.open({ identity: { functionName: 'hello', functionVersion: '$LATEST', handler: 'a.b' } })
})
afterEach(() => api.close())

const REGISTER = `${EXTENSION}/register`
const EVENT_NEXT = `${EXTENSION}/event/next`

function register(name: string | undefined, body: string) {
  return api.call('POST', REGISTER, { body, headers: name === undefined ? {} : { 'Lambda-Extension-Name': name } })
}

async function registered(events: string[] | null, name = 'GoLangEnableSIGTERM'): Promise<Record<string, string>> {
  const reply = await register(name, JSON.stringify({ events }))
  expect(reply.status).toBe(200)
  return { 'Lambda-Extension-Identifier': String(reply.headers['lambda-extension-identifier']) }
}

describe('registration', () => {
  it('gives an identifier and describes the function', async () => {
    const reply = await register('x', '{"events":["INVOKE"]}')
    expect(reply.headers['lambda-extension-identifier']).toMatch(/^[0-9a-f-]{36}$/)
    expect(reply.text).toBe('{"functionName":"hello","functionVersion":"$LATEST","handler":"a.b"}\n')
  })

  it.each([
    [undefined, '{}', 'Extension.InvalidExtensionName', 'Empty extension name'],
    ['x', '{"events":["FOO"]}', 'Extension.InvalidEventType', 'FOO: ErrorInvalidEventType'],
    [
      'x',
      '{"events":["INVOKE","SHUTDOWN"]}',
      'Extension.InvalidEventType',
      'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension',
    ],
    [
      'x',
      '{"configurationKeys":["a"]}',
      'InvalidRequestFormat',
      'configurationKeys are deprecated; use environment variables instead',
    ],
    ['x', '[]', 'InvalidRequestFormat', 'expected a JSON object'],
    ['x', '{"events":[1]}', 'InvalidRequestFormat', 'events must be an array of strings'],
  ])('as %s with %s is refused with %s', async (name, body, errorType, errorMessage) => {
    const reply = await register(name, body)
    expect([reply.status, reply.text]).toEqual([403, `${JSON.stringify({ errorMessage, errorType })}\n`])
  })

  it('without JSON is refused', async () => {
    const reply = await register('x', '')
    expect(reply.status).toBe(403)
    expect(JSON.parse(reply.text)).toMatchObject({ errorType: 'InvalidRequestFormat' })
  })

  it('twice under one name is refused', async () => {
    await registered([], 'x')
    expect((await register('x', '{}')).text).toBe(
      '{"errorMessage":"Extension with this name already registered","errorType":"Extension.InvalidExtensionState"}\n',
    )
  })

  it('ends at ten extensions', async () => {
    for (let i = 0; i < 10; i++) await registered([], `x${i}`)
    expect((await register('x10', '{}')).text).toBe(
      '{"errorMessage":"Extension limit (10) reached","errorType":"Extension.TooManyExtensions"}\n',
    )
  })

  it('is closed once the runtime has called next', async () => {
    api.invoke(event('a'))
    await api.next()
    expect((await register('x', '{}')).text).toBe(
      '{"errorMessage":"Extension registration closed already","errorType":"Extension.RegistrationClosed"}\n',
    )
  })

  it('with a body beyond 64 KiB is refused', async () => {
    expect((await register('x', ' '.repeat(70_000))).status).toBe(413)
  })
})

describe('the identifier', () => {
  it.each([
    [{}, 'Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header'],
    [
      { 'Lambda-Extension-Identifier': 'x' },
      'Extension.InvalidExtensionIdentifier',
      'Invalid Lambda-Extension-Identifier',
    ],
    [
      { 'Lambda-Extension-Identifier': '11111111-2222-3333-4444-555555555555' },
      'Extension.UnknownExtensionIdentifier',
      'Unknown extension 11111111-2222-3333-4444-555555555555',
    ],
  ])('%j is refused with %s', async (headers, errorType, errorMessage) => {
    const expected = [403, `${JSON.stringify({ errorMessage, errorType })}\n`]
    const next = await api.call('GET', EVENT_NEXT, { headers })
    expect([next.status, next.text]).toEqual(expected)
    for (const path of ['/init/error', '/exit/error']) {
      const reply = await api.call('POST', EXTENSION + path, { headers, body: '{}' })
      expect([reply.status, reply.text]).toEqual(expected)
    }
  })
})

describe('readiness', () => {
  it('of a Go function with WithEnableSIGTERM needs its event/next, which then blocks for ever', async () => {
    const headers = await registered(null)
    void api.next().catch(() => {})
    await api.call('GET', '/ping')
    expect(api.ready).toEqual([])
    let answered = false
    void api
      .call('GET', EVENT_NEXT, { headers })
      .then(() => {
        answered = true
      })
      .catch(() => {})
    await until(() => api.ready.length === 1)
    for (const id of ['a', 'b']) {
      api.invoke(event(id))
      await until(() => Object.values(api.agent.freeSockets).flat().length > 0)
      expect((await api.call('POST', responsePath(id), { body: '1' })).status).toBe(202)
      void api.next().catch(() => {})
      await until(() => api.ready.length === (id === 'a' ? 2 : 3))
    }
    expect(answered).toBe(false)
  })

  it('after an invocation needs event/next of an extension registered for INVOKE', async () => {
    const headers = await registered(['INVOKE'])
    const eventNext = () => api.call('GET', EVENT_NEXT, { headers })
    const first = eventNext()
    const running = api.next()
    await until(() => api.ready.length === 1)
    api.invoke(event('a'))
    const told = await first
    expect(JSON.parse(told.text)).toEqual({
      eventType: 'INVOKE',
      deadlineMs: 1_700_000_000_123,
      requestId: 'a',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
      tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0' },
    })
    expect(told.headers['lambda-extension-event-identifier']).toMatch(/^[0-9a-f-]{36}$/)
    await running
    await api.call('POST', responsePath('a'), { body: '1' })
    void api.next().catch(() => {})
    await api.call('GET', '/ping')
    await api.call('GET', '/ping')
    expect(api.ready.length).toBe(1)
    void eventNext().catch(() => {})
    await until(() => api.ready.length === 2)
  })

  it('does not wait for an extension that reported its failure', async () => {
    const headers = await registered(['INVOKE'])
    void api.next().catch(() => {})
    const reply = await api.call('POST', `${EXTENSION}/exit/error`, {
      headers: { ...headers, 'Lambda-Extension-Function-Error-Type': 'Extension.Gone' },
      body: '{}',
    })
    expect([reply.status, reply.text]).toEqual([202, '{"status":"OK"}\n'])
    await until(() => api.ready.length === 1)
    expect((await api.call('GET', EVENT_NEXT, { headers })).text).toContain(
      'State transition from ExitError to Ready failed for extension GoLangEnableSIGTERM. Error: State transition is not allowed',
    )
  })

  it('keeps an invocation for an extension whose connection was lost', async () => {
    const headers = await registered(['INVOKE'])
    const lost = await api.raw()
    lost.write(
      `GET ${EVENT_NEXT} HTTP/1.1\r\nHost: x\r\nLambda-Extension-Identifier: ${headers['Lambda-Extension-Identifier']}\r\n\r\n`,
    )
    const running = api.next()
    await until(() => api.ready.length === 1)
    lost.socket.destroy()
    await lost.closed
    await api.call('GET', '/ping')
    api.invoke(event('a'))
    await running
    expect(JSON.parse((await api.call('GET', EVENT_NEXT, { headers })).text)).toMatchObject({ requestId: 'a' })
  })
})

describe('init/error of an extension', () => {
  it('fails Init once, however often it is repeated', async () => {
    const headers = {
      ...(await registered([])),
      'Lambda-Extension-Function-Error-Type': 'Extension.ConfigInvalid',
    }
    for (let i = 0; i < 2; i++) {
      expect(
        (await api.call('POST', `${EXTENSION}/init/error`, { headers, body: '{"errorMessage":"m"}' })).status,
      ).toBe(202)
    }
    expect(api.initErrors.map(({ errorType }) => errorType)).toEqual(['Extension.InitError'])
  })

  it('needs its type', async () => {
    const reply = await api.call('POST', `${EXTENSION}/init/error`, { headers: await registered([]), body: '{}' })
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      403,
      {
        errorMessage: 'Lambda-Extension-Function-Error-Type not found',
        errorType: 'Extension.MissingHeader',
      },
    ])
  })
})

describe('reset', () => {
  it('forgets the extensions, so that the next boot may register them again', async () => {
    await registered([], 'x')
    await api.call('POST', INIT_ERROR, { body: '{}' })
    api.session.reset()
    await until(() => Object.values(api.agent.freeSockets).flat().length === 0)
    await registered([], 'x')
  })
})

describe('the Telemetry and Logs API', () => {
  it('answer 202 with the body that says there is none, as AWS’s emulator does', async () => {
    const telemetry = await api.call('PUT', '/2022-07-01/telemetry', { body: '{}' })
    expect([telemetry.status, telemetry.text]).toEqual([
      202,
      '{"errorMessage":"Telemetry API is not supported","errorType":"Telemetry.NotSupported"}\n',
    ])
    const logs = await api.call('PUT', '/2020-08-15/logs', { body: '{}' })
    expect([logs.status, logs.text]).toEqual([
      202,
      '{"errorMessage":"Logs API is not supported","errorType":"Logs.NotSupported"}\n',
    ])
  })
})
