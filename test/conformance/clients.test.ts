/** The same session through the clients that people use: AWS CLI v2, boto3, the SDK for JavaScript v3. Real host, real containers. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFunction, invoke, zipped } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const run = promisify(execFile)

let host: TestHost
let folder: string
beforeAll(async () => {
  host = await startTestHost()
  folder = await mkdtemp(join(tmpdir(), 'hearth-clients-'))
})
afterAll(async () => {
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'

describe('the AWS CLI', () => {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  }
  const aws = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { stdout } = await run('aws', ['--endpoint-url', host.url, '--output', 'json', 'lambda', ...args], { env })
    return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
  }
  const failure = async (...args: string[]): Promise<string> => {
    try {
      await aws(...args)
      return 'no failure'
    } catch (error) {
      return (error as { stderr: string }).stderr.trim()
    }
  }
  const RAW = ['--cli-binary-format', 'raw-in-base64-out']

  it('creates, waits, invokes in every way, publishes, routes, throttles, lists and deletes', async () => {
    const zip = join(folder, 'f.zip')
    const out = join(folder, 'out.json')
    await writeFile(
      zip,
      await zipped({
        'index.mjs': 'export const handler = async (event) => { console.log("seen"); return { hello: event.name } }',
      }),
    )
    const created = await aws(
      'create-function',
      '--function-name',
      'cli',
      '--runtime',
      'nodejs22.x',
      '--handler',
      'index.handler',
      '--role',
      'arn:aws:iam::000000000000:role/r',
      '--zip-file',
      `fileb://${zip}`,
    )
    expect(created).toMatchObject({ FunctionArn: `${ARN}:cli`, State: 'Pending', Version: '$LATEST' })
    await aws('wait', 'function-exists', '--function-name', 'cli')
    await aws('wait', 'function-active-v2', '--function-name', 'cli')

    const sync = await aws(
      'invoke',
      '--function-name',
      'cli',
      ...RAW,
      '--payload',
      '{"name":"you"}',
      '--log-type',
      'Tail',
      out,
    )
    expect(sync).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' })
    expect(Buffer.from(sync.LogResult as string, 'base64').toString()).toMatch(
      /^START RequestId: .*\n.*\tINFO\tseen\nEND /,
    )
    expect(await readFile(out, 'utf8')).toBe('{"hello":"you"}')
    expect(
      await aws('invoke', '--function-name', 'cli', '--invocation-type', 'Event', ...RAW, '--payload', '{}', out),
    ).toEqual({ StatusCode: 202 })
    expect(
      await aws('invoke', '--function-name', 'cli', '--invocation-type', 'DryRun', ...RAW, '--payload', '{}', out),
    ).toEqual({ StatusCode: 204 })

    expect(await aws('publish-version', '--function-name', 'cli')).toMatchObject({ Version: '1' })
    await aws('update-function-configuration', '--function-name', 'cli', '--description', 'second')
    await aws('wait', 'function-updated-v2', '--function-name', 'cli')
    expect(await aws('publish-version', '--function-name', 'cli')).toMatchObject({ Version: '2' })
    await aws('wait', 'published-version-active', '--function-name', 'cli:2')
    const alias = await aws(
      'create-alias',
      '--function-name',
      'cli',
      '--name',
      'live',
      '--function-version',
      '1',
      '--routing-config',
      'AdditionalVersionWeights={2=0.5}',
    )
    expect(alias).toMatchObject({
      AliasArn: `${ARN}:cli:live`,
      RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } },
    })
    expect(['1', '2']).toContain(
      (await aws('invoke', '--function-name', 'cli:live', ...RAW, '--payload', '{}', out)).ExecutedVersion,
    )

    await aws('put-function-concurrency', '--function-name', 'cli', '--reserved-concurrent-executions', '0')
    expect(await failure('invoke', '--function-name', 'cli', ...RAW, '--payload', '{}', out)).toContain(
      'An error occurred (TooManyRequestsException) when calling the Invoke operation',
    )
    const { Versions } = await aws('list-versions-by-function', '--function-name', 'cli', '--page-size', '1')
    expect((Versions as { Version: string }[]).map(({ Version }) => Version)).toEqual(['$LATEST', '1', '2'])
    const { Functions } = await aws('list-functions')
    expect((Functions as { FunctionName: string }[]).map(({ FunctionName }) => FunctionName)).toContain('cli')
    const { Code } = (await aws('get-function', '--function-name', 'cli')) as { Code: { Location: string } }
    expect(Buffer.from(await (await fetch(Code.Location)).arrayBuffer())).toEqual(await readFile(zip))
    await aws('delete-function', '--function-name', 'cli')
    expect(await failure('get-function', '--function-name', 'cli')).toMatch(
      /^An error occurred \(ResourceNotFoundException\) when calling the GetFunction operation.*: Function not found: arn:aws:lambda:us-east-1:000000000000:function:cli$/,
    )
  })
})

describe('boto3', () => {
  it('runs the same session', async () => {
    const { stdout } = await run('python3', [resolve(import.meta.dirname, 'session.py'), host.url])
    const { log, names, ...rest } = JSON.parse(stdout)
    expect(Buffer.from(log, 'base64').toString()).toMatch(
      /^START RequestId: .*\nseen \{'n': 1\}\nEND RequestId: .*\nREPORT /,
    )
    expect(names).toContain('boto')
    expect(rest).toEqual({
      sync: { status: 200, version: '$LATEST', payload: { got: { n: 1 } } },
      event: 202,
      dry: 204,
      versions: ['1', '2'],
      alias: { Name: 'live', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } } },
      throughAlias: expect.stringMatching(/^[12]$/),
      throttled: { status: 429, reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
      missing: { Code: 'ResourceNotFoundException', Message: `Function not found: ${ARN}:boto` },
    })
  })
})

describe('the SDK for JavaScript', () => {
  it('runs the same session', async () => {
    const { client } = host
    const FunctionName = 'sdk'
    await createFunction(
      client,
      FunctionName,
      { 'index.js': 'exports.handler = async (event) => ({ hello: event.name })' },
      { Runtime: 'nodejs24.x' },
    )
    expect(await invoke(client, FunctionName, { name: 'you' }, { LogType: 'Tail' })).toMatchObject({
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      body: { hello: 'you' },
    })
    expect((await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event' }))).StatusCode).toBe(202)
    expect((await client.send(new InvokeCommand({ FunctionName, InvocationType: 'DryRun' }))).StatusCode).toBe(204)
    const first = await client.send(new PublishVersionCommand({ FunctionName }))
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: 'second' }))
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 60 }, { FunctionName })
    const second = await client.send(new PublishVersionCommand({ FunctionName }))
    expect([first.Version, second.Version]).toEqual(['1', '2'])
    await client.send(
      new CreateAliasCommand({
        FunctionName,
        Name: 'live',
        FunctionVersion: '1',
        RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } },
      }),
    )
    expect((await invoke(client, `${FunctionName}:live`, { name: 'you' })).body).toEqual({ hello: 'you' })
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
    await expect(invoke(client, FunctionName)).rejects.toMatchObject({ name: 'TooManyRequestsException' })
    expect((await client.send(new DeleteFunctionCommand({ FunctionName }))).$metadata.httpStatusCode).toBe(204)
  })
})
