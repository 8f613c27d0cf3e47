/** What hostile code inside a real sandbox reaches through its listener, in each mode of HEARTH_FUNCTION_API. */
import { AddPermissionCommand, DeleteFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DOORS } from '../../src/api/doors.ts'
import { OPERATIONS } from '../../src/api/operations/table.ts'
import { existsInside } from '../../src/api/sandbox-operations.ts'
import { createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost, testClient } from '../support/host.ts'

const ACCOUNT = '000000000000'
const OTHER = '222222222222'
const SECRET = 'the-secret-of-another-function'

/** Sends what it is told to its own listener, with the Host that it is told. */
const PROBE = `
const http = require('node:http')
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
const ask = ({ method, path, headers, body }) => new Promise((resolve) => {
  const request = http.request({ agent, host, port, method, path, headers: headers ?? {} }, (response) => {
    const chunks = []
    response.on('data', (chunk) => chunks.push(chunk))
    response.on('end', () => resolve({ status: response.statusCode, type: response.headers['x-amzn-errortype'], text: Buffer.concat(chunks).toString() }))
  })
  request.on('error', (error) => resolve({ status: 0, text: String(error) }))
  request.end(body)
})
const net = require('node:net')
const reaches = ([name, to]) => new Promise((resolve) => {
  const socket = net.connect({ host: name === 'gateway' ? host : name, port: to, timeout: 2000 })
  const end = (answer) => { socket.destroy(); resolve(answer) }
  socket.on('connect', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false))
})
exports.handler = async ({ requests, atOnce, handOn, connect }) => {
  const connected = await Promise.all((connect ?? []).map(reaches))
  const trace = handOn ? { 'x-amzn-trace-id': process.env._X_AMZN_TRACE_ID } : {}
  const all = (requests ?? []).map((one) => ({ ...one, headers: { ...one.headers, ...trace } }))
  const answers = []
  if (atOnce) answers.push(...await Promise.all(all.map(ask)))
  else for (const one of all) answers.push(await ask(one))
  const { AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL_STS, AWS_LAMBDA_RUNTIME_API } = process.env
  return { answers, connected, trace: process.env._X_AMZN_TRACE_ID, env: { AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL_STS, AWS_LAMBDA_RUNTIME_API } }
}`

interface Ask {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
interface Answer {
  readonly status: number
  readonly type?: string
  readonly text: string
}
interface Seen {
  readonly answers: readonly Answer[]
  readonly trace: string
  readonly connected: readonly boolean[]
  readonly env: Readonly<Record<string, string | undefined>>
}

const FORGED: Readonly<Record<string, string>> = {
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA${OTHER}/20260101/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0`,
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'localhost',
  'x-hearth-account': OTHER,
}
const QUERY = `X-Amz-Credential=${encodeURIComponent(`AKIA${OTHER}/20260101/eu-west-1/lambda/aws4_request`)}`

/** What only the operator may read, and everything below it. */
const OPERATOR = [
  '/_hearth/config',
  '/_hearth/environments',
  '/_hearth/health',
  '/_hearth/metrics',
  '/_hearth/queue',
  '/_hearth/runtimes',
  `/_hearth/logs?function=victim&account=${OTHER}`,
  '/_hearth/logs?function=victim',
  `/_hearth/code/${'0'.repeat(64)}?expires=99999999999&signature=00`,
  '/_hearth',
  '/console',
  '/',
]

/** Every operation of the API, named after `victim`. */
const operations = (account: string) =>
  OPERATIONS.map(({ name, method, path, query }) => {
    const victim = encodeURIComponent(`arn:aws:lambda:us-east-1:${account}:function:victim`)
    const filled = path.replace(/\{(\w+)\}/g, (_, label) => (label === 'VersionNumber' ? '1' : victim))
    return {
      name,
      method,
      path: query === undefined ? filled : `${filled}?${query.join('=')}&Arn=${victim}`,
      headers: FORGED,
      ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
    }
  })

/** Those that only read: in mode `all` the others would really do what they say. */
const reads = (account: string) => operations(account).filter(({ method }) => method === 'GET')

let host: TestHost
let other: LambdaClient
const start = async (functionApi: 'invoke' | 'all' | 'off', functionApiRate = 100) => {
  host = await startTestHost({ functionApi, functionApiRate })
  other = testClient(host.url, { credentials: { accessKeyId: `AKIA${OTHER}`, secretAccessKey: 's' } })
  const settings = { Environment: { Variables: { SECRET } } }
  await createFunction(host.client, 'victim', { 'index.js': 'exports.handler = async () => "victim of us"' }, settings)
  await createFunction(other, 'victim', { 'index.js': 'exports.handler = async () => "victim of others"' }, settings)
  await createFunction(host.client, 'probe', { 'index.js': PROBE })
}
const stop = async () => {
  other?.destroy()
  await host?.stop()
}

async function probe(
  requests: readonly Ask[],
  options: { atOnce?: boolean; handOn?: boolean; connect?: (readonly [string, number])[] } = {},
): Promise<Seen> {
  const { body } = await invoke(host.client, 'probe', { requests, ...options })
  return body as Seen
}
const answersTo = async (requests: readonly Ask[]) => (await probe(requests)).answers

/** Refused, and without a trace of what is not the function's own. */
function expectNothing(answers: readonly Answer[], requests: readonly { readonly path: string }[]): void {
  for (const [i, { status, text }] of answers.entries()) {
    expect([403, 404], `${requests[i]?.path}: ${text}`).toContain(status)
    expect(text, requests[i]?.path).not.toContain(SECRET)
  }
}

describe.each(['invoke', 'all', 'off'] as const)('code inside a sandbox, with HEARTH_FUNCTION_API=%s', (mode) => {
  beforeAll(() => start(mode), 300_000)
  afterAll(stop)

  it('sees no page of the operator, whatever Host it says', async () => {
    const hosts: Readonly<Record<string, string>>[] = [
      {},
      { host: 'localhost' },
      { host: new URL(host.url).host },
      { host: '127.0.0.1' },
    ]
    const requests = hosts.flatMap((headers) =>
      OPERATOR.map((path) => ({ method: 'GET', path, headers: { ...FORGED, ...headers } })),
    )
    expectNothing(await answersTo(requests), requests)
  })

  it('finds at each door what the table of doors says', async () => {
    const doors = DOORS.flatMap(({ sample, sandbox, serves }) =>
      sample === undefined ? [] : [{ sample, sandbox, serves }],
    )
    const answers = await answersTo(
      doors.map(({ sample }) => ({ ...sample, ...(sample.method === 'GET' ? {} : { body: '{}' }) })),
    )
    const found = answers.map(({ status, text }) => {
      if (status === 404 && /^404 page not found|There is no operation/.test(text)) return 'absent'
      return status === 403 && /is not authorized/.test(text) ? 'refused' : 'answers'
    })
    expect(found.map((outcome, i) => `${doors[i]?.serves}: ${outcome}`)).toEqual(
      doors.map(({ serves, sandbox }) => `${serves}: ${sandbox[mode]}`),
    )
  })

  it('cannot connect to the public port', async () => {
    const port = Number(new URL(host.url).port)
    const names = ['gateway', 'host.docker.internal', '127.0.0.1']
    const { connected } = await probe([], { connect: names.map((name) => [name, port] as const) })
    expect(connected).toEqual(names.map(() => false))
  })

  it('gets nothing of another account, by any operation, with any credentials', async () => {
    const requests = operations(OTHER).filter(({ path }) => path.includes('victim'))
    const answers = await answersTo(requests)
    for (const [i, { status, text }] of answers.entries()) {
      const { name } = requests[i]!
      // A request may be refused for its form before anything is looked at.
      expect(mode === 'all' ? [400, 403, 404] : [403, 404], `${name}: ${text}`).toContain(status)
      expect(text, name).not.toContain(SECRET)
    }
    expect((await invoke(other, 'victim')).body).toBe('victim of others')
  })

  it('is refused as a page in a browser, the Runtime API included', async () => {
    const pages: Readonly<Record<string, string>>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
    ]
    const paths = ['/2018-06-01/runtime/invocation/next', '/2015-03-31/functions/victim/invocations']
    const requests = pages.flatMap((headers) =>
      paths.map((path) => ({ method: path.includes('next') ? 'GET' : 'POST', path, headers })),
    )
    for (const answer of await answersTo(requests)) expect(answer.status).toBe(403)
  })
})

describe('code inside a sandbox in mode invoke', () => {
  beforeAll(() => start('invoke'), 300_000)
  afterAll(stop)

  it('reads and changes nothing of its own account either', async () => {
    const requests = operations(ACCOUNT).filter(({ name }) => !existsInside(name, 'invoke'))
    expectNothing(await answersTo(requests), requests)
    expect((await invoke(host.client, 'victim')).body).toBe('victim of us')
  })

  it('invokes as itself, whatever its credentials say, and other accounts where a policy grants it', async () => {
    const call = (name: string, query = '') => ({
      method: 'POST',
      path: `/2015-03-31/functions/${encodeURIComponent(name)}/invocations${query}`,
      headers: FORGED,
      body: '{}',
    })
    const foreign = `arn:aws:lambda:us-east-1:${OTHER}:function:victim`
    const requests = [call('victim'), call('victim', `?${QUERY}`), call(foreign)]
    const before = await answersTo(requests)
    expect(before.map(({ status, text }) => [status, status === 200 ? text : ''])).toEqual([
      [200, '"victim of us"'],
      [200, '"victim of us"'],
      [403, ''],
    ])
    await other.send(
      new AddPermissionCommand({
        FunctionName: 'victim',
        StatementId: 's',
        Action: 'lambda:InvokeFunction',
        Principal: ACCOUNT,
      }),
    )
    expect((await answersTo([call(foreign)]))[0]).toMatchObject({ status: 200, text: '"victim of others"' })
  })

  it('is a session of its role for STS', async () => {
    const { answers, env } = await probe([
      {
        method: 'POST',
        path: '/',
        headers: { ...FORGED, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'Action=GetCallerIdentity&Version=2011-06-15',
      },
    ])
    expect(answers[0]?.text).toContain(`<Arn>arn:aws:sts::${ACCOUNT}:assumed-role/test/probe</Arn>`)
    expect(answers[0]?.text).toContain(`<Account>${ACCOUNT}</Account>`)
    const url = `http://${env.AWS_LAMBDA_RUNTIME_API}`
    expect(env).toMatchObject({ AWS_ENDPOINT_URL_LAMBDA: url, AWS_ENDPOINT_URL_STS: url })
  })

  it('is stopped when it calls itself in circles', async () => {
    const path = '/2015-03-31/functions/probe/invocations'
    const itself = { method: 'POST', path, body: '{}' }
    const { trace } = await probe([])
    const looped = trace.replace(/Lineage=1:([0-9a-f]{8}):\d+/, 'Lineage=1:$1:15')
    const answer = await fetch(host.url + path, {
      method: 'POST',
      headers: {
        'x-amzn-trace-id': looped,
        authorization: FORGED.authorization!.replace(OTHER, ACCOUNT).replace('eu-west-1', 'us-east-1'),
      },
      body: JSON.stringify({ requests: [itself], handOn: true }),
    })
    const { answers } = (await answer.json()) as Seen
    expect(answers[0]).toMatchObject({ status: 400, type: 'RecursiveInvocationException' })
  })

  it('has an access key of its own for as long as its environment lives', async () => {
    await createFunction(host.client, 'second', { 'index.js': PROBE })
    const first = (await probe([])).env.AWS_ACCESS_KEY_ID!
    const second = ((await invoke(host.client, 'second')).body as Seen).env.AWS_ACCESS_KEY_ID!
    expect([first, second]).toEqual([expect.stringMatching(/^ASIA[A-Z2-7]{4}0{12}$/), expect.stringMatching(/^ASIA/)])
    expect(first).not.toBe(second)
    const identity = async (key: string) => {
      const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0`
      const url = `${host.url}/?Action=GetCallerIdentity&Version=2011-06-15`
      return (await fetch(url, { headers: { authorization } })).text()
    }
    expect(await identity(second)).toContain('assumed-role/test/second')
    await host.client.send(new DeleteFunctionCommand({ FunctionName: 'second' }))
    while (!(await identity(second)).includes('InvalidClientTokenId')) await new Promise((go) => setTimeout(go, 50))
    expect(await identity(first)).toContain('assumed-role/test/probe')
  })
})

describe('code inside a sandbox that may make few calls', () => {
  beforeAll(() => start('invoke', 10), 300_000)
  afterAll(stop)

  it('is throttled beyond its calls per second, while its Runtime API is not', async () => {
    const dryRun = {
      method: 'POST',
      path: '/2015-03-31/functions/victim/invocations',
      headers: { 'x-amz-invocation-type': 'DryRun' },
    }
    const pings = Array.from({ length: 300 }, () => ({ method: 'GET', path: '/ping' }))
    const { answers } = await probe([...Array.from({ length: 300 }, () => dryRun), ...pings], { atOnce: true })
    const calls = answers.slice(0, 300)
    expect(calls.filter(({ status }) => status === 204).length).toBeGreaterThanOrEqual(50)
    const refused = calls.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({
      type: 'TooManyRequestsException',
      text: '{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}',
    })
    expect(new Set(answers.slice(300).map(({ text }) => text))).toEqual(new Set(['pong']))
  })
})

describe('code inside a sandbox in mode all', () => {
  beforeAll(() => start('all'), 300_000)
  afterAll(stop)

  it('reads its own account, without code downloads', async () => {
    const requests = reads(ACCOUNT).filter(({ name }) => ['GetFunction', 'ListFunctions'].includes(name))
    const answers = await answersTo(requests)
    for (const { status, text } of answers) {
      expect(status, text).toBe(200)
      expect(text).toContain(SECRET)
      expect(text).not.toContain('/_hearth/code')
      expect(text).not.toContain(OTHER)
    }
  })

  it('does not make the host act with the credentials of its operator', async () => {
    const code = { method: 'PUT', path: '/2015-03-31/functions/victim/code' }
    const [fromS3, fromRegistry] = await answersTo([
      { ...code, body: JSON.stringify({ S3Bucket: 'bucket', S3Key: 'key' }) },
      { ...code, body: JSON.stringify({ ImageUri: 'registry.example/image:1' }) },
    ])
    expect([fromS3?.status, fromRegistry?.status]).toEqual([403, 403])
  })
})

describe('code inside a sandbox in mode off', () => {
  beforeAll(() => start('off'), 300_000)
  afterAll(stop)

  it('has its Runtime API and nothing else', async () => {
    const requests = [
      ...operations(ACCOUNT),
      { method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' },
      { method: 'GET', path: '/ping' },
    ]
    const { answers, env } = await probe(requests)
    expect(answers.at(-1)?.text).toBe('pong')
    for (const { status, text } of answers.slice(0, -1)) expect([status, text]).toEqual([404, '404 page not found\n'])
    expect([env.AWS_ENDPOINT_URL_LAMBDA, env.AWS_ENDPOINT_URL_STS]).toEqual([undefined, undefined])
  })
})
