/**
 * POST /2015-03-31/functions/{FunctionName}/invocations: headers to an InvokeRequest and an InvokeResult to headers, no rules.
 * The hottest route of the host: it reads Node's own request and hands bytes through without copying.
 */
import { randomUUID } from 'node:crypto'
import { BufferedAnswer } from '../../invoke/buffered-answer.ts'
import type { InvokeRequest, InvokeResult, Invoker } from '../../invoke/invoke.ts'
import { tooLarge } from '../../invoke/payload.ts'
import { isSamplingDecided } from '../../invoke/sampling.ts'
import { traceHeader } from '../../invoke/trace.ts'
import { resolveFunctionName } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { refuseViolations } from '../../lambda/validation.ts'
import type { Caller } from '../http/caller.ts'
import { type ApiLog, errorAnswer } from '../http/errors.ts'
import type { HttpAnswer } from '../http/http-answer.ts'
import { inputViolations } from '../model/check.ts'
import { type InvokeCall, readPayload } from './invoke-call.ts'

const INVOCATION_TYPES = ['Event', 'RequestResponse', 'DryRun'] as const
const LOG_TYPES = ['None', 'Tail'] as const
/** The invoker asks the policy, which it knows without the store when the function is warm. */
const NAMED = { pattern: 'invoke', action: 'lambda:InvokeFunction', granted: true } as const

const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Answers a call; refusals are answers too. */
export type InvokeHandler = (call: InvokeCall, caller: Caller) => Promise<HttpAnswer>

export function invokeHandler(invoker: Invoker, log: ApiLog): InvokeHandler {
  return async (call, caller) => {
    // The id of the invocation is the id of the request, in refusals too.
    let requestId: string | undefined
    try {
      requestId = givenRequestId(call.headers['x-amzn-requestid'] as string | undefined) ?? randomUUID()
      const request = await readRequest(call, caller, requestId)
      const buffered = new BufferedAnswer()
      return answer(requestId, request.traceHeader, await invoker.invoke(request, buffered), buffered)
    } catch (error) {
      return errorAnswer(error, requestId ?? randomUUID(), log)
    }
  }
}

async function readRequest(call: InvokeCall, caller: Caller, requestId: string): Promise<InvokeRequest> {
  const { headers } = call
  const tenantId = headers['x-amz-tenant-id'] as string | undefined
  const durableExecutionName = headers['x-amz-durable-execution-name'] as string | undefined
  // The model is asked only where it could object: a usual request must not pay for it.
  if (tenantId !== undefined || durableExecutionName !== undefined) refuseViolations(violations(call))
  const invocationType =
    oneOf(headers['x-amz-invocation-type'], INVOCATION_TYPES, 'RequestResponse') ?? unknownValue(call)
  const logType = oneOf(headers['x-amz-log-type'], LOG_TYPES, 'None') ?? unknownValue(call)
  const { key, qualifier } = resolveFunctionName(call.name, call.query('Qualifier')?.[0], caller, NAMED)
  const givenTrace = headers['x-amzn-trace-id'] as string | undefined
  return {
    caller: { kind: 'account', account: caller.account },
    key,
    qualifier,
    requestId,
    invocationType,
    tail: logType === 'Tail' && invocationType === 'RequestResponse',
    clientContext: headers['x-amz-client-context'] as string | undefined,
    traceHeader: traceHeader(givenTrace, Date.now()),
    samplingDecided: isSamplingDecided(givenTrace),
    tenantId,
    durableExecutionName,
    payload: await readPayload(call, (bytes) =>
      tooLarge(invocationType === 'Event' ? 'Event' : 'RequestResponse', bytes),
    ),
  }
}

/** The operation of 2014: neither qualifier nor headers nor trace, a smaller payload, and an empty 202 (reference: invoke.md 11). */
export function invokeAsyncHandler(invoker: Invoker, log: ApiLog): InvokeHandler {
  return async (call, caller) => {
    const requestId = randomUUID()
    try {
      const { key, qualifier } = resolveFunctionName(call.name, undefined, caller, NAMED)
      const payloadLimit = LIMITS.invokeAsyncPayloadBytes
      const request: InvokeRequest = {
        caller: { kind: 'account', account: caller.account },
        key,
        qualifier,
        requestId,
        invocationType: 'Event',
        tail: false,
        clientContext: undefined,
        traceHeader: traceHeader(undefined, Date.now()),
        payload: await readPayload(call, (bytes) => tooLarge('Event', bytes, payloadLimit)),
        payloadLimit,
      }
      await invoker.invoke(request, new BufferedAnswer())
      return { status: 202, headers: { 'x-amzn-RequestId': requestId, 'Content-Length': '0' } }
    } catch (error) {
      return errorAnswer(error, requestId, log)
    }
  }
}

function answer(requestId: string, trace: string, outcome: InvokeResult, buffered: BufferedAnswer): HttpAnswer {
  // Each written out: an object spread into another one costs an event a fiftieth of its time.
  switch (outcome.type) {
    case 'DryRun':
      return {
        status: 204,
        headers: { 'x-amzn-RequestId': requestId, 'x-amzn-Remapped-Content-Length': '0', 'X-Amzn-Trace-Id': trace },
      }
    case 'Event':
      return {
        status: 202,
        headers: {
          'x-amzn-RequestId': requestId,
          'x-amzn-Remapped-Content-Length': '0',
          'X-Amzn-Trace-Id': outcome.traceHeader ?? trace,
          'Content-Length': '0',
        },
      }
    case 'RequestResponse': {
      const { result } = buffered
      const headers: Record<string, string> = {
        'Content-Type': 'application/json',
        'Content-Length': String(result.payload.length),
        'X-Amz-Executed-Version': outcome.executedVersion,
        'x-amzn-RequestId': requestId,
        'x-amzn-Remapped-Content-Length': '0',
        'X-Amzn-Trace-Id': outcome.traceHeader ?? trace,
      }
      if (!result.ok) headers['X-Amz-Function-Error'] = result.functionError
      if (result.logTail !== undefined) headers['X-Amz-Log-Result'] = Buffer.from(result.logTail).toString('base64')
      return { status: 200, headers, body: result.payload }
    }
  }
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

function unknownValue(call: InvokeCall): never {
  refuseViolations(violations(call))
  throw new Error('the service model has a value that Invoke does not know')
}

/** Of all headers, name and qualifier together, as for every operation. */
function violations({ name, headers, query }: InvokeCall): string[] {
  return inputViolations('Invoke', {
    body: undefined,
    path: () => name,
    query: (parameter) => query(parameter) as string[] | undefined,
    header: (header) => headers[header.toLowerCase()] as string | undefined,
  })
}
