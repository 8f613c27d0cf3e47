/** The runtime's answer to one invocation, or the platform's reason why none came. */
import { LIMITS } from '../lambda/limits.ts'
import type { InvocationOutcome } from '../runtime-api/api.ts'
import {
  exited,
  type Failure,
  invalidResponseMode,
  responseTooLarge,
  sandboxLost,
  timedOut,
  truncatedResponse,
} from './failure.ts'
import type { InvocationEnding } from './invocation.ts'
import type { Mailbox } from './mailbox.ts'
import type { Signal } from './signal.ts'

/** Milliseconds for an answer that is on its way when the runtime's exit is reported: the two come over different connections. */
const LAST_WORDS_MS = 10

export type Answer =
  /** The runtime spoke; it goes on and asks for the next event. */
  | { readonly answered: true; readonly ending: InvocationEnding }
  /** It did not and will not: the environment needs a reset. */
  | { readonly answered: false; readonly failure: Failure; readonly outOfMemory: boolean }

export async function awaitAnswer(
  mailbox: Mailbox<Signal>,
  requestId: string,
  timeoutSeconds: number,
): Promise<Answer> {
  for (;;) {
    let signal = await mailbox.next()
    if (signal.kind === 'exit') {
      const words = await mailbox.nextWithin(LAST_WORDS_MS)
      if (words?.kind === 'outcome') {
        mailbox.post(signal)
        signal = words
      }
    }
    switch (signal.kind) {
      case 'outcome':
        return { answered: true, ending: endingOf(signal.outcome, requestId) }
      case 'exit':
        return unanswered(exited(requestId, signal.exit), signal.exit.outOfMemory)
      case 'deadline':
        return unanswered(timedOut(requestId, timeoutSeconds, Date.now()))
      case 'lost':
        return unanswered(sandboxLost(requestId))
      case 'ready':
      case 'init-error':
      case 'launch-failure':
        // A repeated `next` gets the same event again; nothing to decide here.
        break
    }
  }
}

/** The ending that the caller sees for a failure of the platform's own. */
export function failureEnding(failure: Failure): InvocationEnding {
  return unhandled(failure.errorType, failure.payload)
}

function endingOf(outcome: InvocationOutcome, requestId: string): InvocationEnding {
  switch (outcome.kind) {
    case 'response':
      return { ok: true }
    case 'error':
      return unhandled(outcome.errorType, outcome.payload)
    case 'stream-error':
      return unhandled(outcome.errorType, outcome.errorBody)
    case 'too-large':
      return failureEnding(responseTooLarge(LIMITS.responsePayloadBytes))
    case 'truncated':
      return failureEnding(truncatedResponse(requestId))
    case 'invalid-response-mode':
      return failureEnding(invalidResponseMode(requestId))
  }
}

function unanswered(failure: Failure, outOfMemory = false): Answer {
  return { answered: false, failure, outOfMemory }
}

function unhandled(errorType: string, payload: Uint8Array): InvocationEnding {
  return { ok: false, functionError: 'Unhandled', errorType, payload }
}
