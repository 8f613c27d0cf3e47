import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Uploads } from '../../../src/api/http/uploads.ts'
import type { InvokeHandler } from '../../../src/api/invoke/invoke.ts'
import { OPERATIONS } from '../../../src/api/operations/table.ts'
import { SandboxApi, type SandboxApiOptions } from '../../../src/api/sandbox-api.ts'
import { existsInside, NEVER_INSIDE, SANDBOX_OPERATIONS } from '../../../src/api/sandbox-operations.ts'
import type { ControlPlane } from '../../../src/control/control-plane.ts'

const SESSION = {
  account: '111111111111',
  region: 'eu-west-1',
  role: 'arn:aws:iam::111111111111:role/worker',
  functionName: 'caller',
}
const OTHER = '222222222222'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A control plane of which every call is noted and fails. */
function noting(calls: string[]): ControlPlane {
  const part = (name: string) =>
    new Proxy(
      {},
      {
        get: (_, method) => (scope: unknown) => {
          calls.push(`${name}.${String(method)}`)
          return Promise.reject(Object.assign(new Error('reached'), { scope }))
        },
      },
    )
  return new Proxy({}, { get: (_, name) => part(String(name)) }) as ControlPlane
}

async function inside(options: Partial<SandboxApiOptions> = {}) {
  const reached: string[] = []
  const invoke: InvokeHandler = async ({ name }, { account, region }) => ({
    status: 200,
    headers: {},
    body: JSON.stringify({ invoked: name, account, region }),
  })
  const api = new SandboxApi({
    mode: 'invoke',
    control: noting(reached),
    invoke,
    invokeAsync: invoke,
    uploads: new Uploads(),
    callsPerSecond: 0,
    clock: () => 0,
    log: { error: () => {} },
    ...options,
  })
  const open = async () => {
    const server = createServer(api.open(SESSION))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  return { url: await open(), open, reached }
}

const FORGED = {
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA${OTHER}/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0`,
  'x-forwarded-host': 'localhost',
  'x-forwarded-for': '127.0.0.1',
}

const INVOKE = '/2015-03-31/functions'

/** Every operation of the API, with something in each place of its path. */
const REQUESTS = OPERATIONS.map(({ name, method, path, query }) => ({
  name,
  method,
  path: `${path.replace(/\{(\w+)\}/g, (_, label) => (label === 'VersionNumber' ? '1' : 'x'))}${query ? `?${query.join('=')}` : ''}`,
}))

async function send(url: string, { method, path }: { method: string; path: string }, headers = {}, body?: string) {
  const answer = await fetch(url + path, {
    method,
    headers: { ...FORGED, ...headers },
    ...(['GET', 'HEAD', 'DELETE'].includes(method) ? {} : { body: body ?? '{}' }),
  })
  return { status: answer.status, type: answer.headers.get('x-amzn-errortype'), text: await answer.text() }
}

describe('the table', () => {
  it('names operations of the API, each once', () => {
    const names = SANDBOX_OPERATIONS.map(({ name }) => name)
    const known = OPERATIONS.map(({ name }) => name)
    expect(names.filter((name) => !known.includes(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })

  it('decides about every operation that the host has', () => {
    const undecided = OPERATIONS.filter(({ handle, invoke }) => handle !== undefined || invoke)
      .map(({ name }) => name)
      .filter((name) => !existsInside(name, 'all') && !(name in NEVER_INSIDE))
    expect(undecided, 'add a row to SANDBOX_OPERATIONS or a reason to NEVER_INSIDE').toEqual([])
    expect(Object.keys(NEVER_INSIDE).filter((name) => existsInside(name, 'all'))).toEqual([])
  })
})

describe.each(['invoke', 'all'] as const)('in mode %s', (mode) => {
  it('what the table does not name reaches no handler', async () => {
    const { url, reached } = await inside({ mode })
    for (const request of REQUESTS.filter(({ name }) => !existsInside(name, mode))) {
      const answer = await send(url, request)
      expect([403, 404], request.name).toContain(answer.status)
      expect(['AccessDeniedException', 'UnknownOperationException'], request.name).toContain(answer.type)
    }
    expect(reached).toEqual([])
  })

  it('what the table names is there', async () => {
    const { url } = await inside({ mode })
    for (const request of REQUESTS.filter(({ name }) => existsInside(name, mode))) {
      const { text } = await send(url, request)
      expect(text, request.name).not.toMatch(/is not authorized|inside functions/)
    }
  })

  it.each([
    '/_hearth/config',
    '/_hearth/logs?function=f',
    '/_hearth/environments',
    '/_hearth',
    '/_hearth/code/x',
    '/console',
  ])('the operator has no page: %s', async (path) => {
    const { url } = await inside({ mode })
    for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS'])
      expect((await send(url, { method, path })).status).toBe(404)
  })

  it('calls are made as the environment, whatever they say', async () => {
    const { url } = await inside({ mode })
    const credential = encodeURIComponent(`AKIA${OTHER}/20260101/us-east-1/lambda/aws4_request`)
    for (const path of [
      `${INVOKE}/f/invocations`,
      `${INVOKE}/f/invocations?X-Amz-Credential=${credential}`,
      // Not the form that needs no router.
      `/2014-11-13/functions/f/invoke-async`,
    ]) {
      const { text } = await send(url, { method: 'POST', path })
      expect(JSON.parse(text)).toEqual({ invoked: 'f', account: SESSION.account, region: SESSION.region })
    }
  })

  it.each([
    ['in a form', 'POST', '/', 'Action=GetCallerIdentity&Version=2011-06-15'],
    ['in a URL', 'GET', '/?Action=GetCallerIdentity&Version=2011-06-15', undefined],
  ])('sts:GetCallerIdentity says the role, %s', async (_, method, path, body) => {
    const { url } = await inside({ mode })
    const headers = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    const { status, text } = await send(url, { method, path }, headers, body)
    expect(status).toBe(200)
    expect(text).toContain('<Arn>arn:aws:sts::111111111111:assumed-role/worker/caller</Arn>')
    expect(text).toContain('<Account>111111111111</Account>')
    expect(text).toMatch(/<UserId>AROA[A-Z2-7]{17}:caller<\/UserId>/)
  })

  it('other services do not exist', async () => {
    const { url, reached } = await inside({ mode })
    const target = { 'x-amz-target': 'Logs_20140328.CreateLogGroup', 'content-type': 'application/x-amz-json-1.1' }
    const logs = await send(url, { method: 'POST', path: '/' }, target)
    expect([logs.status, JSON.parse(logs.text).__type]).toEqual([400, 'UnknownOperationException'])
    expect(reached).toEqual([])
  })
})

describe('in mode invoke', () => {
  it('the refusal names the operation, the role and the setting', async () => {
    const { url } = await inside()
    const { status, text } = await send(url, { method: 'GET', path: `${INVOKE}/other` })
    expect(status).toBe(403)
    expect(JSON.parse(text)).toEqual({
      Message:
        'User: arn:aws:sts::111111111111:assumed-role/worker/caller is not authorized to perform: lambda:GetFunction because HEARTH_FUNCTION_API=invoke lets functions call Invoke, InvokeAsync, InvokeWithResponseStream and sts:GetCallerIdentity',
    })
  })
})

describe('in mode all', () => {
  const arn = (account: string) => `arn:aws:lambda:eu-west-1:${account}:function:f`
  const code = { ZipFile: 'UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==' }
  const create = { FunctionName: 'f', Role: SESSION.role, Runtime: 'nodejs22.x', Handler: 'i.h', Code: code }
  const layer = (account: string) => `arn:aws:lambda:eu-west-1:${account}:layer:l:1`

  it.each([
    ['GET', `${INVOKE}/${encodeURIComponent(arn(OTHER))}`, undefined],
    ['GET', `${INVOKE}/${OTHER}:function:f`, undefined],
    ['DELETE', `${INVOKE}/eu-west-1:${OTHER}:function:f`, undefined],
    ['GET', `/2017-03-31/tags/${encodeURIComponent(arn(OTHER))}`, undefined],
    ['GET', `/2018-10-31/layers?find=LayerVersion&Arn=${encodeURIComponent(layer(OTHER))}`, undefined],
    ['POST', INVOKE, { ...create, FunctionName: arn(OTHER) }],
    ['POST', INVOKE, { ...create, Layers: [layer(SESSION.account), layer(OTHER)] }],
  ])('nothing of another account answers, even where a policy would grant it: %s %s', async (method, path, body) => {
    const { url, reached } = await inside({ mode: 'all' })
    const { status, text } = await send(url, { method, path }, {}, JSON.stringify(body))
    expect([status, text]).toEqual([403, expect.stringContaining(`account ${OTHER} is another one`)])
    expect(reached).toEqual([])
  })

  it.each([
    ['POST', INVOKE, { ...create, Code: { S3Bucket: 'bucket', S3Key: 'key' } }],
    ['POST', INVOKE, { ...create, PackageType: 'Image', Code: { ImageUri: 'registry.example/image:1' } }],
    ['POST', INVOKE, { ...create, DeadLetterConfig: { TargetArn: 'arn:aws:sqs:eu-west-1:111111111111:q' } }],
    ['POST', INVOKE, { ...create, VpcConfig: { SubnetIds: ['subnet-0a'], SecurityGroupIds: ['sg-0a'] } }],
    ['PUT', `${INVOKE}/f/code`, { S3Bucket: 'bucket', S3Key: 'key' }],
    ['PUT', `${INVOKE}/f/code`, { ImageUri: 'registry.example/image:1' }],
    ['PUT', `${INVOKE}/f/configuration`, { DeadLetterConfig: { TargetArn: 'arn:aws:sns:eu-west-1:111111111111:t' } }],
    [
      'PUT',
      `${INVOKE}/f/configuration`,
      {
        FileSystemConfigs: [
          {
            Arn: 'arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-00000000000000001',
            LocalMountPath: '/mnt/x',
          },
        ],
      },
    ],
    ['POST', '/2018-10-31/layers/l/versions', { Content: { S3Bucket: 'bucket', S3Key: 'key' } }],
    [
      'PUT',
      '/2019-09-25/functions/f/event-invoke-config',
      { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:eu-west-1:111111111111:q' } } },
    ],
  ])('the host does not act with its own credentials or connections: %s %s %o', async (method, path, body) => {
    const { url, reached } = await inside({ mode: 'all' })
    const { status, type, text } = await send(url, { method, path }, {}, JSON.stringify(body))
    expect([status, type, text]).toEqual([
      403,
      'AccessDeniedException',
      expect.stringContaining('from inside a function'),
    ])
    expect(reached).toEqual([])
  })

  it('what the function sends itself is taken', async () => {
    const { url, reached } = await inside({ mode: 'all' })
    await send(url, { method: 'POST', path: INVOKE }, {}, JSON.stringify({ ...create, DeadLetterConfig: {} }))
    const destination = { DestinationConfig: { OnFailure: { Destination: arn(SESSION.account) } } }
    const path = '/2019-09-25/functions/f/event-invoke-config'
    await send(url, { method: 'PUT', path }, {}, JSON.stringify(destination))
    expect(reached).toEqual(['functions.create', 'eventInvoke.put'])
  })
})

describe('calls per second', () => {
  const path = `${INVOKE}/f/invocations`

  it('are bounded for each environment, with the answer of AWS', async () => {
    let now = 0
    const { url, open } = await inside({ callsPerSecond: 1, clock: () => now })
    const call = (at = url) => send(at, { method: 'POST', path })
    const statuses = await Promise.all(Array.from({ length: 7 }, async () => (await call()).status))
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 200, 429, 429])
    expect(await call()).toEqual({
      status: 429,
      type: 'TooManyRequestsException',
      text: '{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}',
    })
    // Another environment has calls of its own.
    expect((await call(await open())).status).toBe(200)
    now += 1000
    expect((await call()).status).toBe(200)
    expect((await call()).status).toBe(429)
  })

  it('beyond the bound reach nothing, and what does not exist counts too', async () => {
    const { url, reached } = await inside({ mode: 'all', callsPerSecond: 1 })
    for (let i = 0; i < 5; i++) await send(url, { method: 'GET', path: '/nothing' })
    expect((await send(url, { method: 'GET', path: INVOKE })).status).toBe(429)
    const sts = await send(url, { method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' })
    expect([sts.status, sts.text]).toEqual([400, expect.stringContaining('<Code>Throttling</Code>')])
    expect(reached).toEqual([])
  })
})
