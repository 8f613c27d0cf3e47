/**
 * One execution environment: a sandbox, its Runtime API session and its log, driven through the table of `lifecycle.ts`.
 *
 * The answer of an invocation resolves as soon as the runtime has posted it; the environment becomes Idle when the runtime asks for the
 * next event. Everything after the answer (log lines, memory, reset) is off the caller's path.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FunctionVersion } from '../lambda/function.ts'
import { LIMITS } from '../lambda/limits.ts'
import type { Listeners, Session } from '../runtime-api/api.ts'
import { type Place, type Sandbox, type SandboxDriver, SandboxError } from '../sandbox/driver.ts'
import type { EventBus } from '../telemetry/events.ts'
import type { LogStore } from '../telemetry/log-store.ts'
import { awaitAnswer, failureResult } from './answer.ts'
import { awaitBoot, type BootOutcome, INIT_LIMIT_MS } from './boot.ts'
import { EnvironmentLog } from './environment-log.ts'
import { type Failure, sandboxLost } from './failure.ts'
import type { Invocation, InvocationResult } from './invocation.ts'
import { allows, type LifecycleEvent, type LifecycleState, next } from './lifecycle.ts'
import { Mailbox } from './mailbox.ts'
import { logStreamName, runtimeLabel } from './names.ts'
import { endLine, initReportLine, initStartLine, reportLine, startLine } from './report.ts'
import type { Signal } from './signal.ts'
import { environmentVariables } from './variables.ts'

/** Milliseconds that an answer with LogType=Tail waits for the runtime's next call and for the last lines of output. */
const TAIL_WAIT_MS = 50
/** Milliseconds between the end of an invocation and its END line, so that output still in the pipe comes before it. */
const OUTPUT_SETTLE_MS = 20

/** The environment was removed before it was ready: the host stops, or the function was deleted. */
class ShutDown extends Error {
  override readonly name = 'ShutDown'
  constructor() {
    super('the execution environment was shut down before it was ready')
  }
}

/** What all environments of a host share. */
export interface EnvironmentHost {
  readonly driver: SandboxDriver
  readonly listeners: Listeners
  readonly logs: LogStore
  readonly bus: EventBus
  /** Image of the version's runtime. */
  readonly image: (version: FunctionVersion) => Promise<string>
  /** 64 hex digits that name the runtime's image in its ARN. */
  readonly runtimeVersionHash: (version: FunctionVersion) => string
  /** Folder with the unpacked package. */
  readonly codePath: (version: FunctionVersion) => Promise<string>
  readonly functionEnv: Readonly<Record<string, string>>
  /** The Lambda API for calls from inside the sandbox, as the function's own account; `undefined` switches it off. */
  readonly lambdaApi:
    | ((version: FunctionVersion, request: IncomingMessage, response: ServerResponse) => void)
    | undefined
}

/** Whom the environment tells; the pool. */
export interface EnvironmentOwner {
  idle(environment: ExecutionEnvironment): void
  /** It has answered and will be idle as soon as the runtime asks for the next event. */
  finishing(environment: ExecutionEnvironment): void
  /** It was Idle and left that state without an invocation: the runtime exited, or it is being removed. */
  unavailable(environment: ExecutionEnvironment): void
  gone(environment: ExecutionEnvironment): void
}

/** A finished invocation's END and REPORT, not yet written. */
interface PendingReport {
  readonly write: () => void
  readonly timer: NodeJS.Timeout
}

export class ExecutionEnvironment {
  readonly id = randomUUID()
  readonly version: FunctionVersion
  readonly #host: EnvironmentHost
  readonly #owner: EnvironmentOwner
  readonly #log: EnvironmentLog
  readonly #mailbox = new Mailbox<Signal>()
  readonly #logStream: string
  #state: LifecycleState = 'Starting'
  #stateSince = performance.now()
  #place: Place | undefined
  #session: Session | undefined
  #sandbox: Sandbox | undefined
  /** The runtime runs and waits in `next`; false after a reset until the suppressed init. */
  #booted = false
  #initDurationMs: number | undefined
  #outOfMemory = false
  #pendingReport: PendingReport | undefined
  #removed: Promise<void> | undefined
  /** The sandbox while the driver makes it: removal must wait for it, or it would be left behind. */
  #starting: Promise<Sandbox> | undefined
  /** Unix milliseconds; for the admin API. */
  readonly startedAt = Date.now()
  invocations = 0

  constructor(host: EnvironmentHost, owner: EnvironmentOwner, version: FunctionVersion) {
    this.#host = host
    this.#owner = owner
    this.version = version
    this.#logStream = logStreamName(version, this.startedAt)
    this.#log = new EnvironmentLog({
      store: host.logs,
      stream: {
        account: version.account,
        region: version.region,
        group: version.logging.logGroup,
        stream: this.#logStream,
      },
      maxMemoryBytes: () => this.#maxMemoryBytes(),
      carriageReturns: version.runtime?.startsWith('provided') ? 'keep' : 'newline',
    })
  }

  get state(): LifecycleState {
    return this.#state
  }

  /** For operators: GET /_hearth/environments. */
  describe(): Record<string, string | number | undefined> {
    return {
      id: this.id,
      account: this.version.account,
      region: this.version.region,
      function: this.version.name,
      version: this.version.version,
      state: this.#state,
      sandbox: this.#sandbox?.id,
      startedAt: new Date(this.startedAt).toISOString(),
      invocations: this.invocations,
    }
  }

  /**
   * Starts the sandbox and runs Init. Resolves when the environment is Idle (a failed Init is repeated by the first invocation).
   * @throws SandboxError, LambdaException (code) when the platform could not make it; the caller then calls `shutdown`.
   */
  async start(): Promise<void> {
    const began = performance.now()
    const [image, codePath, place] = await Promise.all([
      this.#host.image(this.version),
      this.#host.codePath(this.version),
      this.#reserve(),
    ])
    const reserved = performance.now()
    this.#session = await this.#openSession(place)
    const listening = performance.now()
    const variables = environmentVariables({
      version: this.version,
      runtimeApi: this.#session.address,
      logStream: this.#logStream,
      defaults: this.#host.functionEnv,
      lambdaApi: this.#host.lambdaApi !== undefined,
    })
    if (this.#state !== 'Starting') throw new ShutDown()
    this.#log.write(initStartLine(runtimeLabel(this.version), this.#runtimeVersionArn()))
    this.#starting = this.#host.driver.start(
      {
        place,
        image,
        environment: variables,
        codePath,
        memoryMb: this.version.memorySize,
        ephemeralStorageMb: this.version.ephemeralStorage,
        functionArn: `arn:aws:lambda:${this.version.region}:${this.version.account}:function:${this.version.name}:${this.version.version}`,
      },
      {
        output: (chunk) => this.#log.output(chunk),
        exit: (exit) => this.#hear({ kind: 'exit', exit }),
        launchFailure: ({ errno, path }) => this.#hear({ kind: 'launch-failure', errno, path }),
        lost: (reason) => this.#hear({ kind: 'lost', reason }),
      },
    )
    this.#sandbox = await this.#starting
    const sandboxed = performance.now()
    if (this.#state !== 'Starting') throw new ShutDown()
    this.#apply('started')
    await this.#firstInit()
    this.#host.bus.emit({
      type: 'environment.started',
      environment: this.id,
      function: this.version,
      phases: {
        reserve: reserved - began,
        listen: listening - reserved,
        sandbox: sandboxed - listening,
        init: performance.now() - sandboxed,
      },
    })
  }

  /** Runs one invocation. The environment must be Idle. Never rejects: the platform's loss of the sandbox is a result as well. */
  invoke(invocation: Invocation): Promise<InvocationResult> {
    this.#apply('invoke')
    this.invocations++
    this.#writePendingReport()
    return new Promise((resolve) => {
      this.#run(invocation, resolve).catch((error: unknown) => {
        // A defect of the host must end neither the process nor the caller's wait.
        resolve(failureResult(sandboxLost(invocation.requestId)))
        void this.shutdown(`defect: ${error instanceof Error ? error.stack : String(error)}`)
      })
    })
  }

  /** Removes the environment, whatever it does. Safe to call more than once. */
  shutdown(reason: string): Promise<void> {
    this.#removed ??= this.#remove(reason)
    return this.#removed
  }

  async #remove(reason: string): Promise<void> {
    if (allows(this.#state, 'shutdown')) this.#apply('shutdown')
    this.#hear({ kind: 'lost', reason })
    this.#writePendingReport()
    this.#session?.close()
    const sandbox = this.#sandbox ?? (await this.#starting?.catch(() => undefined))
    if (sandbox === undefined) this.#place?.release()
    else await sandbox.destroy(reason)
    await this.#log.close()
    this.#apply('removed')
    this.#owner.gone(this)
  }

  /** The only writer of the state: stamps the time and tells the observers. */
  #apply(event: LifecycleEvent): void {
    const from = this.#state
    const to = next(from, event)
    const now = performance.now()
    const heldMs = now - this.#stateSince
    this.#state = to
    this.#stateSince = now
    if (from === 'Idle' && to !== 'Invoke') this.#owner.unavailable(this)
    this.#host.bus.emit({
      type: 'environment.state',
      environment: this.id,
      function: this.version,
      version: this.version.version,
      from,
      to,
      heldMs,
    })
  }

  async #reserve(): Promise<Place> {
    const place = await this.#host.driver.reserve()
    if (this.#state !== 'Starting') {
      place.release()
      throw new ShutDown()
    }
    this.#place = place
    return place
  }

  async #openSession(place: Place): Promise<Session> {
    const { lambdaApi } = this.#host
    return this.#host.listeners.open({
      hostAddress: place.hostAddress,
      peerAddress: place.sandboxAddress,
      observer: {
        ready: () => this.#hear({ kind: 'ready' }),
        initError: ({ payload, errorType }) => this.#hear({ kind: 'init-error', payload, errorType }),
        outcome: (_requestId, outcome) => this.#hear({ kind: 'outcome', outcome }),
      },
      ...(lambdaApi === undefined
        ? {}
        : { fallback: (request, response) => lambdaApi(this.version, request, response) }),
    })
  }

  /** A signal goes to the phase that runs; in Idle only an exit or a loss means something. */
  #hear(signal: Signal): void {
    switch (this.#state) {
      case 'Starting':
      case 'Init':
      case 'Invoke':
        this.#mailbox.post(signal)
        return
      case 'Idle':
        if (signal.kind === 'lost') void this.shutdown(signal.reason)
        else if (signal.kind === 'exit' && this.#booted) {
          this.#apply('exited')
          void this.#reset()
        }
        return
      case 'Shutdown':
        // An invocation that still waits must hear that its sandbox is gone.
        this.#mailbox.post(signal)
        return
      case 'Reset':
        if (signal.kind === 'lost') void this.shutdown(signal.reason)
        return
      case 'Terminated':
        return
    }
  }

  async #firstInit(): Promise<void> {
    const began = performance.now()
    const timer = setTimeout(() => this.#mailbox.post({ kind: 'deadline' }), INIT_LIMIT_MS)
    const outcome = await awaitBoot(this.#mailbox, this.#bootOptions())
    clearTimeout(timer)
    if (this.#state !== 'Init') throw new ShutDown()
    const durationMs = performance.now() - began
    void this.#sandbox?.limitCpu()
    if (outcome.ok) {
      this.#booted = true
      this.#initDurationMs = durationMs
      this.#mailbox.clear()
      this.#apply('initialized')
      this.#owner.idle(this)
      return
    }
    this.#reportInit(outcome, durationMs, 'init')
    if (outcome.lost) {
      throw new SandboxError(
        'unexpected',
        'SandboxLost',
        'the sandbox was lost during Init',
        'Look at the log of the container engine.',
      )
    }
    this.#apply('initFailed')
    await this.#reset()
  }

  #bootOptions(): { runtime: string | undefined; timeoutSeconds: number } {
    return { runtime: this.version.runtime, timeoutSeconds: this.version.timeout }
  }

  #reportInit(outcome: BootOutcome & { ok: false }, durationMs: number, phase: 'init' | 'invoke'): void {
    this.#log.write(
      initReportLine({
        durationMs,
        phase,
        status: outcome.status,
        ...(outcome.status === 'error' ? { errorType: outcome.errorType } : {}),
      }),
    )
  }

  async #run(invocation: Invocation, answer: (result: InvocationResult) => void): Promise<void> {
    const { version } = this
    const began = performance.now()
    const deadlineMs = Date.now() + version.timeout * 1000
    const timer = setTimeout(() => this.#mailbox.post({ kind: 'deadline' }), version.timeout * 1000)
    const cold = this.#initDurationMs
    this.#initDurationMs = undefined
    if (invocation.tail) this.#log.beginTail()

    const failedBoot = this.#booted ? undefined : await this.#suppressedInit(began)
    this.#log.write(startLine(invocation.requestId, version.version))
    if (failedBoot !== undefined) {
      clearTimeout(timer)
      const failure = failedBoot.failure(invocation.requestId, Date.now())
      await this.#fail(invocation, began, cold, failure, answer)
      return
    }

    this.#session!.invoke({
      requestId: invocation.requestId,
      deadlineMs,
      invokedFunctionArn: invocation.invokedFunctionArn,
      traceHeader: invocation.traceHeader,
      ...(invocation.clientContext === undefined ? {} : { clientContext: invocation.clientContext }),
      payload: invocation.payload,
    })
    const outcome = await awaitAnswer(this.#mailbox, invocation.requestId, version.timeout)
    if (!outcome.answered) {
      clearTimeout(timer)
      this.#outOfMemory = outcome.outOfMemory
      await this.#fail(invocation, began, cold, outcome.failure, answer)
      return
    }
    const { result } = outcome

    const end = invocation.tail
      ? await this.#answerWithTail(invocation, began, cold, result, answer)
      : await this.#answerAtOnce(invocation, began, cold, result, answer)
    clearTimeout(timer)
    const durationMs = performance.now() - began
    this.#finished(invocation, durationMs, cold !== undefined, result.ok ? 'success' : result.errorType)
    if (end.kind === 'ready') {
      this.#mailbox.clear()
      this.#apply('completed')
      this.#owner.idle(this)
      return
    }
    await this.#abandon(end)
  }

  /** The caller has the result now and does not wait for anything that follows. */
  async #answerAtOnce(
    invocation: Invocation,
    began: number,
    cold: number | undefined,
    result: InvocationResult,
    answer: (result: InvocationResult) => void,
  ): Promise<Signal> {
    answer(result)
    this.#owner.finishing(this)
    const end = await this.#mailbox.next()
    this.#reportLater(this.#report(invocation, performance.now() - began, cold, result))
    return end
  }

  /** The caller gets the last lines with the result: the answer waits, bounded, until they are here. */
  async #answerWithTail(
    invocation: Invocation,
    began: number,
    cold: number | undefined,
    result: InvocationResult,
    answer: (result: InvocationResult) => void,
  ): Promise<Signal> {
    const end = await this.#mailbox.nextWithin(TAIL_WAIT_MS)
    const logTail = await this.#tailOf(this.#report(invocation, performance.now() - began, cold, result))
    answer({ ...result, logTail })
    this.#owner.finishing(this)
    return end ?? this.#mailbox.next()
  }

  /** Init repeated within an invocation, under the function's timeout, after a reset or a failed first Init. */
  async #suppressedInit(began: number): Promise<(BootOutcome & { ok: false }) | undefined> {
    this.#mailbox.clear()
    this.#sandbox!.boot()
    const outcome = await awaitBoot(this.#mailbox, this.#bootOptions())
    if (outcome.ok) {
      this.#booted = true
      return undefined
    }
    this.#reportInit(outcome, performance.now() - began, 'invoke')
    return outcome
  }

  /** The invocation ended without an answer of the runtime: answers for it, then resets the environment. */
  async #fail(
    invocation: Invocation,
    began: number,
    cold: number | undefined,
    failure: Failure,
    answer: (result: InvocationResult) => void,
  ): Promise<void> {
    const durationMs = performance.now() - began
    const result = failureResult(failure)
    if (!invocation.tail) answer(result)
    await this.#sandbox?.flush(TAIL_WAIT_MS)
    this.#log.endPartialLine()
    for (const line of failure.logLines) this.#log.write(line)
    const report = this.#report(invocation, durationMs, cold, result)
    if (invocation.tail) answer({ ...result, logTail: await this.#tailOf(report) })
    else report()
    this.#finished(invocation, durationMs, cold !== undefined, failure.errorType)
    await this.#abandon(failure.errorType === 'Sandbox.Failure' ? { kind: 'lost', reason: 'lost' } : undefined)
  }

  /** After a failed invocation: reset, or removal when there is nothing left to reset. */
  async #abandon(end: Signal | undefined): Promise<void> {
    if (this.#state !== 'Invoke') return
    if (end?.kind === 'lost') {
      await this.shutdown(end.reason)
      return
    }
    this.#apply('failed')
    await this.#reset()
  }

  /** Kills every process and keeps /tmp; the runtime boots again with the next invocation. */
  async #reset(): Promise<void> {
    this.#booted = false
    this.#outOfMemory = false
    this.#session?.reset()
    await this.#sandbox?.stop()
    if (this.#state !== 'Reset') return
    this.#mailbox.clear()
    this.#apply('resetDone')
    this.#owner.idle(this)
  }

  /** Writes END and REPORT when called. The memory is measured when the log is flushed, or at once for a tail. */
  #report(invocation: Invocation, durationMs: number, cold: number | undefined, result: InvocationResult): () => void {
    const outOfMemory = this.#outOfMemory
    const status = result.ok ? undefined : result.errorType === 'Sandbox.Timedout' ? 'timeout' : 'error'
    return () => {
      this.#log.write(endLine(invocation.requestId))
      this.#log.write((measured) =>
        reportLine({
          requestId: invocation.requestId,
          durationMs,
          memorySizeMb: this.version.memorySize,
          maxMemoryBytes: outOfMemory ? Number.MAX_SAFE_INTEGER : measured,
          ...(cold === undefined ? {} : { initDurationMs: cold }),
          ...(status === undefined || result.ok ? {} : { status, errorType: result.errorType }),
        }),
      )
    }
  }

  async #tailOf(report: () => void): Promise<Uint8Array> {
    await this.#sandbox?.flush(TAIL_WAIT_MS)
    const measured = await this.#maxMemoryBytes()
    report()
    return this.#log.endTail(LIMITS.logTailBytes, measured)
  }

  /** Output takes a moment through the pipe; its lines belong before END. The next invocation's START does not overtake it either. */
  #reportLater(write: () => void): void {
    const timer = setTimeout(() => this.#writePendingReport(), OUTPUT_SETTLE_MS)
    this.#pendingReport = { write, timer }
  }

  #writePendingReport(): void {
    const pending = this.#pendingReport
    if (pending === undefined) return
    this.#pendingReport = undefined
    clearTimeout(pending.timer)
    pending.write()
  }

  #finished(invocation: Invocation, durationMs: number, cold: boolean, outcome: string): void {
    this.#host.bus.emit({
      type: 'invocation.finished',
      function: this.version,
      version: this.version.version,
      requestId: invocation.requestId,
      durationMs,
      cold,
      outcome,
    })
  }

  #maxMemoryBytes(): Promise<number> {
    return this.#sandbox?.maxMemoryBytes() ?? Promise.resolve(0)
  }

  #runtimeVersionArn(): string {
    return `arn:aws:lambda:${this.version.region}::runtime:${this.#host.runtimeVersionHash(this.version)}`
  }
}
