/**
 * One invocation in an execution environment: Init before it where the runtime is down, the event, the answer, and what the log says of it.
 * The caller has the answer as soon as the runtime has ended it; what follows is off the caller's path.
 */
import type { FunctionVersion } from '../lambda/function.ts'
import type { Session } from '../runtime-api/api.ts'
import type { Sandbox } from '../sandbox/driver.ts'
import { awaitAnswer, failureEnding } from './answer.ts'
import type { OneAnswer } from './answer-flow.ts'
import type { BootFailure } from './boot.ts'
import { type Failure, sandboxLost } from './failure.ts'
import type { Invocation, InvocationEnding } from './invocation.ts'
import type { Ending, InvocationLog } from './logs/invocation-log.ts'
import type { Mailbox } from './mailbox.ts'
import type { Signal } from './signal.ts'

/** Milliseconds that an answer with LogType=Tail waits for the runtime's next call. */
const TAIL_WAIT_MS = 50

/** What a run needs of its environment. */
export interface RunContext {
  readonly version: FunctionVersion
  readonly session: Session
  readonly sandbox: Sandbox
  readonly mailbox: Mailbox<Signal>
  readonly log: InvocationLog
  /** Makes the runtime ready; `undefined`: it is. */
  readonly boot: (began: number) => Promise<BootFailure | undefined> | undefined
  /** The caller has its answer, and the runtime is about to ask for the next event. */
  readonly finishing: () => void
}

export interface RunEnd {
  /** The runtime has asked for the next event; else the environment needs a reset. */
  readonly ready: boolean
  /** `success` or the error type. */
  readonly outcome: string
}

export class Run {
  readonly #context: RunContext
  readonly #invocation: Invocation
  readonly #answer: OneAnswer
  /** Duration of the Init just before it. */
  readonly #initDurationMs: number | undefined
  /** `performance.now()` at its begin. */
  readonly #began = performance.now()
  #answered: (ending: InvocationEnding) => void = () => {}
  /** Resolves when the caller has the whole answer. */
  readonly ending = new Promise<InvocationEnding>((resolve) => {
    this.#answered = resolve
  })

  constructor(context: RunContext, invocation: Invocation, answer: OneAnswer, initDurationMs: number | undefined) {
    this.#context = context
    this.#invocation = invocation
    this.#answer = answer
    this.#initDurationMs = initDurationMs
  }

  get durationMs(): number {
    return performance.now() - this.#began
  }

  get cold(): boolean {
    return this.#initDurationMs !== undefined
  }

  async run(): Promise<RunEnd> {
    const { version, mailbox, log, boot } = this.#context
    const { requestId, tail, traceHeader } = this.#invocation
    const deadlineMs = Date.now() + version.timeout * 1000
    const timer = setTimeout(() => mailbox.post({ kind: 'deadline' }), version.timeout * 1000)
    try {
      log.begin(tail)
      const booting = boot(this.#began)
      // A warm invocation is handed over in the turn in which it came.
      const failedBoot = booting && (await booting)
      log.started(requestId, traceHeader)
      if (failedBoot !== undefined) {
        clearTimeout(timer)
        const failure = failedBoot.failure(requestId, Date.now())
        return await this.#fail(failure, failedBoot.errorType === 'Runtime.OutOfMemory')
      }
      this.#hand(deadlineMs)
      const answer = await awaitAnswer(mailbox, requestId, version.timeout)
      if (!answer.answered) {
        clearTimeout(timer)
        return await this.#fail(answer.failure, answer.outOfMemory)
      }
      const { ending } = answer
      const end = tail ? await this.#endWithTail(ending) : await this.#endAtOnce(ending)
      return { ready: end.kind === 'ready', outcome: ending.ok ? 'success' : ending.errorType }
    } finally {
      clearTimeout(timer)
    }
  }

  /** A defect of the host must not leave the caller waiting. */
  giveUp(): void {
    this.#end(failureEnding(sandboxLost(this.#invocation.requestId)))
  }

  #hand(deadlineMs: number): void {
    const { requestId, invokedFunctionArn, traceHeader, clientContext, payload } = this.#invocation
    const context = clientContext === undefined ? {} : { clientContext }
    const event = { requestId, deadlineMs, invokedFunctionArn, traceHeader, ...context, payload }
    this.#context.session.invoke(event, this.#answer)
  }

  #end(ending: InvocationEnding): void {
    this.#answer.end(ending)
    this.#answered(ending)
  }

  /** The caller does not wait for anything that follows. */
  async #endAtOnce(ending: InvocationEnding): Promise<Signal> {
    const { mailbox, log, finishing } = this.#context
    this.#end(ending)
    finishing()
    const end = await mailbox.next()
    log.endLater(this.#logged(ending))
    return end
  }

  /** The caller gets the last lines with the ending, which waits, bounded, until they are here. */
  async #endWithTail(ending: InvocationEnding): Promise<Signal> {
    const { mailbox, log, sandbox, finishing } = this.#context
    const end = await mailbox.nextWithin(TAIL_WAIT_MS)
    await log.endAfterOutput(sandbox, this.#logged(ending))
    this.#end({ ...ending, logTail: await log.tail(sandbox) })
    finishing()
    return end ?? mailbox.next()
  }

  /** The runtime gave no answer: this is one in its place. */
  async #fail(failure: Failure, outOfMemory: boolean): Promise<RunEnd> {
    const { log, sandbox } = this.#context
    const { errorType, logLines } = failure
    const logged = { ...this.#logged(), failure: { errorType, outOfMemory } }
    const ending = failureEnding(failure)
    const { tail } = this.#invocation
    if (!tail) this.#end(ending)
    await log.endAfterOutput(sandbox, logged, logLines)
    if (tail) this.#end({ ...ending, logTail: await log.tail(sandbox) })
    return { ready: false, outcome: errorType }
  }

  /** What END and REPORT say. */
  #logged(ending?: InvocationEnding): Ending {
    const { requestId, traceHeader } = this.#invocation
    const reported = ending?.ok === false ? { functionErrorType: ending.errorType } : {}
    return { requestId, durationMs: this.durationMs, initDurationMs: this.#initDurationMs, traceHeader, ...reported }
  }
}
