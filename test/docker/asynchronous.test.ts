/** Asynchronous events end to end: a host that is killed while they run, dead letters and records, recursion. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  InvokeAsyncCommand,
  InvokeCommand,
  type LambdaClient,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
} from '@aws-sdk/client-lambda'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { type AwsServices, startAwsServices } from '../support/aws-services.ts'
import { breaches } from '../support/conservation.ts'
import { createFunction } from '../support/functions.ts'
import { testClient } from '../support/host.ts'
import { type HostProcess, startHostProcess } from '../support/host-process.ts'
import { until } from '../support/until.ts'

/** Sizes of the full form are in CONTRIBUTING.md. */
const sizeOf = (name: string, usual: number) => Number(process.env[name] ?? usual)
const EVENTS = sizeOf('TEST_KILL_EVENTS', 600)
const KILLS = sizeOf('TEST_KILLS', 3)
const OUTAGE_S = sizeOf('TEST_OUTAGE_SECONDS', 0)
/** Milliseconds. */
const PATIENCE = 240_000 + EVENTS * 60 + KILLS * 20_000 + OUTAGE_S * 1000

const ACCOUNT = '123456789012'
let data: string
let host: HostProcess
let client: LambdaClient
let services: AwsServices
let sqs: SQSClient
let counter: Server
/** What functions reported, in order, and how often each. */
const executed: string[] = []
const times = new Map<string, number>()
let env: Record<string, string>

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'hearth-asynchronous-'))
  services = await startAwsServices()
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }
  sqs = new SQSClient({ endpoint: services.url, region: 'us-east-1', credentials, useQueueUrlAsEndpoint: false })
  counter = createServer((request, response) => {
    const report = request.url!.slice(1)
    executed.push(report)
    const count = (times.get(report) ?? 0) + 1
    times.set(report, count)
    response.end(String(count))
  })
  await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve))
  const { port } = counter.address() as AddressInfo
  env = {
    HEARTH_FUNCTION_REACH: String(port),
    HEARTH_FUNCTION_ENV_COUNTER: `http://host.docker.internal:${port}`,
    HEARTH_RETRY_DELAYS: '1,1',
    HEARTH_RETRY_BACKOFF_MS: '200',
    HEARTH_MAX_ENVIRONMENTS: '6',
    AWS_ENDPOINT_URL: services.url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  await start()
})
afterAll(async () => {
  client.destroy()
  sqs.destroy()
  await host.end('SIGTERM')
  await services.stop()
  counter.closeAllConnections()
  counter.close()
  await rm(data, { recursive: true, force: true })
})

async function start(): Promise<void> {
  host = await startHostProcess(data, env)
  client = testClient(host.url)
}

/** Kills the host, looks into its database, and starts it again. Returns the request ids of the claims that were not settled. */
async function killAndRestart(): Promise<string[]> {
  await host.end('SIGKILL')
  client.destroy()
  const { db, close } = await openSqlite(join(data, 'hearth.db'))
  const claimed = await db.selectFrom('events').select('request_id').where('claimed', '=', 1).execute()
  await close()
  await start()
  return claimed.map(({ request_id }) => request_id)
}

/** Fails the first time that it gets an event with `"fails": true`. */
const unsteady = `
exports.handler = async (event, context) => {
  const report = context.awsRequestId + (event.fails ? '-fails' : '')
  const times = await (await fetch(process.env.COUNTER + '/' + report)).text()
  if (event.fails && times === '1') throw new Error('the first time')
}`
const failing = `
exports.handler = async (event, context) => {
  await fetch(process.env.COUNTER + '/' + context.awsRequestId)
  throw new Error('käputt')
}`

async function queue(): Promise<{ drift: number; waiting: number; claimed: number; functions: { drift: number }[] }> {
  return (await (await fetch(`${host.url}/_hearth/queue`)).json()) as Awaited<ReturnType<typeof queue>>
}
async function send(name: string, payload: object = {}): Promise<string> {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: JSON.stringify(payload) }),
  )
  return answer.$metadata.requestId!
}
async function createQueue(name: string): Promise<string> {
  await sqs.send(new CreateQueueCommand({ QueueName: name }))
  return `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
}
/** The next message of a queue, waited for. */
function received(name: string): Promise<Message> {
  return until(async () => {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: `${services.url}/${ACCOUNT}/${name}`,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['AWSTraceHeader'],
        WaitTimeSeconds: 1,
      }),
    )
    return Messages?.[0]
  })
}

describe('events of a host that is killed again and again', () => {
  it(
    `are all executed as their rules demand, none more often than claims were open: ${EVENTS} events, ${KILLS} kills`,
    async () => {
      await createFunction(client, 'unsteady', { 'index.js': unsteady })
      const accepted: string[] = []
      const failed = new Set<string>()
      const unsettled: string[] = []
      let sending = true
      const sender = async () => {
        for (let sent = 0; sending && accepted.length < EVENTS; sent++) {
          const fails = sent % 5 === 0
          // One that was not answered with 202 was not accepted, whether it is on disk or not.
          const id = await send('unsteady', { fails }).catch(() => undefined)
          if (id === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
          else accepted.push(id)
        }
      }
      executed.length = 0
      const senders = Array.from({ length: 4 }, sender)
      try {
        for (let kill = 1; kill <= KILLS; kill++) {
          await until(() => accepted.length > (EVENTS / (KILLS + 1)) * kill && executed.length > 20 * kill)
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 200))
          unsettled.push(...(await killAndRestart()))
        }
        await Promise.all(senders)
      } finally {
        sending = false
      }
      await until(async () => {
        const { waiting, claimed } = await queue()
        return waiting + claimed === 0
      })
      for (const report of executed) if (report.endsWith('-fails')) failed.add(report.replace('-fails', ''))
      const end = await queue()
      const found = breaches({
        accepted,
        executed: executed.map((report) => report.replace('-fails', '')),
        wanted: (id) => (failed.has(id) ? 2 : 1),
        unsettled,
        drift: [end.drift, ...end.functions.map(({ drift }) => drift)],
      })
      expect(found).toEqual([])
      expect(failed.size).toBeGreaterThan(EVENTS / 10)
      console.info(
        `${accepted.length} accepted, ${executed.length} executions, ${failed.size} events retried, ${unsettled.length} claims open at ${KILLS} kills`,
      )
    },
    PATIENCE,
  )
})

describe('a function that fails', () => {
  it(
    'sends its dead letter and its record to the queues, though they and the host were down meanwhile',
    async () => {
      const deadLetters = await createQueue('dead')
      await createFunction(client, 'failing', { 'index.js': failing }, { DeadLetterConfig: { TargetArn: deadLetters } })
      await client.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName: 'failing',
          MaximumRetryAttempts: 1,
          DestinationConfig: { OnFailure: { Destination: `arn:aws:sqs:us-east-1:${ACCOUNT}:failures` } },
        }),
      )
      await services.stop()
      executed.length = 0
      const requestId = await send('failing', { order: 7 })
      await until(() => executed.length === 2)
      await until(async () => (await queue()).claimed === 0)
      await new Promise((resolve) => setTimeout(resolve, (OUTAGE_S * 1000) / 2))
      await killAndRestart()
      await new Promise((resolve) => setTimeout(resolve, (OUTAGE_S * 1000) / 2))
      await services.start()
      await createQueue('dead')
      await createQueue('failures')

      const dead = await received('dead')
      expect(dead.Body).toBe('{"order":7}')
      expect(dead.MessageAttributes).toMatchObject({
        RequestID: { DataType: 'String', StringValue: requestId },
        ErrorCode: { DataType: 'Number', StringValue: '200' },
        ErrorMessage: { DataType: 'String', StringValue: 'käputt' },
      })
      const failure = JSON.parse((await received('failures')).Body!)
      expect(failure).toEqual({
        version: '1.0',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        requestContext: {
          requestId,
          functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:failing:$LATEST',
          condition: 'RetriesExhausted',
          approximateInvokeCount: 2,
        },
        requestPayload: { order: 7 },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: expect.objectContaining({ errorMessage: 'käputt', errorType: 'Error' }),
      })
      expect(executed).toEqual([requestId, requestId])
    },
    PATIENCE,
  )
})

describe('a function that invokes itself', () => {
  const recursive = `
const { LambdaClient, InvokeCommand } = require('@aws-sdk/client-lambda')
const lambda = new LambdaClient({})
exports.handler = async (event, context) => {
  await fetch(process.env.COUNTER + '/' + event.name + '-' + event.depth)
  if (event.depth === 20) return
  await lambda.send(new InvokeCommand({
    FunctionName: context.functionName,
    InvocationType: 'Event',
    Payload: JSON.stringify({ ...event, depth: event.depth + 1 }),
  }))
}`

  it('is stopped after 16 rounds, and the event that was stopped becomes a dead letter', async () => {
    const deadLetters = await createQueue('stopped')
    await createFunction(
      client,
      'recursive',
      { 'index.js': recursive },
      { Timeout: 30, DeadLetterConfig: { TargetArn: deadLetters } },
    )
    executed.length = 0
    await send('recursive', { name: 'a', depth: 1 })
    const dead = await received('stopped')
    expect(dead.Body).toBe('{"name":"a","depth":17}')
    expect(dead.MessageAttributes).toMatchObject({
      ErrorCode: { StringValue: '400' },
      ErrorMessage: { StringValue: expect.stringContaining('recursive loop') },
    })
    expect(executed.at(-1)).toBe('a-16')

    await client.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'recursive', RecursiveLoop: 'Allow' }))
    await send('recursive', { name: 'b', depth: 1 })
    await until(() => executed.includes('b-20'))
  })

  it('is stopped too when the chain goes through a queue and comes back by Invoke with the trace of its messages', async () => {
    const deadLetters = await createQueue('stopped-chain')
    await createFunction(
      client,
      'chained',
      { 'index.js': 'exports.handler = async ({ n }) => ({ n: n + 1 })' },
      { DeadLetterConfig: { TargetArn: deadLetters } },
    )
    await client.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: 'chained',
        DestinationConfig: { OnSuccess: { Destination: await createQueue('chain') } },
      }),
    )
    await send('chained', { n: 1 })
    for (let round = 1; round <= 16; round++) {
      const { Body, Attributes, ReceiptHandle } = await received('chain')
      const { responsePayload } = JSON.parse(Body!) as { responsePayload: { n: number } }
      expect(responsePayload.n).toBe(round + 1)
      await fetch(`${host.url}/2015-03-31/functions/chained/invocations`, {
        method: 'POST',
        headers: { 'X-Amz-Invocation-Type': 'Event', 'X-Amzn-Trace-Id': Attributes!.AWSTraceHeader! },
        body: JSON.stringify(responsePayload),
      })
      await sqs.send(new DeleteMessageCommand({ QueueUrl: `${services.url}/${ACCOUNT}/chain`, ReceiptHandle }))
    }
    expect((await received('stopped-chain')).Body).toBe('{"n":17}')
  })
})

describe('InvokeAsync', () => {
  it('queues the event and answers 202 with an empty body, up to 256 KB', async () => {
    executed.length = 0
    const answer = await client.send(new InvokeAsyncCommand({ FunctionName: 'unsteady', InvokeArgs: '{"a":1}' }))
    expect(answer.Status).toBe(202)
    await until(() => executed.length > 0)
    const tooLarge = JSON.stringify('x'.repeat(256 * 1024))
    await expect(
      client.send(new InvokeAsyncCommand({ FunctionName: 'unsteady', InvokeArgs: tooLarge })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } })
    await expect(
      client.send(new InvokeAsyncCommand({ FunctionName: 'nobody', InvokeArgs: '{}' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const old = await fetch(`${host.url}/2014-11-13/functions/unsteady/invoke-async/`, { method: 'POST', body: '{}' })
    expect([old.status, await old.text()]).toEqual([202, ''])
  })
})
