/**
 * The data plane in one place: DryRun, Event or RequestResponse is chosen here, once. Checks run in the order that AWS shows
 * (reference: invoke.md 3): existence, state, payload, client context; then DryRun ends, Event is queued, RequestResponse is admitted.
 */

import type { AnswerFlow } from '../execution/answer-flow.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { InvocationEnding } from '../execution/invocation.ts'
import type { EnvironmentPool } from '../execution/pool/pool.ts'
import { ScalingRateExceeded } from '../execution/pool/scaling-rate.ts'
import { functionArn } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import { RECURSION_ROUNDS, roundsOf, withRound } from '../lambda/events/lineage.ts'
import type { FunctionKey, FunctionVersion } from '../lambda/function.ts'
import { LIMITS } from '../lambda/limits.ts'
import { callRefused, needsGrant, type Principal, policyAllows, policyResource } from '../lambda/policy/policy.ts'
import { functionNotFound, refused } from '../lambda/refusals.ts'
import type { EventQueueStore } from '../store/event-queue-store.ts'
import type { InvokeTarget } from '../store/invoke-targets.ts'
import type { EventBus } from '../telemetry/events.ts'
import { childSpan, endSpan, invocationSpan, type Span } from '../telemetry/tracing.ts'
import type { Concurrency } from './concurrency.ts'
import { checkedPayload, decodedClientContext, tooLarge } from './payload.ts'
import { platformFailure } from './platform-failure.ts'
import { drawVersion, type Resolver } from './resolve.ts'
import { isSampled, TraceSampler, withNewParent } from './sampling.ts'
import { throttled } from './throttles.ts'

export interface InvokeRequest {
  /** Other accounts and services run a function only if its resource policy grants it. */
  readonly caller: Principal
  readonly key: FunctionKey
  /** As the caller gave it; `undefined` for none. */
  readonly qualifier: string | undefined
  readonly requestId: string
  readonly invocationType: 'RequestResponse' | 'Event' | 'DryRun'
  readonly tail: boolean
  /** Base64, as in the header. */
  readonly clientContext: string | undefined
  readonly traceHeader: string
  /** The caller sent `Sampled=0` or `Sampled=1`: that stands. */
  readonly samplingDecided?: boolean
  /** Refused: no function has tenants. */
  readonly tenantId?: string
  /** Refused: no function is durable. */
  readonly durableExecutionName?: string
  readonly payload: Uint8Array
  /** Bytes that the payload may have, where the operation has a limit of its own. */
  readonly payloadLimit?: number
}

export type InvokeResult =
  /** The answer has ended. `traceHeader`: for the answer, where it is another than the request's because sampling was decided here. */
  | {
      readonly type: 'RequestResponse'
      readonly executedVersion: string
      readonly traceHeader?: string
    }
  | { readonly type: 'Event'; readonly traceHeader?: string }
  | { readonly type: 'DryRun' }

export interface InvokerOptions {
  readonly resolver: Resolver
  readonly concurrency: Concurrency
  readonly pool: EnvironmentPool
  readonly queue: EventQueueStore
  readonly bus: EventBus
  /** One entry for the operator: what failed, why, and what to do. */
  readonly logFailure: (key: FunctionKey, exception: LambdaException, remedy: string) => void
  /** Tells the worker that there is something to do for a function. */
  readonly wakeQueue: (key: FunctionKey) => void
  /** Unix milliseconds. */
  readonly clock: () => number
}

export class Invoker {
  readonly #options: InvokerOptions
  readonly #sampler = new TraceSampler()

  constructor(options: InvokerOptions) {
    this.#options = options
  }

  /**
   * @param flow takes the answer of a RequestResponse
   * @throws LambdaException: every refusal of the platform, before the answer begins. A function's own failure is the answer's ending.
   */
  async invoke(request: InvokeRequest, flow: AnswerFlow): Promise<InvokeResult> {
    const { resolver, queue, bus, clock } = this.#options
    const qualifier = request.qualifier ?? '$LATEST'
    const target = resolver.cached(request.key, qualifier) ?? (await resolver.resolve(request.key, qualifier))
    if (needsGrant(request.caller, request.key)) assertGranted(request, target)
    if (target === undefined) throw functionNotFound(request.key, qualifier)
    const version = drawVersion(target)
    assertInvocable(version)
    refuseForeignSettings(request)
    const { key, requestId } = request
    const event = request.invocationType === 'Event'
    const limit = request.payloadLimit ?? (event ? LIMITS.asyncPayloadBytes : LIMITS.syncPayloadBytes)
    if (request.payload.length > limit)
      throw tooLarge(event ? 'Event' : 'RequestResponse', request.payload.length, limit)
    const payload = checkedPayload(request.payload)
    const clientContext = decodedClientContext(request.clientContext)
    if (request.invocationType === 'DryRun') return { type: 'DryRun' }
    const traceHeader = request.samplingDecided
      ? request.traceHeader
      : this.#sampler.decide(request.traceHeader, version, clock())
    const decided = traceHeader === request.traceHeader ? {} : { traceHeader }
    if (event) {
      await queue.put({
        function: key,
        qualifier: request.qualifier,
        requestId,
        traceHeader,
        payload,
        enqueuedAt: clock(),
      })
      bus.emit({ type: 'event.enqueued', function: key, requestId })
      this.#options.wakeQueue(key)
      return { type: 'Event', ...decided }
    }
    const run = {
      key,
      qualifier: request.qualifier,
      requestId,
      traceHeader,
      payload,
      tail: request.tail,
      clientContext,
    }
    await this.run(version, target, run, flow, true)
    return { type: 'RequestResponse', executedVersion: version.version, ...decided }
  }

  /**
   * Runs one invocation of a version under a permit.
   * @param synchronous it counts against the limits of requests per second; events of the queue do not.
   * @throws LambdaException RecursiveInvocationException, TooManyRequestsException, or why no environment could be had
   */
  async run(
    version: FunctionVersion,
    target: Pick<InvokeTarget, 'recursiveLoop'>,
    request: Pick<InvokeRequest, 'key' | 'qualifier' | 'requestId' | 'traceHeader' | 'payload' | 'tail'> & {
      /** Decoded JSON. */
      readonly clientContext: string | undefined
    },
    flow: AnswerFlow,
    synchronous = false,
  ): Promise<InvocationEnding> {
    const { concurrency, bus } = this.#options
    if (target.recursiveLoop !== 'Allow') this.#stopRecursion(request.key, request.traceHeader)
    this.#admit(version, synchronous)
    const span = invocationSpan(version, request.requestId, request.traceHeader)
    try {
      const environment = this.#options.pool.tryAcquire(version) ?? (await this.#wait(version, span))
      if (!environment.provisioned && concurrency.provisioned(version, version.version)) {
        bus.emit({ type: 'invocation.spilled', function: request.key, version: version.version })
      }
      // The runtime's segments hang below the invocation's own.
      const { traceHeader } = request
      const parent = span?.isRecording() ? span.spanContext().spanId : undefined
      const runtime = childSpan(span, 'runtime')
      const invocation = {
        requestId: request.requestId,
        invokedFunctionArn: functionArn(request.key, request.qualifier),
        traceHeader: withRound(isSampled(traceHeader) ? withNewParent(traceHeader, parent) : traceHeader, request.key),
        ...(request.clientContext === undefined ? {} : { clientContext: request.clientContext }),
        payload: request.payload,
        tail: request.tail,
      }
      const ending = await environment.invoke(invocation, flow)
      const failure = ending.ok ? undefined : ending.errorType
      endSpan(runtime, failure)
      endSpan(span, failure)
      return ending
    } catch (error) {
      endSpan(span, error)
      throw this.#refusal(request.key, error)
    } finally {
      concurrency.release(version, version.version)
    }
  }

  #stopRecursion(key: FunctionKey, traceHeader: string): void {
    if (roundsOf(traceHeader, key) < RECURSION_ROUNDS) return
    this.#options.bus.emit({ type: 'invocation.recursive', function: key })
    // The model's own description of the exception; what AWS sends is not recorded.
    throw new LambdaException(
      'RecursiveInvocationException',
      "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function's invocation.",
    )
  }

  async #wait(version: FunctionVersion, span: Span | undefined): Promise<ExecutionEnvironment> {
    const wait = childSpan(span, 'queue wait')
    try {
      return await this.#options.pool.acquire(version)
    } finally {
      endSpan(wait)
    }
  }

  #admit(version: FunctionVersion, synchronous: boolean): void {
    try {
      this.#options.concurrency.acquire(version, version.version, synchronous)
    } catch (error) {
      if (error instanceof LambdaException) this.#throttled(version, error)
      throw error
    }
  }

  #throttled(key: FunctionKey, error: LambdaException): LambdaException {
    const reason = error.detail.members?.Reason ?? error.name
    this.#options.bus.emit({ type: 'invocation.throttled', function: key, reason })
    return error
  }

  #refusal(key: FunctionKey, error: unknown): LambdaException {
    if (error instanceof LambdaException) {
      if (error.status >= 500 || error.detail.remedy !== undefined)
        this.#options.logFailure(key, error, remedyOf(error))
      return error
    }
    if (error instanceof ScalingRateExceeded) {
      return this.#throttled(key, throttled('ConcurrentInvocationLimitExceeded'))
    }
    const { exception, remedy } = platformFailure(error)
    this.#options.logFailure(key, exception, remedy)
    this.#options.bus.emit({ type: 'platform.error', function: key, exception: exception.name })
    return exception
  }
}

function remedyOf(error: LambdaException): string {
  if (error.detail.remedy !== undefined) return error.detail.remedy
  return error.name === 'InvalidZipFileException'
    ? 'The stored package is damaged: upload the code again with update-function-code.'
    : 'See docs/errors.md.'
}

/** What only functions of another kind take, none of which can be made here. (unverified) texts: no recording has AWS's. */
function refuseForeignSettings({ tenantId, durableExecutionName }: InvokeRequest): void {
  if (tenantId !== undefined) {
    throw refused(
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
    )
  }
  if (durableExecutionName !== undefined) {
    throw refused(
      'The invoked function is not enabled with durable configuration. Remove the durable execution name from your request and try again.',
    )
  }
}

/** Whether the function exists is nobody's business who may not call it. @throws AccessDeniedException */
function assertGranted({ caller, key, qualifier }: InvokeRequest, target: InvokeTarget | undefined): void {
  const action = 'lambda:InvokeFunction'
  const resource = policyResource(key, qualifier)
  if (policyAllows(target?.policy, { principal: caller, action, resource })) return
  throw callRefused(caller, action, functionArn(key, qualifier))
}

/** @throws ResourceConflictException 409, ResourceNotReadyException 502 (reference: invoke.md 9.2) */
function assertInvocable(version: FunctionVersion): void {
  switch (version.state) {
    case 'Active':
      return
    case 'Inactive':
      throw new LambdaException(
        'ResourceNotReadyException',
        'The function is inactive and its resources are being restored. Try again shortly.',
      )
    case 'Pending':
    case 'Failed':
      throw new LambdaException(
        'ResourceConflictException',
        `The operation cannot be performed at this time. The function is currently in the following state: ${version.state}`,
      )
  }
}
