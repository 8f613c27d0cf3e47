/** One attempt of an asynchronous event: checks that need no permit, then the invocation, and what came of it. Changes nothing in the queue. */
import { functionArn } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import { type AttemptOutcome, isTooOld } from '../../lambda/events/event-invoke.ts'
import type { EndedEvent } from '../../lambda/events/event-record.ts'
import type { FunctionVersion } from '../../lambda/function.ts'
import type { ClaimedEvent } from '../../store/event-queue-store.ts'
import type { InvokeTarget } from '../../store/invoke-targets.ts'
import { BufferedAnswer } from '../buffered-answer.ts'
import type { Invoker } from '../invoke.ts'
import { drawVersion, type Resolver } from '../resolve.ts'

export interface Attempt {
  /** `too-old`: its time was over before it could run. `no-function`: deleted since. */
  readonly outcome: AttemptOutcome | 'too-old' | 'no-function'
  readonly target?: InvokeTarget
  /** Of several behind a weighted alias the one that was drawn. */
  readonly version?: FunctionVersion
  readonly response?: EndedEvent['response']
  readonly refusal?: EndedEvent['refusal']
  /** What went wrong on the platform's side. */
  readonly error?: unknown
}

export interface AttemptNeeds {
  readonly resolver: Resolver
  readonly invoker: Invoker
  readonly clock: () => number
}

/** @param admitted called right before the invocation takes its permit, in the same turn */
export async function attempt(event: ClaimedEvent, needs: AttemptNeeds, admitted: () => void): Promise<Attempt> {
  const { resolver, invoker, clock } = needs
  const qualifier = event.qualifier ?? '$LATEST'
  // Resolved now: an event runs on the code that is in force when it runs.
  let target: InvokeTarget | undefined
  try {
    target = await resolver.resolve(event.function, qualifier)
    if (target === undefined) {
      const latest = qualifier === '$LATEST' ? undefined : await resolver.resolve(event.function, '$LATEST')
      if (latest === undefined) return { outcome: 'no-function' }
      const message = `Function not found: ${functionArn(event.function, qualifier)}`
      return { outcome: 'no-target', target: latest, version: drawVersion(latest), refusal: { status: 404, message } }
    }
  } catch (error) {
    return { outcome: 'postponed', error, refusal: refusalOf(error) }
  }
  const version = drawVersion(target)
  const known = { target, version }
  if (isTooOld(event.enqueuedAt, target.eventInvoke ?? {}, clock())) {
    return {
      ...known,
      outcome: 'too-old',
      refusal: { status: 429, message: 'The event is older than MaximumEventAge.' },
    }
  }
  if (target.reservedConcurrency === 0) {
    const message = 'The function has a reserved concurrency of zero.'
    return { ...known, outcome: 'zero-reserved', refusal: { status: 429, message } }
  }
  try {
    admitted()
    const answer = new BufferedAnswer()
    const request = {
      key: event.function,
      qualifier: event.qualifier,
      requestId: event.requestId,
      traceHeader: event.traceHeader,
      payload: event.payload,
      clientContext: undefined,
      tail: false,
    }
    await invoker.run(version, target, request, answer)
    const { result } = answer
    const response = {
      executedVersion: version.version,
      payload: result.payload,
      ...(result.ok ? {} : { functionError: result.functionError }),
    }
    return { ...known, outcome: result.ok ? 'success' : 'function-error', response }
  } catch (error) {
    const refusal = refusalOf(error)
    const recursive = error instanceof LambdaException && error.name === 'RecursiveInvocationException'
    return { ...known, outcome: recursive ? 'recursive' : 'postponed', error, refusal }
  }
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof LambdaException) return { status: error.status, message: error.message }
  return { status: 500, message: 'An error occurred and the request cannot be processed.' }
}

export function isThrottle(error: unknown): boolean {
  return error instanceof LambdaException && error.name === 'TooManyRequestsException'
}
