/**
 * Requests for services that this host does not have: an SDK with one endpoint for everything sends them here. Each is refused in the
 * protocol of its service, so that the client shows the sentence and not a parsing error.
 */
import type { Context } from 'hono'
import type { HttpAnswer } from '../http/http-answer.ts'
import { escaped, type QueryRequest, queryError, xml } from './query.ts'

/** `Credential=AKID/20260101/us-east-1/s3/aws4_request`, in the header or as X-Amz-Credential */
const SCOPE = /(?:Credential=|^)[^/,\s]{1,256}\/\d{8}\/[^/,\s]{1,64}\/([a-z0-9-]{1,64})\/aws4_request/

/** Services by the prefix of X-Amz-Target, where it does not say the name. */
const TARGETS: Readonly<Record<string, string>> = {
  AmazonSQS: 'sqs',
  AmazonSSM: 'ssm',
  AWSEvents: 'events',
  AWSStepFunctions: 'states',
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodb',
  GraniteServiceVersion20100801: 'monitoring',
  Kinesis_20131202: 'kinesis',
  Logs_20140328: 'logs',
  secretsmanager: 'secretsmanager',
  TrentService: 'kms',
}

/** Services by the version of their query API. */
const VERSIONS: Readonly<Record<string, string>> = {
  '2010-03-31': 'sns',
  '2010-05-08': 'iam',
  '2010-05-15': 'cloudformation',
  '2010-08-01': 'monitoring',
  '2012-11-05': 'sqs',
  '2016-11-15': 'ec2',
}

/** The service that a request is for, by its signature, else by its form; `undefined`: it does not say, or says Lambda. */
export function otherService(c: Context, query: QueryRequest | undefined): string | undefined {
  const [, signed] = SCOPE.exec(c.req.header('authorization') ?? c.req.query('X-Amz-Credential') ?? '') ?? []
  if (signed !== undefined && signed !== 'lambda') return signed
  const target = c.req.header('x-amz-target')?.split('.', 1)[0]
  if (target !== undefined) return TARGETS[target] ?? target.slice(0, 64)
  if (query !== undefined) return VERSIONS[query.version ?? ''] ?? 'another service'
  return undefined
}

/** @param reached what the caller talks to, for the sentence, e.g. `Hearth at 127.0.0.1:9000` */
export function refuseService(
  c: Context,
  service: string,
  { reached, query, requestId }: { reached: string; query: QueryRequest | undefined; requestId: string },
): HttpAnswer {
  const message = `${reached} has no service ${service}. It answers the Lambda API and sts:GetCallerIdentity; give clients of ${service} another endpoint.`
  if (c.req.header('smithy-protocol') === 'rpc-v2-cbor') return cbor(message, requestId)
  if (c.req.header('x-amz-target') !== undefined) return json(c, message, requestId)
  if (service === 's3') {
    const body = `<Error><Code>NotImplemented</Code><Message>${escaped(message)}</Message><RequestId>${requestId}</RequestId></Error>`
    return xml(c.req.method === 'HEAD' ? '' : body, 501, requestId)
  }
  const error = { code: 'InvalidAction', message, status: 400 }
  if (service === 'ec2') return ec2(error, requestId)
  if (query !== undefined) return queryError(error, requestId)
  return {
    status: 404,
    headers: {
      'Content-Type': 'application/json',
      'x-amzn-RequestId': requestId,
      'x-amzn-ErrorType': 'UnknownOperationException',
    },
    body: JSON.stringify({ message }),
  }
}

function json(c: Context, message: string, requestId: string): HttpAnswer {
  const given = c.req.header('content-type')
  return {
    status: 400,
    headers: {
      'Content-Type': given === 'application/x-amz-json-1.0' ? given : 'application/x-amz-json-1.1',
      'x-amzn-RequestId': requestId,
      'x-amzn-ErrorType': 'UnknownOperationException',
    },
    body: JSON.stringify({ __type: 'UnknownOperationException', message }),
  }
}

function ec2({ code, message, status }: { code: string; message: string; status: number }, id: string): HttpAnswer {
  const error = `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`
  return xml(`<Response><Errors>${error}</Errors><RequestID>${id}</RequestID></Response>`, status, id)
}

/** A map of two texts (RFC 8949). */
function cbor(message: string, requestId: string): HttpAnswer {
  const text = (value: string) => {
    const bytes = Buffer.from(value)
    return Buffer.concat([Buffer.from([0x79, bytes.length >> 8, bytes.length & 0xff]), bytes])
  }
  const body = [Buffer.from([0xa2]), text('__type'), text('UnknownOperationException'), text('message'), text(message)]
  return {
    status: 400,
    headers: {
      'Content-Type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
      'x-amzn-RequestId': requestId,
    },
    body: Buffer.concat(body),
  }
}
