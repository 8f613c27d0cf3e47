/** Init of a runtime: from the start of its process to its first `next`, or to the reason why it never came. */
import { LIMITS } from '../lambda/limits.ts'
import type { ProcessExit } from '../sandbox/driver.ts'
import { exited, type Failure, launchProblem, notLaunched, sandboxLost, timedOut } from './failure.ts'
import type { Mailbox } from './mailbox.ts'
import type { Signal } from './signal.ts'

export interface BootFailure {
  readonly ok: false
  readonly status: 'error' | 'timeout'
  readonly errorType: string
  /** The failure as the invoker with this request id sees it. */
  readonly failure: (requestId: string, nowMs: number) => Failure
}

export type BootOutcome = { readonly ok: true } | BootFailure

/** Milliseconds for an …/init/error that is on its way when the exit is reported: the two come over different connections. */
const LAST_WORDS_MS = 10

/**
 * Reads signals until Init is over. A deadline must be posted as the signal `deadline` by the caller.
 * @param timeoutSeconds for the text of a timeout
 */
export async function awaitBoot(mailbox: Mailbox<Signal>, timeoutSeconds: number): Promise<BootOutcome> {
  for (;;) {
    const signal = await mailbox.next()
    switch (signal.kind) {
      case 'ready':
        return { ok: true }
      case 'init-error':
        return failed(signal.errorType, () => ({ errorType: signal.errorType, payload: signal.payload, logLines: [] }))
      case 'exit': {
        const words = await mailbox.nextWithin(LAST_WORDS_MS)
        if (words?.kind === 'init-error') {
          return failed(words.errorType, () => ({ errorType: words.errorType, payload: words.payload, logLines: [] }))
        }
        return exitOutcome(signal.exit)
      }
      case 'launch-failure': {
        const errorType = signal.process === 'folder' ? 'Runtime.InvalidWorkingDir' : 'Runtime.InvalidEntrypoint'
        return failed(errorType, (requestId) => notLaunched(requestId, errorType, launchProblem(signal)))
      }
      case 'deadline':
        return {
          ok: false,
          status: 'timeout',
          errorType: 'Sandbox.Timedout',
          failure: (requestId, nowMs) => timedOut(requestId, timeoutSeconds, nowMs),
        }
      case 'lost':
        return { ok: false, status: 'error', errorType: 'Sandbox.Failure', failure: sandboxLost }
      case 'outcome':
        break
    }
  }
}

function exitOutcome(exit: ProcessExit): BootOutcome {
  const errorType = exit.outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError'
  return failed(errorType, (requestId) => exited(requestId, exit))
}

function failed(errorType: string, failure: (requestId: string, nowMs: number) => Failure): BootOutcome {
  return { ok: false, status: 'error', errorType, failure }
}

/** Value of AWS_LAMBDA_INITIALIZATION_TYPE. */
export type InitializationType = 'on-demand' | 'provisioned-concurrency'

/** Milliseconds of the Init phase before the first invocation. Nobody waits for Init ahead of invocations: it may take longer. */
export function initLimitMs(version: { readonly timeout: number }, provisioned: boolean): number {
  return provisioned ? Math.max(LIMITS.provisionedInitTimeoutMs, version.timeout * 1000) : LIMITS.initTimeoutMs
}
