import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { responseOf } from '../../../../src/api/http/http-answer.ts'
import { invokeAsyncHandler, invokeHandler } from '../../../../src/api/invoke/invoke.ts'
import { invokeCallOf } from '../../../../src/api/invoke/invoke-call.ts'
import { INPUT_MODEL, type StructureShape } from '../../../../src/api/model/shapes.ts'
import type { InvokeRequest, Invoker } from '../../../../src/invoke/invoke.ts'

function setUp() {
  const asked: InvokeRequest[] = []
  const invoker = {
    invoke: (request: InvokeRequest) => {
      asked.push(request)
      return Promise.resolve({ type: 'DryRun' } as const)
    },
  } as unknown as Invoker
  const log = { error: () => {} }
  const [handle, handleAsync] = [invokeHandler(invoker, log), invokeAsyncHandler(invoker, log)]
  const caller = { account: '111111111111', region: 'us-east-1' }
  const app = new Hono()
    .post('/:name', async (c) => responseOf(await handle(invokeCallOf(c), caller)))
    .post('/:name/invoke-async', async (c) => responseOf(await handleAsync(invokeCallOf(c), caller)))
  const send = async (headers: Record<string, string>, path = '/f') => {
    const answer = await app.request(path, { method: 'POST', headers, body: '{}' })
    const body = (await answer.text()) || '{}'
    const { message, Message } = JSON.parse(body) as { message?: string; Message?: string }
    return { status: answer.status, text: message ?? Message ?? '', requestId: answer.headers.get('x-amzn-requestid') }
  }
  return { asked, send }
}

describe('headers of Invoke', () => {
  it('are handed on, whether a function takes them or not', async () => {
    const { asked, send } = setUp()
    expect((await send({ 'X-Amz-Tenant-Id': 'blue', 'X-Amz-Durable-Execution-Name': 'order-1' })).status).toBe(204)
    expect(asked).toMatchObject([{ tenantId: 'blue', durableExecutionName: 'order-1' }])
    await send({})
    expect([asked[1]?.tenantId, asked[1]?.durableExecutionName]).toEqual([undefined, undefined])
  })

  it.each(['/f', '/a%20b'])('name the request, also in the answer that refuses it: %s', async (path) => {
    const { send } = setUp()
    const requestId = '0f8c6d2e-1111-4222-8333-444455556666'
    expect((await send({ 'X-Amzn-RequestId': requestId.toUpperCase() }, path)).requestId).toBe(requestId)
    expect((await send({ 'X-Amzn-RequestId': 'mine' }, path)).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('are all of the model', async () => {
    const { asked, send } = setUp()
    const values: Readonly<Record<string, readonly [value: string, handedOn: Partial<InvokeRequest>]>> = {
      'X-Amz-Invocation-Type': ['DryRun', { invocationType: 'DryRun' }],
      'X-Amz-Log-Type': ['Tail', { tail: true }],
      'X-Amz-Client-Context': ['e30=', { clientContext: 'e30=' }],
      'X-Amz-Durable-Execution-Name': ['order-1', { durableExecutionName: 'order-1' }],
      'X-Amz-Tenant-Id': ['blue', { tenantId: 'blue' }],
    }
    const { members } = INPUT_MODEL.shapes.InvocationRequest as StructureShape
    const headers = Object.values(members).flatMap((place) =>
      typeof place !== 'string' && place[1] === 'header' ? [place[2]] : [],
    )
    expect(Object.keys(values).sort()).toEqual(headers.sort())
    for (const [header, [value, handedOn]] of Object.entries(values)) {
      await send({ [header]: value })
      expect(asked.at(-1)).toMatchObject(handedOn)
    }
  })

  it.each([
    ['X-Amz-Tenant-Id', 'a#b', 'tenantId', 'regular expression pattern: [a-zA-Z0-9\\._:\\/=+\\-@ ]+'],
    ['X-Amz-Tenant-Id', 'a'.repeat(257), 'tenantId', 'length less than or equal to 256'],
    ['X-Amz-Durable-Execution-Name', 'a.b', 'durableExecutionName', 'regular expression pattern: [a-zA-Z0-9-_]+'],
    ['X-Amz-Invocation-Type', 'event', 'invocationType', 'enum value set: [Event, RequestResponse, DryRun]'],
    ['X-Amz-Log-Type', 'All', 'logType', 'enum value set: [None, Tail]'],
  ])('are refused in the words of the model: %s %s', async (header, value, member, rule) => {
    const { asked, send } = setUp()
    const { status, text } = await send({ [header]: value })
    expect([status, asked]).toEqual([400, []])
    expect(text).toContain(
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: `,
    )
    expect(text).toContain(rule)
  })

  it('are refused together, with the name', async () => {
    const { text } = await setUp().send({ 'X-Amz-Invocation-Type': 'x', 'X-Amz-Log-Type': 'y' }, '/a%20b')
    expect(text).toMatch(/^3 validation errors detected: /)
  })
})

describe('a body that is announced as larger than any may be', () => {
  it.each([
    ['/f', 'RequestResponse', 'Request must be smaller than 6291456 bytes for the InvokeFunction operation'],
    ['/f', 'Event', '7000000 byte payload is too large for the Event invocation type (limit 1048576 bytes)'],
    ['/f/invoke-async', '-', '7000000 byte payload is too large for the Event invocation type (limit 262144 bytes)'],
  ])('is refused at once with the limit of its operation: %s %s', async (path, type, message) => {
    const { asked, send } = setUp()
    const headers = { 'Content-Length': '7000000', ...(type === '-' ? {} : { 'X-Amz-Invocation-Type': type }) }
    expect([await send(headers, path), asked]).toMatchObject([{ status: 413, text: message }, []])
  })
})
