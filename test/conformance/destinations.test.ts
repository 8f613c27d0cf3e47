/** Deliveries through AWS's own clients into servers that speak the services' protocols. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Destinations } from '../../src/invoke/destinations/destinations.ts'
import { DeliveryWorker } from '../../src/invoke/events/delivery-worker.ts'
import type { NewDelivery } from '../../src/store/delivery-store.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { key, validEvent } from '../contract/store/under-test.ts'
import { type AwsServices, startAwsServices } from '../support/aws-services.ts'
import { until } from '../support/until.ts'

const ACCOUNT = '123456789012'
const REGION = 'us-east-1'
const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`
const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:0123abcd:3'
const before = { ...process.env }
let services: AwsServices
let folder: string
let store: Store
let worker: DeliveryWorker
let sqs: SQSClient
const logged: unknown[] = []

beforeAll(async () => {
  services = await startAwsServices()
  // What the operator of a host sets: the clients read it themselves.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: services.url,
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: REGION,
  })
  sqs = new SQSClient({ useQueueUrlAsEndpoint: false })
  folder = mkdtempSync(join(tmpdir(), 'hearth-destinations-'))
  store = await openStore(join(folder, 'hearth.db'))
  worker = new DeliveryWorker({
    store: store.deliveries,
    destinations: new Destinations({ named: {}, secret: undefined, environment: process.env, clock: Date.now }),
    backoffBaseMs: 100,
    clock: Date.now,
    log: (message, fields) => void logged.push({ message, ...fields }),
  })
  await worker.start()
})
afterAll(async () => {
  await worker.stop(0)
  await store.close()
  await services.stop()
  rmSync(folder, { recursive: true })
  for (const name of [
    'AWS_ENDPOINT_URL',
    'AWS_ENDPOINT_URL_EVENTBRIDGE',
    'AWS_ENDPOINT_URL_SNS',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_REGION',
    'AWS_EC2_METADATA_DISABLED',
    'AWS_SHARED_CREDENTIALS_FILE',
  ]) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

async function deliver(target: string, kind: NewDelivery['detail']['kind'], body: string): Promise<void> {
  await store.queue.put(validEvent())
  const [event] = (await store.queue.claim(Date.now(), 1)).events
  const attributes = { RequestID: 'r-1', ErrorCode: '200', ErrorMessage: 'no' }
  const functionArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:f:$LATEST`
  const detail = { kind, requestId: 'r-1', functionArn, traceHeader: TRACE }
  const delivery = {
    function: key('f'),
    target,
    detail: kind === 'dead-letter' ? { ...detail, attributes } : detail,
    body: new TextEncoder().encode(body),
    createdAt: Date.now(),
  }
  await store.queue.settle(event!.id, event!.epoch, { as: 'dead', deliveries: [delivery], events: [] })
  worker.wake()
}
async function createQueue(name: string): Promise<string> {
  await sqs.send(new CreateQueueCommand({ QueueName: name }))
  return arn('sqs', name)
}
const message = (name: string) =>
  until(async () => {
    const QueueUrl = `${services.url}/${ACCOUNT}/${name}`
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MessageSystemAttributeNames: ['AWSTraceHeader'] }),
    )
    return Messages?.[0]
  })
const received = async (name: string) => (await message(name)).Body ?? ''

it('a topic gets the message with the attributes of a dead letter', async () => {
  const sns = new SNSClient({})
  await sns.send(new CreateTopicCommand({ Name: 'topic' }))
  const Endpoint = await createQueue('of-topic')
  await sns.send(new SubscribeCommand({ TopicArn: arn('sns', 'topic'), Protocol: 'sqs', Endpoint }))
  await deliver(arn('sns', 'topic'), 'dead-letter', '{"a":1}')
  expect(JSON.parse(await received('of-topic'))).toMatchObject({
    TopicArn: arn('sns', 'topic'),
    Message: '{"a":1}',
    MessageAttributes: {
      RequestID: { Type: 'String', Value: 'r-1' },
      ErrorCode: { Type: 'Number', Value: '200' },
      ErrorMessage: { Type: 'String', Value: 'no' },
    },
  })
})

/** moto keeps some of what it gets to itself: a server that remembers what the client sent shows more. */
async function remembering(answers: readonly string[], contentType: string) {
  const asked: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    asked.push({ headers: request.headers, body })
    response.setHeader('Content-Type', contentType)
    response.end(answers[Math.min(asked.length, answers.length) - 1])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

it('a topic hears of the trace in the header of the request', async () => {
  const answer = '<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>'
  const server = await remembering([answer], 'text/xml')
  process.env.AWS_ENDPOINT_URL_SNS = server.url
  await deliver('arn:aws:sns:eu-west-1:123456789012:traced', 'success', '{"version":"1.0"}')
  const [asked] = await until(() => server.asked.length > 0 && server.asked)
  server.close()
  expect(new URLSearchParams(asked?.body).get('Message')).toBe('{"version":"1.0"}')
  expect(asked?.headers['x-amzn-trace-id']).toBe(TRACE)
})

it('a bus gets an event of source lambda with the record as detail', async () => {
  const refused = { FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'try again' }] }
  const taken = { FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] }
  const server = await remembering([JSON.stringify(refused), JSON.stringify(taken)], 'application/x-amz-json-1.1')
  const { asked } = server
  process.env.AWS_ENDPOINT_URL_EVENTBRIDGE = server.url
  await deliver(arn('events', 'event-bus/bus'), 'success', '{"version":"1.0"}')
  // The first answer refuses it; nothing comes after the second, which takes it.
  await until(async () => {
    const { decided, delivered, abandoned } = await store.deliveries.counts()
    return asked.length >= 2 && decided === delivered + abandoned
  })
  server.close()
  expect(asked).toHaveLength(2)
  expect(asked[1]?.headers['x-amz-target']).toBe('AWSEvents.PutEvents')
  expect(JSON.parse(asked[1]?.body ?? '')).toEqual({
    Entries: [
      {
        EventBusName: arn('events', 'event-bus/bus'),
        Source: 'lambda',
        DetailType: 'Lambda Function Invocation Result - Success',
        Resources: [arn('events', 'event-bus/bus'), `arn:aws:lambda:${REGION}:${ACCOUNT}:function:f:$LATEST`],
        Detail: '{"version":"1.0"}',
        TraceHeader: TRACE,
      },
    ],
  })
})

it('a bucket gets an object under the name of the function and the time', async () => {
  const s3 = new S3Client({ forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'failures' }))
  await deliver('arn:aws:s3:::failures', 'failure', '{"version":"1.0"}')
  const object = await until(async () => {
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'failures' }))
    return Contents?.[0]?.Key
  })
  expect(object).toMatch(/^aws\/lambda\/async\/f\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/)
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'failures', Key: object }))
  expect(await Body?.transformToString()).toBe('{"version":"1.0"}')
})

it('a queue that is made later gets what waited for it, with its trace', async () => {
  await deliver(arn('sqs', 'later'), 'failure', '{"late":true}')
  await until(() => logged.some((entry) => JSON.stringify(entry).includes(':later')))
  await createQueue('later')
  expect(await message('later')).toMatchObject({ Body: '{"late":true}', Attributes: { AWSTraceHeader: TRACE } })
})

it('a host without credentials says what to set', async () => {
  const { AWS_ACCESS_KEY_ID } = process.env
  delete process.env.AWS_ACCESS_KEY_ID
  process.env.AWS_EC2_METADATA_DISABLED = 'true'
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'none')
  try {
    await deliver('arn:aws:sqs:eu-central-1:123456789012:elsewhere', 'failure', '{}')
    const entry = await until(() => logged.map((one) => JSON.stringify(one)).find((text) => text.includes('elsewhere')))
    expect(entry).toMatch(/no credentials for AWS.*AWS_ENDPOINT_URL_SQS.*HEARTH_DESTINATIONS/)
  } finally {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID })
  }
})
