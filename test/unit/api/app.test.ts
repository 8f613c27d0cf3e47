import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { type ApiOptions, createApi } from '../../../src/api/app.ts'
import { EARLIER_OPERATIONS } from '../../../src/api/earlier-api.ts'
import { Uploads } from '../../../src/api/http/uploads.ts'
import { OPERATIONS } from '../../../src/api/operations/table.ts'
import { SIBLING_OPERATIONS } from '../../../src/api/siblings.ts'
import type { ControlPlane } from '../../../src/control/control-plane.ts'
import { LambdaException } from '../../../src/lambda/errors.ts'
import { OperatorError } from '../../../src/telemetry/operator-error.ts'

interface Setup {
  readonly functions?: Partial<ControlPlane['functions']>
  readonly options?: Partial<ApiOptions>
}

function setUp({ functions = {}, options = {} }: Setup = {}) {
  const logged: { detail: object; message: string }[] = []
  const app = createApi({
    control: { functions } as unknown as ControlPlane,
    caller: { account: '111111111111', region: 'us-east-1' },
    invoke: async ({ name }, caller) => ({
      status: 200,
      headers: {},
      body: JSON.stringify({ invoked: name, ...caller }),
    }),
    uploads: new Uploads(),
    codeLocation: { secret: new Uint8Array(32), code: {} as never, clock: () => 0 },
    log: { error: (detail, message) => void logged.push({ detail, message }) },
    ...options,
  })
  return { app, logged }
}

describe('the API', () => {
  it('hides what went wrong inside, and logs it once with the request id', async () => {
    const cause = new Error('the secret of the database')
    const { app, logged } = setUp({ functions: { list: () => Promise.reject(cause) } })
    const answer = await app.request('/2015-03-31/functions')
    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual({
      Type: 'Service',
      Message: 'An error occurred and the request cannot be processed.',
    })
    expect(answer.headers.get('x-amzn-errortype')).toBe('ServiceException')
    expect(logged).toEqual([
      {
        detail: { err: cause, requestId: answer.headers.get('x-amzn-requestid') },
        message: 'a request failed: ServiceException',
      },
    ])
  })

  it('logs what the operator can mend with its remedy and without a stack', async () => {
    const { app, logged } = setUp({
      functions: { list: () => Promise.reject(new OperatorError('The disk of /data is full.', 'Free some space.')) },
    })
    const answer = await app.request('/2015-03-31/functions')
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([500, 'ServiceException'])
    expect(await answer.text()).not.toContain('/data')
    const requestId = answer.headers.get('x-amzn-requestid')
    expect(logged).toEqual([
      { detail: { requestId, remedy: 'Free some space.' }, message: 'The disk of /data is full.' },
    ])
  })

  it('answers refusals with their members, headers and nothing in the log', async () => {
    const refusal = new LambdaException('TooManyRequestsException', 'Rate Exceeded.', {
      members: { Reason: 'ConcurrentInvocationLimitExceeded' },
      headers: { 'Retry-After': '1' },
    })
    const { app, logged } = setUp({
      functions: { list: () => Promise.reject(refusal) },
    })
    const answer = await app.request('/2015-03-31/functions')
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.text()).toBe(
      '{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
    )
    expect(logged).toEqual([])
  })

  it('takes the account of presigned URLs', async () => {
    const { app } = setUp()
    const credential = encodeURIComponent('444444444444/20260101/eu-west-3/lambda/aws4_request')
    const answer = await app.request(`/2015-03-31/functions/f/invocations?X-Amz-Credential=${credential}`, {
      method: 'POST',
    })
    expect(await answer.json()).toMatchObject({ account: '444444444444', region: 'eu-west-3' })
  })

  it('tells operations of one route apart by their query', async () => {
    const { app } = setUp()
    const text = async (path: string) => (await app.request(path)).text()
    expect(await text('/2018-10-31/layers?find=LayerVersion&Arn=x')).toContain("at 'arn'")
    expect(await text('/2018-10-31/layers/?CompatibleRuntime=x')).toContain("at 'compatibleRuntime'")
  })

  it('checks requests against the model before it says that it has no such operation', async () => {
    const { app } = setUp()
    const answer = await app.request('/2021-10-31/functions/a%20b/url')
    expect(answer.status).toBe(400)
    expect(answer.headers.get('x-amzn-errortype')).toBe('ValidationException')
    expect(((await answer.json()) as { message: string }).message).toMatch(
      /at 'functionName' failed to satisfy constraint/,
    )
  })

  it('takes every path with a slash at its end too, as older SDKs send some', async () => {
    const { app } = setUp({ options: { invokeAsync: async () => ({ status: 202, headers: {} }) } })
    for (const { name, method, path, query } of OPERATIONS) {
      const filled = path.replace(/\{\w+\}/g, 'x')
      const answer = await app.request(`${filled}/${query ? `?${query.join('=')}` : ''}`, { method })
      expect(await answer.text(), name).not.toContain('There is no operation')
    }
  })

  it('refuses the operations of 2014 by their names, with what came after them', async () => {
    const { app } = setUp()
    for (const path of ['/2014-11-13/functions', '/2014-11-13/functions/']) {
      const answer = await app.request(path)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException')
      expect(await answer.json()).toEqual({
        Message:
          'ListFunctions belongs to the Lambda API 2014-11-11, which has no runtime left. Use ListFunctions of the API 2015-03-31.',
      })
    }
    const names = new Set(OPERATIONS.map(({ name }) => name))
    for (const { method, path, now } of EARLIER_OPERATIONS) {
      const answer = await app.request(path.replace(/:\w+/, 'x'), { method })
      expect(await answer.text()).toContain(`Use ${now} of the API 2015-03-31.`)
      expect(now.split(' or ').every((name) => names.has(name))).toBe(true)
    }
  })

  it('refuses each operation of the services that share the endpoint, in the form of their errors', async () => {
    const { app } = setUp()
    expect(SIBLING_OPERATIONS.length).toBeGreaterThan(60)
    for (const { service, name, method, path } of SIBLING_OPERATIONS) {
      const answer = await app.request(path.replace(/\{\w+\}/g, encodeURIComponent('arn:aws:lambda:x/y')), { method })
      expect(answer.status).toBe(404)
      expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException')
      const key = service === 'AWS Lambda Core' ? 'Message' : 'message'
      expect(await answer.json()).toEqual({ [key]: expect.stringMatching(new RegExp(`^${service} ${name}: .+\\.$`)) })
    }
  })

  it("answers unknown paths and methods in the API's form", async () => {
    const { app } = setUp()
    for (const [method, path] of [
      ['PATCH', '/2015-03-31/functions/f'],
      ['GET', '/2015-03-31/functions/f/invocations'],
      ['DELETE', '/'],
    ] as const) {
      const answer = await app.request(path, { method })
      expect(answer.status).toBe(404)
      expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException')
      expect(await answer.json()).toEqual({
        Message: `There is no operation ${method} ${path} in the Lambda API 2015-03-31.`,
      })
    }
  })

  it('leaves /_hearth to the admin pages, except the packages of Code.Location', async () => {
    const admin = new Hono().get('/health', (c) => c.text('fine'))
    const { app } = setUp({ options: { admin } })
    expect(await (await app.request('/_hearth/health')).text()).toBe('fine')
    expect((await app.request(`/_hearth/code/${'0'.repeat(64)}?expires=1&signature=00`)).status).toBe(403)
    expect((await app.request('/_hearth/code/..%2f..%2fetc')).status).toBe(403)
  })

  it('survives paths that are no valid percent-encoding', async () => {
    const { app } = setUp({ functions: { delete: () => Promise.resolve() } })
    const answer = await app.request('/2015-03-31/functions/%E0%A4%A', { method: 'DELETE' })
    expect(answer.headers.get('x-amzn-errortype')).toBe('ValidationException')
  })
})

describe('other services on the same port', () => {
  const FORM = 'application/x-www-form-urlencoded; charset=utf-8'
  const signed = (service: string, key = 'AKIA333333333333') => ({
    authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  })
  const sts = (body: string, headers: Record<string, string>) =>
    setUp().app.request('http://127.0.0.1:9000/', {
      method: 'POST',
      body,
      headers: { 'content-type': FORM, ...headers },
    })

  it('sts:GetCallerIdentity says which account the access key has', async () => {
    const answer = await sts('Action=GetCallerIdentity&Version=2011-06-15', signed('sts'))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/xml'])
    const requestId = answer.headers.get('x-amzn-requestid')
    expect(await answer.text()).toBe(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
        '<Arn>arn:aws:iam::333333333333:root</Arn><UserId>333333333333</UserId><Account>333333333333</Account>' +
        `</GetCallerIdentityResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
    )
  })

  it('the key of an environment that is gone is refused in the form of each service', async () => {
    const answer = await sts('Action=GetCallerIdentity&Version=2011-06-15', signed('sts', 'ASIAABCD333333333333'))
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain(
      '<Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error>',
    )
    const headers = signed('lambda', 'ASIAABCD333333333333')
    const lambda = await setUp().app.request('/2015-03-31/functions', { headers })
    expect([lambda.status, lambda.headers.get('x-amzn-errortype'), await lambda.json()]).toEqual([
      403,
      'UnrecognizedClientException',
      { message: 'The security token included in the request is invalid.' },
    ])
  })

  it('the rest of STS is refused by name', async () => {
    const answer = await sts('Action=AssumeRole&Version=2011-06-15', signed('sts'))
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('<Code>InvalidAction</Code><Message>Hearth has no sts:AssumeRole.')
  })

  const request = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    setUp().app.request(`http://127.0.0.1:9000${path}`, { method, headers, body: body ?? null })
  const named = (service: string) => `Hearth at 127.0.0.1:9000 has no service ${service}.`

  it('services of JSON get the name of the service and of this host', async () => {
    const headers = { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' }
    const answer = await request('POST', '/', { ...signed('dynamodb'), ...headers }, '{}')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/x-amz-json-1.0'])
    expect(await answer.json()).toEqual({
      __type: 'UnknownOperationException',
      message: expect.stringContaining(named('dynamodb')),
    })
    const unsigned = await request('POST', '/', { 'x-amz-target': 'Logs_20140328.DescribeLogGroups' }, '{}')
    expect(await unsigned.text()).toContain(named('logs'))
  })

  it.each([
    ['sns', 'POST', '/', { 'content-type': FORM }, 'Action=ListTopics&Version=2010-03-31', 400, 'ErrorResponse'],
    ['iam', 'GET', '/?Action=ListRoles&Version=2010-05-08', {}, undefined, 400, 'ErrorResponse'],
    ['ec2', 'POST', '/', { 'content-type': FORM }, 'Action=DescribeVpcs&Version=2016-11-15', 400, 'Response'],
    ['s3', 'PUT', '/bucket/key', {}, 'bytes', 501, 'Error'],
    ['s3', 'GET', '/', {}, undefined, 501, 'Error'],
  ] as const)('services of XML, too: %s %s %s', async (service, method, path, headers, body, status, root) => {
    const answer = await request(method, path, { ...signed(service), ...headers }, body)
    const text = await answer.text()
    expect([answer.status, text.slice(0, root.length + 1)]).toEqual([status, `<${root}`])
    expect(text).toContain(named(service))
  })

  it.each([
    ['apigateway', {}, '/restapis', 404, `"message":"${named('apigateway')}`],
    [
      'monitoring',
      { 'smithy-protocol': 'rpc-v2-cbor' },
      '/service/GraniteServiceVersion20100801/operation/PutMetricData',
      400,
      named('monitoring'),
    ],
  ])('and those of REST and CBOR: %s', async (service, headers, path, status, text) => {
    const answer = await request('POST', path, { ...signed(service), ...headers }, '{}')
    expect(answer.status).toBe(status)
    expect(await answer.text()).toContain(text)
  })

  it('what a caller writes into Host cannot become markup', async () => {
    const answer = await setUp().app.request('http://h/', { headers: { ...signed('s3'), host: '<a>&"' } })
    expect(await answer.text()).toContain('Hearth at &lt;a&gt;&amp;&quot; has no service s3.')
  })

  it('a form is bounded', async () => {
    const answer = await sts(`Action=GetCallerIdentity&Version=2011-06-15&x=${'x'.repeat(70_000)}`, signed('sts'))
    expect(answer.status).toBe(413)
  })
})
