/**
 * SQS, SNS, EventBridge and S3 through AWS's own clients, loaded on first use: most installations need none. Where the requests go is the
 * SDK's business: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SQS … and the credentials of the host's environment.
 */
import { randomUUID } from 'node:crypto'
import type { DestinationArn, DestinationKind } from '../../lambda/events/destination.ts'
import type { ClaimedDelivery } from '../../store/delivery-store.ts'
import { DeliveryFailure, type DestinationTarget } from './target.ts'

export type AwsKind = Exclude<DestinationKind, 'lambda'>

/** Clients by region, and addresses of queues, that are kept: functions name them, and none may fill the memory. */
const KEPT = { clients: 64, urls: 1_000 }

/** Clients by region, made once. */
export class AwsTargets {
  readonly #made = new Map<string, Promise<Sender>>()
  readonly #environment: Readonly<Record<string, string | undefined>>

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
  }

  target(arn: DestinationArn & { readonly kind: AwsKind }): DestinationTarget {
    return {
      send: async (delivery, signal) => {
        const region = arn.region || this.#environment.AWS_REGION || 'us-east-1'
        const id = `${arn.kind} ${region}`
        let sender = this.#made.get(id)
        if (sender === undefined) {
          sender = this.#make(arn.kind, region)
          this.#made.set(id, sender)
          dropOldest(this.#made, KEPT.clients)
          // A client that could not be loaded, e.g. for want of file handles, is loaded again.
          sender.catch(() => this.#made.delete(id))
        }
        await (await sender)(arn, delivery, signal).catch((error: Error) => {
          throw error.name === 'CredentialsProviderError' ? noCredentials(arn) : error
        })
      },
    }
  }

  #make(kind: AwsKind, region: string): Promise<Sender> {
    switch (kind) {
      case 'sqs':
        return sqs(region, this.#environment)
      case 'sns':
        return sns(region)
      case 'events':
        return eventBridge(region)
      case 's3':
        return s3(region, this.#environment)
    }
  }
}

const VARIABLES = { sqs: 'SQS', sns: 'SNS', events: 'EVENTBRIDGE', s3: 'S3' } as const

function noCredentials({ kind, arn }: DestinationArn & { readonly kind: AwsKind }): DeliveryFailure {
  return new DeliveryFailure(
    `There are no credentials for AWS. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the host is started (and AWS_ENDPOINT_URL_${VARIABLES[kind]} for a server of your own), or map ${arn} to a folder or a webhook with HEARTH_DESTINATIONS.`,
  )
}

type Sender = (arn: DestinationArn, delivery: ClaimedDelivery, signal: AbortSignal) => Promise<unknown>
type Environment = Readonly<Record<string, string | undefined>>

/** The worker retries with its own, longer back-off. */
const ATTEMPTS = 2

function dropOldest(map: Map<string, unknown>, size: number): void {
  if (map.size > size) map.delete(map.keys().next().value!)
}

async function sqs(region: string, environment: Environment): Promise<Sender> {
  const { SQSClient, GetQueueUrlCommand, SendMessageCommand } = await import('@aws-sdk/client-sqs')
  const ownEndpoint = (environment.AWS_ENDPOINT_URL_SQS ?? environment.AWS_ENDPOINT_URL ?? '') !== ''
  const client = new SQSClient({
    region,
    maxAttempts: ATTEMPTS,
    // The host in a queue's URL is how the server calls itself; the operator's endpoint is how it is reached.
    useQueueUrlAsEndpoint: !ownEndpoint,
  })
  const urls = new Map<string, string>()
  return async (arn, delivery, abortSignal) => {
    try {
      let url = urls.get(arn.arn)
      if (url === undefined) {
        const command = new GetQueueUrlCommand({ QueueName: arn.resource, QueueOwnerAWSAccountId: arn.account })
        url = (await client.send(command, { abortSignal })).QueueUrl
        if (url === undefined) throw new DeliveryFailure(`There is no queue ${arn.arn}.`)
        urls.set(arn.arn, url)
        dropOldest(urls, KEPT.urls)
      }
      await client.send(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: textOf(delivery.body),
          MessageAttributes: attributesOf(delivery),
          MessageSystemAttributes: traceAttribute(delivery),
        }),
        { abortSignal },
      )
    } catch (error) {
      // The queue may have been made anew elsewhere.
      urls.delete(arn.arn)
      throw error
    }
  }
}

async function sns(region: string): Promise<Sender> {
  const { SNSClient, PublishCommand } = await import('@aws-sdk/client-sns')
  const client = new SNSClient({ region, maxAttempts: ATTEMPTS })
  return (arn, delivery, abortSignal) => {
    const command = new PublishCommand({
      TopicArn: arn.arn,
      Message: textOf(delivery.body),
      MessageAttributes: attributesOf(delivery),
    })
    // A message has no member for it: the service takes it from the request.
    command.middlewareStack.add(
      (next) => (given) => {
        const { headers } = given.request as { headers: Record<string, string> }
        if (delivery.detail.traceHeader !== undefined) headers['X-Amzn-Trace-Id'] = delivery.detail.traceHeader
        return next(given)
      },
      { step: 'build' },
    )
    return client.send(command, { abortSignal })
  }
}

/** Characters of an entry's TraceHeader. Source: the service's model. */
const BUS_TRACE_MAX = 500

async function eventBridge(region: string): Promise<Sender> {
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge')
  const client = new EventBridgeClient({ region, maxAttempts: ATTEMPTS })
  return async (arn, { detail, body }, abortSignal) => {
    const outcome = detail.kind === 'success' ? 'Success' : 'Failure'
    const answer = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: arn.arn,
            Source: 'lambda',
            DetailType: `Lambda Function Invocation Result - ${outcome}`,
            Resources: [arn.arn, detail.functionArn],
            Detail: textOf(body),
            // Without it the chain of requests ends here; with one that is too long the event would.
            TraceHeader: (detail.traceHeader?.length ?? 0) > BUS_TRACE_MAX ? undefined : detail.traceHeader,
          },
        ],
      }),
      { abortSignal },
    )
    const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined)
    if (refused !== undefined) throw new DeliveryFailure(`${refused.ErrorCode}: ${refused.ErrorMessage}`)
  }
}

async function s3(region: string, environment: Environment): Promise<Sender> {
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const ownEndpoint = (environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL ?? '') !== ''
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    // Servers of one's own rarely have a name for each bucket.
    forcePathStyle: ownEndpoint,
    followRegionRedirects: true,
  })
  return (arn, delivery, abortSignal) =>
    client.send(
      new PutObjectCommand({
        Bucket: arn.resource,
        Key: objectKey(delivery),
        Body: delivery.body,
        ContentType: 'application/json',
      }),
      { abortSignal },
    )
}

/** `aws/lambda/async/<function-name>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>` (developer guide). */
function objectKey(delivery: ClaimedDelivery): string {
  const at = new Date(delivery.createdAt).toISOString()
  const time = at.slice(0, 19).replaceAll(':', '.')
  return `aws/lambda/async/${delivery.function.name}/${at.slice(0, 10).replaceAll('-', '/')}/${time}-${randomUUID()}`
}

function attributesOf({ detail }: ClaimedDelivery) {
  const { attributes } = detail
  if (attributes === undefined) return undefined
  return {
    RequestID: { DataType: 'String', StringValue: attributes.RequestID },
    ErrorCode: { DataType: 'Number', StringValue: attributes.ErrorCode },
    ErrorMessage: { DataType: 'String', StringValue: attributes.ErrorMessage },
  }
}

function traceAttribute({ detail: { traceHeader } }: ClaimedDelivery) {
  if (traceHeader === undefined) return undefined
  return { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
