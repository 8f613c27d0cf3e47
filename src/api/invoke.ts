/**
 * POST /2015-03-31/functions/{FunctionName}/invocations: headers to an InvokeRequest and an InvokeResult to headers, no rules.
 * The hottest route of the host: it reads Node's own request and hands bytes through without copying.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { InvokeRequest, InvokeResult, Invoker } from '../invoke/invoke.ts'
import { tooLarge } from '../invoke/payload.ts'
import { isSamplingDecided } from '../invoke/sampling.ts'
import { traceHeader } from '../invoke/trace.ts'
import { resolveFunctionName } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import { LIMITS } from '../lambda/limits.ts'
import { refuseViolations } from '../lambda/validation.ts'
import { cutOff } from './body.ts'
import type { Caller } from './caller.ts'
import { inputViolations } from './model/check.ts'

const INVOCATION_TYPES = ['Event', 'RequestResponse', 'DryRun'] as const
const LOG_TYPES = ['None', 'Tail'] as const
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The handler for `createApi`. */
export function invokeHandler(invoker: Invoker): (c: Context, caller: Caller) => Promise<Response> {
  return async (c, caller) => {
    const headers = headersOf(c)
    const requestId = givenRequestId(headers['x-amzn-requestid'] as string | undefined) ?? randomUUID()
    // The id of the invocation is the id of the request, in refusals too.
    c.set('requestId', requestId)
    const tenantId = headers['x-amz-tenant-id'] as string | undefined
    const durableExecutionName = headers['x-amz-durable-execution-name'] as string | undefined
    // The model is asked only where it could object: a usual request must not pay for it.
    if (tenantId !== undefined || durableExecutionName !== undefined) refuseViolations(violations(c, headers))
    const invocationType =
      oneOf(headers['x-amz-invocation-type'], INVOCATION_TYPES, 'RequestResponse') ?? unknownValue(c, headers)
    const logType = oneOf(headers['x-amz-log-type'], LOG_TYPES, 'None') ?? unknownValue(c, headers)
    const { key, qualifier } = resolveFunctionName(c.req.param('name') ?? '', c.req.query('Qualifier'), caller, {
      pattern: 'invoke',
      action: 'lambda:InvokeFunction',
      // The invoker asks the policy, which it knows without the store when the function is warm.
      granted: true,
    })
    const givenTrace = headers['x-amzn-trace-id'] as string | undefined
    const trace = traceHeader(givenTrace, Date.now())
    const request: InvokeRequest = {
      callerAccount: caller.account,
      key,
      qualifier,
      requestId,
      invocationType,
      tail: logType === 'Tail' && invocationType === 'RequestResponse',
      clientContext: headers['x-amz-client-context'] as string | undefined,
      traceHeader: trace,
      samplingDecided: isSamplingDecided(givenTrace),
      tenantId,
      durableExecutionName,
      payload: await readBody(c, headers, (bytes) =>
        tooLarge(invocationType === 'Event' ? 'Event' : 'RequestResponse', bytes),
      ),
    }
    return answer(requestId, trace, await invoker.invoke(request))
  }
}

/** The operation of 2014: neither qualifier nor headers nor trace, a smaller payload, and an empty 202 (reference: invoke.md 11). */
export function invokeAsyncHandler(invoker: Invoker): (c: Context, caller: Caller) => Promise<Response> {
  return async (c, caller) => {
    const requestId = randomUUID()
    c.set('requestId', requestId)
    const { key, qualifier } = resolveFunctionName(c.req.param('name') ?? '', undefined, caller, {
      pattern: 'invoke',
      action: 'lambda:InvokeFunction',
      granted: true,
    })
    const payloadLimit = LIMITS.invokeAsyncPayloadBytes
    await invoker.invoke({
      callerAccount: caller.account,
      key,
      qualifier,
      requestId,
      invocationType: 'Event',
      tail: false,
      clientContext: undefined,
      traceHeader: traceHeader(undefined, Date.now()),
      payload: await readBody(c, headersOf(c), (bytes) => tooLarge('Event', bytes, payloadLimit)),
      payloadLimit,
    })
    return new Response(null, { status: 202, headers: { 'x-amzn-RequestId': requestId, 'Content-Length': '0' } })
  }
}

function answer(requestId: string, trace: string, outcome: InvokeResult): Response {
  const common = {
    'x-amzn-RequestId': requestId,
    'x-amzn-Remapped-Content-Length': '0',
    'X-Amzn-Trace-Id': outcome.type === 'DryRun' ? trace : (outcome.traceHeader ?? trace),
  }
  switch (outcome.type) {
    case 'DryRun':
      return new Response(null, { status: 204, headers: common })
    case 'Event':
      return new Response(null, { status: 202, headers: { ...common, 'Content-Length': '0' } })
    case 'RequestResponse': {
      const { result } = outcome
      const headers: Record<string, string> = {
        'Content-Type': 'application/json',
        'Content-Length': String(result.payload.length),
        'X-Amz-Executed-Version': outcome.executedVersion,
        ...common,
      }
      if (!result.ok) headers['X-Amz-Function-Error'] = result.functionError
      if (result.logTail !== undefined) headers['X-Amz-Log-Result'] = Buffer.from(result.logTail).toString('base64')
      return new Response(result.payload as Uint8Array<ArrayBuffer>, { status: 200, headers })
    }
  }
}

function headersOf(c: Context): IncomingHttpHeaders {
  const incoming = incomingOf(c)
  return incoming === undefined ? c.req.header() : incoming.headers
}

function incomingOf(c: Context): IncomingMessage | undefined {
  return (c.env as { incoming?: IncomingMessage } | undefined)?.incoming
}

function givenRequestId(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (REQUEST_ID.test(header)) return header.toLowerCase()
  throw new LambdaException('InvalidRequestContentException', 'x-amzn-RequestId must be a UUID')
}

/** `undefined`: the header has another value. */
function oneOf<const T extends string>(
  header: string | string[] | undefined,
  values: readonly T[],
  absent: T,
): T | undefined {
  return header === undefined ? absent : values.find((value) => value === header)
}

function unknownValue(c: Context, headers: IncomingHttpHeaders): never {
  refuseViolations(violations(c, headers))
  throw new Error('the service model has a value that Invoke does not know')
}

/** Of all headers, name and qualifier together, as for every operation. */
function violations(c: Context, headers: IncomingHttpHeaders): string[] {
  return inputViolations('Invoke', {
    body: undefined,
    path: () => c.req.param('name'),
    query: (name) => c.req.queries(name),
    header: (name) => headers[name.toLowerCase()] as string | undefined,
  })
}

/**
 * The whole body, bounded while it is read: a body beyond the limit is refused before it fills the memory.
 * The limit of the synchronous payload serves for all types; the smaller one of Event is checked with the request's other rules.
 */
async function readBody(
  c: Context,
  headers: IncomingHttpHeaders,
  refusal: (bytes: number) => LambdaException,
): Promise<Uint8Array> {
  const announced = Number(headers['content-length'] ?? Number.NaN)
  if (announced > LIMITS.syncPayloadBytes) throw refusal(announced)
  const incoming = incomingOf(c)
  if (incoming === undefined) return new Uint8Array(await c.req.arrayBuffer())
  if (announced === 0) return new Uint8Array(0)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LIMITS.syncPayloadBytes) {
        chunks.length = 0
        incoming.removeAllListeners('data')
        incoming.resume()
        reject(refusal(size))
        return
      }
      chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)))
    incoming.on('error', (error) => reject(cutOff(error)))
  })
}
