/** Invoke on real containers, as a client sees it on the wire. */
import { request } from 'node:http'
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  type LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { active, createFunction, invoke, zipped } from '../support/functions.ts'
import { startTestHost, type TestHost, testClient } from '../support/host.ts'
import { until } from '../support/until.ts'

let host: TestHost
let client: LambdaClient
beforeAll(async () => {
  host = await startTestHost()
  client = host.client
})
afterAll(() => host?.stop())

const tell = `
exports.handler = async (event, context) => {
  console.log('said', JSON.stringify(event))
  return { event, arn: context.invokedFunctionArn, version: context.functionVersion, id: context.awsRequestId,
    context: context.clientContext, remaining: context.getRemainingTimeInMillis() > 0, env: process.env[event?.variable] }
}`

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:tell'

interface RawAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

function raw(path: string, headers: Record<string, string> = {}, body: string | Buffer = '{}'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(`${host.url}${path}`, { method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    call.on('error', reject)
    call.end(body)
  })
}

const path = (name: string, query = '') => `/2015-03-31/functions/${encodeURIComponent(name)}/invocations${query}`

describe('a synchronous invoke', () => {
  beforeAll(() =>
    createFunction(client, 'tell', { 'index.js': tell }, { Environment: { Variables: { MINE: 'mine' } } }),
  )

  it('answers with the headers that AWS sends', async () => {
    const answer = await raw(path('tell'))
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(answer.body.length),
      'x-amzn-remapped-content-length': '0',
      'x-amz-executed-version': '$LATEST',
    })
    expect(answer.headers['x-amzn-requestid']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(answer.headers['x-amzn-trace-id']).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=/,
    )
    expect(answer.headers['x-amz-function-error']).toBeUndefined()
    expect(JSON.parse(answer.body.toString()).id).toBe(answer.headers['x-amzn-requestid'])
  })

  it.each([
    ['tell', ''],
    ['tell:$LATEST', ':$LATEST'],
    [ARN, ''],
    ['000000000000:function:tell', ''],
    ['function:tell', ''],
    ['us-east-1:000000000000:function:tell', ''],
  ])('takes the name %s and shows the function the ARN that the caller used', async (name, suffix) => {
    expect((await invoke(client, name)).body).toMatchObject({ arn: `${ARN}${suffix}`, version: '$LATEST' })
  })

  it('hands the payload on byte for byte and an absent one as an empty object', async () => {
    const spaced = await raw(path('tell'), {}, ' { "a" : 1.0 } ')
    expect(JSON.parse(spaced.body.toString()).event).toEqual({ a: 1 })
    const empty = await raw(path('tell'), {}, '')
    expect(JSON.parse(empty.body.toString()).event).toEqual({})
  })

  it('hands the client context on', async () => {
    const ClientContext = Buffer.from('{"custom":{"a":"1"}}').toString('base64')
    expect((await invoke(client, 'tell', {}, { ClientContext })).body).toMatchObject({
      context: { custom: { a: '1' } },
    })
  })

  it('returns the log tail on request, with what the function printed', async () => {
    const { log, $metadata } = await invoke(client, 'tell', { a: 1 }, { LogType: 'Tail' })
    const id = $metadata.requestId
    const lines = log.split('\n')
    expect(lines[0]).toBe(`START RequestId: ${id} Version: $LATEST`)
    expect(lines[1]).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${id}\\tINFO\\tsaid \\{"a":1\\}$`))
    expect(lines[2]).toBe(`END RequestId: ${id}`)
    expect(lines[3]).toMatch(
      new RegExp(
        `^REPORT RequestId: ${id}\\tDuration: [\\d.]+ ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: \\d+ MB\\t`,
      ),
    )
    expect(lines[4]).toBe('')
  })

  it.each([
    ['MINE', 'mine'],
    ['AWS_LAMBDA_FUNCTION_NAME', 'tell'],
    ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE', '128'],
    ['AWS_REGION', 'us-east-1'],
    ['LAMBDA_TASK_ROOT', '/var/task'],
    ['AWS_EXECUTION_ENV', 'AWS_Lambda_nodejs22.x'],
    ['TZ', ':UTC'],
    ['AWS_LAMBDA_LOG_GROUP_NAME', '/aws/lambda/tell'],
    ['AWS_XRAY_DAEMON_ADDRESS', '169.254.100.1:2000'],
    // The engine's, not AWS's.
    ['HOME', undefined],
    ['HOSTNAME', undefined],
  ])('shows the function its variable %s', async (variable, value) => {
    const { env } = (await invoke(client, 'tell', { variable })).body as { readonly env?: string }
    expect(env).toBe(value)
  })

  it('refuses a payload over 6 MB as AWS does', async () => {
    const answer = await raw(path('tell'), {}, Buffer.alloc(6 * 1024 * 1024 + 1, 0x20))
    expect(answer.status).toBe(413)
    expect(answer.headers['x-amzn-errortype']).toBe('RequestEntityTooLargeException')
    expect(JSON.parse(answer.body.toString())).toEqual({
      message: 'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
    })
  })

  it('carries 6 MB both ways', async () => {
    const text = 'x'.repeat(6 * 1024 * 1024 - 400)
    const { body } = await invoke(client, 'tell', { text })
    expect((body as { event: { text: string } }).event.text.length).toBe(text.length)
  })
})

describe('what is refused', () => {
  it.each([
    [
      'doesnotexist',
      '',
      404,
      'ResourceNotFoundException',
      {
        Type: 'User',
        Message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist:$LATEST',
      },
    ],
    [
      ARN,
      '?Qualifier=$latest',
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: `Function not found: ${ARN}:$latest` },
    ],
    [
      `${ARN}:$LATEST`,
      '?Qualifier=1',
      400,
      'InvalidParameterValueException',
      { Type: 'User', message: 'The derived qualifier from the function name does not match the specified qualifier.' },
    ],
    [
      'arn:aws:lambda:eu-west-1:000000000000:function:tell',
      '',
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')" },
    ],
  ])('%s%s is answered %d %s', async (name, query, status, code, body) => {
    const answer = await raw(path(name, query))
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([status, code])
    expect(JSON.parse(answer.body.toString())).toEqual(body)
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('a payload that is not JSON is refused with the place of the defect', async () => {
    const answer = await raw(path('tell'), {}, 'STRING_VALUE')
    expect(answer.status).toBe(400)
    expect(answer.headers['x-amzn-errortype']).toBe('InvalidRequestContentException')
    expect(JSON.parse(answer.body.toString()).message).toMatch(
      /^Could not parse request body into json: Could not parse payload into json: Unrecognized token 'STRING_VALUE'/,
    )
  })

  it('an unknown invocation type is refused in the words of the model', async () => {
    const answer = await raw(path('tell'), { 'x-amz-invocation-type': 'Sometimes' })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body.toString())).toEqual({
      message:
        "1 validation error detected: Value 'Sometimes' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
    })
  })
})

describe('the other invocation types', () => {
  it('DryRun answers 204 without a body and runs nothing', async () => {
    const answer = await raw(path('tell'), { 'x-amz-invocation-type': 'DryRun' })
    expect(answer.status).toBe(204)
    expect(answer.headers['x-amz-executed-version']).toBeUndefined()
    expect(answer.body).toHaveLength(0)
  })

  it('Event answers 202 without a body and runs under the same request id', async () => {
    const answer = await raw(
      path('tell'),
      { 'x-amz-invocation-type': 'Event', 'x-amz-log-type': 'Tail' },
      '{"async":true}',
    )
    expect(answer.status).toBe(202)
    expect(answer.body).toHaveLength(0)
    expect(answer.headers['x-amz-executed-version']).toBeUndefined()
    const id = answer.headers['x-amzn-requestid']
    await until(async () => {
      const text = await (await fetch(`${host.url}/_hearth/logs?function=tell`)).text()
      return text.includes(`${id}\\tINFO\\tsaid {\\"async\\":true}`)
    })
  })

  it('Event refuses more than 1 MB', async () => {
    const answer = await raw(
      path('tell'),
      { 'x-amz-invocation-type': 'Event' },
      JSON.stringify('x'.repeat(1024 * 1024)),
    )
    expect(answer.status).toBe(413)
    expect(JSON.parse(answer.body.toString()).message).toBe(
      '1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    )
  })
})

describe('versions and aliases', () => {
  it('run the code they were published with, and a weighted alias runs both', async () => {
    await createFunction(client, 'versioned', { 'index.js': 'exports.handler = async () => 1' })
    await client.send(new PublishVersionCommand({ FunctionName: 'versioned' }))
    await client.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'versioned',
        ZipFile: await zipped({ 'index.js': 'exports.handler = async () => 2' }),
      }),
    )
    await active(client, 'versioned')
    await client.send(new PublishVersionCommand({ FunctionName: 'versioned' }))
    await active(client, 'versioned')
    expect(await invoke(client, 'versioned', {}, { Qualifier: '1' })).toMatchObject({ body: 1, ExecutedVersion: '1' })
    expect(await invoke(client, 'versioned:2')).toMatchObject({ body: 2, ExecutedVersion: '2' })
    await client.send(
      new CreateAliasCommand({
        FunctionName: 'versioned',
        Name: 'live',
        FunctionVersion: '1',
        RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } },
      }),
    )
    const seen = new Set<string>()
    await until(async () => {
      const { body, ExecutedVersion } = await invoke(client, 'versioned:live')
      expect(String(body)).toBe(ExecutedVersion)
      seen.add(ExecutedVersion!)
      return seen.size === 2
    })
  })

  it('an update lets running invocations finish on the old code and retires its environments', async () => {
    const slow = (answer: number) =>
      `exports.handler = async (event) => { await new Promise((resolve) => setTimeout(resolve, event.ms ?? 0)); return ${answer} }`
    await createFunction(client, 'updated', { 'index.js': slow(1) }, { Timeout: 60 })
    await invoke(client, 'updated')
    const running = invoke(client, 'updated', { ms: 3000 })
    await client.send(
      new UpdateFunctionCodeCommand({ FunctionName: 'updated', ZipFile: await zipped({ 'index.js': slow(2) }) }),
    )
    await active(client, 'updated')
    expect((await invoke(client, 'updated')).body).toBe(2)
    expect((await running).body).toBe(1)
    await until(async () => {
      const all = (await (await fetch(`${host.url}/_hearth/environments`)).json()) as { function: string }[]
      return all.filter((each) => each.function === 'updated').length === 1
    })
  })

  it('a deleted function is gone at once, its environments too', async () => {
    await createFunction(client, 'deleted', { 'index.js': 'exports.handler = async () => 1' })
    await invoke(client, 'deleted')
    await client.send(new DeleteFunctionCommand({ FunctionName: 'deleted' }))
    await expect(invoke(client, 'deleted')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await until(async () => {
      const all = (await (await fetch(`${host.url}/_hearth/environments`)).json()) as { function: string }[]
      return all.every((each) => each.function !== 'deleted')
    })
  })
})

describe('accounts and regions', () => {
  it('keep functions of the same name apart', async () => {
    const other = testClient(host.url, {
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIA111122223333', secretAccessKey: 'x' },
    })
    await createFunction(other, 'tell', { 'index.js': tell })
    expect((await invoke(other, 'tell')).body).toMatchObject({
      arn: 'arn:aws:lambda:eu-west-1:111122223333:function:tell',
    })
    other.destroy()
  })
})

describe('a function that calls Lambda', () => {
  it('invokes with the SDK of its runtime and no configuration, and does nothing else', async () => {
    const caller = `
const { LambdaClient, InvokeCommand, ListFunctionsCommand } = require('@aws-sdk/client-lambda')
exports.handler = async (event) => {
  const client = new LambdaClient()
  const answer = await client.send(new InvokeCommand({ FunctionName: event.target, Payload: JSON.stringify({ from: 'caller' }) }))
  const listed = await client.send(new ListFunctionsCommand({})).then(() => 'listed', (error) => error.name)
  return { answer: JSON.parse(Buffer.from(answer.Payload)), listed }
}`
    await createFunction(client, 'caller', { 'index.js': caller }, { Timeout: 30, MemorySize: 512 })
    const { body } = await invoke(client, 'caller', { target: 'tell' })
    expect(body).toMatchObject({
      answer: { event: { from: 'caller' }, arn: ARN },
      listed: 'AccessDeniedException',
    })
  })
})
