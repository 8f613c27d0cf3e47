/**
 * One execution environment: a sandbox, its Runtime API session and its log, driven through the table of `lifecycle.ts`.
 *
 * The answer of an invocation resolves as soon as the runtime has posted it; the environment becomes Idle when the runtime asks for the
 * next event. Everything after the answer (log lines, memory, reset) is off the caller's path.
 */
import { randomUUID } from 'node:crypto'
import type { FunctionVersion } from '../lambda/function.ts'
import type { Session } from '../runtime-api/api.ts'
import { type Sandbox, SandboxError } from '../sandbox/driver.ts'
import { withColdStartSpan } from '../telemetry/tracing.ts'
import { type AnswerFlow, OneAnswer } from './answer-flow.ts'
import { awaitBoot, type BootFailure, type InitializationType, initLimitMs } from './boot.ts'
import type { EnvironmentHost } from './host.ts'
import type { Invocation, InvocationEnding } from './invocation.ts'
import { Launch, ShutDown } from './launch.ts'
import { allows, type LifecycleEvent, type LifecycleState, next } from './lifecycle.ts'
import { EnvironmentLog } from './logs/environment-log.ts'
import { InvocationLog } from './logs/invocation-log.ts'
import { outputFilterOf, platformLinesOf } from './logs/log-format.ts'
import type { PlatformLines } from './logs/platform-lines.ts'
import { Mailbox } from './mailbox.ts'
import { logStreamName } from './names.ts'
import { Run, type RunContext } from './run.ts'
import type { Signal } from './signal.ts'

/** Whom the environment tells; the pool. */
export interface EnvironmentOwner {
  idle(environment: ExecutionEnvironment): void
  /** It has answered and will be idle as soon as the runtime asks for the next event. */
  finishing(environment: ExecutionEnvironment): void
  /** It was Idle and left that state without an invocation: the runtime exited, or it is being removed. */
  unavailable(environment: ExecutionEnvironment): void
  gone(environment: ExecutionEnvironment): void
}

export class ExecutionEnvironment {
  readonly id = randomUUID()
  readonly version: FunctionVersion
  /** Started ahead of invocations, for provisioned concurrency. */
  readonly provisioned: boolean
  readonly #host: EnvironmentHost
  readonly #owner: EnvironmentOwner
  readonly #log: EnvironmentLog
  readonly #lines: PlatformLines
  readonly #invocationLog: InvocationLog
  readonly #mailbox = new Mailbox<Signal>()
  readonly #launch: Launch
  #state: LifecycleState = 'Starting'
  #stateSince = performance.now()
  #session: Session | undefined
  #sandbox: Sandbox | undefined
  #runContext: RunContext | undefined
  /** The runtime runs and waits in `next`; false after a reset until the suppressed init. */
  #booted = false
  /** Why the sandbox is gone; it says so once, at any time. */
  #lost: string | undefined
  #initDurationMs: number | undefined
  #removed: Promise<void> | undefined
  readonly #startedAt = Date.now()
  #invocations = 0

  constructor(
    host: EnvironmentHost,
    owner: EnvironmentOwner,
    version: FunctionVersion,
    initialization: InitializationType = 'on-demand',
  ) {
    this.provisioned = initialization === 'provisioned-concurrency'
    const { account, region, logging } = version
    this.#host = host
    this.#owner = owner
    this.version = version
    const stream = logStreamName(version, this.#startedAt)
    this.#lines = platformLinesOf(version, host.workloads, initialization)
    this.#log = new EnvironmentLog({
      store: host.logs,
      stream: { account, region, group: logging.logGroup, stream },
      maxMemoryBytes: () => this.#sandbox?.maxMemoryBytes() ?? Promise.resolve(0),
      keeps: outputFilterOf(version),
      dropped: (bytes) => this.#lines.dropped(bytes),
    })
    this.#invocationLog = new InvocationLog(this.#log, version, this.#lines)
    this.#launch = new Launch({
      host,
      version,
      initialization,
      logStream: stream,
      session: {
        ready: () => this.#hear({ kind: 'ready' }),
        initError: ({ payload, errorType }) => this.#hear({ kind: 'init-error', payload, errorType }),
        outcome: (_requestId, outcome) => this.#hear({ kind: 'outcome', outcome }),
      },
      sandbox: {
        output: (chunk) => this.#log.output(chunk),
        exit: (exit) => this.#hear({ kind: 'exit', exit }),
        launchFailure: (failure) => this.#hear({ kind: 'launch-failure', ...failure }),
        lost: (reason) => this.#hear({ kind: 'lost', reason }),
      },
    })
  }

  get state(): LifecycleState {
    return this.#state
  }

  /** The runtime is up: the next invocation begins without an Init. */
  get booted(): boolean {
    return this.#booted
  }

  /** For operators: GET /_hearth/environments. */
  describe(): Record<string, string | number | undefined> {
    const { account, region, name, version } = this.version
    return {
      id: this.id,
      account,
      region,
      function: name,
      version,
      state: this.#state,
      initializationType: this.provisioned ? 'provisioned-concurrency' : 'on-demand',
      sandbox: this.#sandbox?.id,
      startedAt: new Date(this.#startedAt).toISOString(),
      invocations: this.#invocations,
    }
  }

  /**
   * Starts the sandbox and runs Init. Resolves when the environment is Idle (a failed Init is repeated by the first invocation).
   * @throws SandboxError, LambdaException (package) when the platform could not make it; the caller then calls `shutdown`.
   */
  start(): Promise<void> {
    return withColdStartSpan(this.version, this.provisioned, () => this.#start())
  }

  async #start(): Promise<void> {
    this.#log.write(this.#lines.initStart())
    const { session, sandbox, phases } = await this.#launch.run()
    this.#session = session
    this.#sandbox = sandbox
    this.#runContext = {
      version: this.version,
      session,
      sandbox,
      mailbox: this.#mailbox,
      log: this.#invocationLog,
      boot: (began) => (this.#booted ? undefined : this.#suppressedInit(began)),
      finishing: () => this.#owner.finishing(this),
    }
    this.#apply('started')
    const began = performance.now()
    await this.#firstInit()
    phases.init = performance.now() - began
    this.#host.bus.emit({ type: 'environment.started', environment: this.id, function: this.version, phases })
  }

  /**
   * Runs one invocation, whose answer goes into the flow. The environment must be Idle. Resolves when the flow has ended; never rejects:
   * the platform's loss of the sandbox is an ending as well.
   */
  invoke(invocation: Invocation, flow: AnswerFlow): Promise<InvocationEnding> {
    this.#apply('invoke')
    this.#invocations++
    const run = new Run(this.#runContext!, invocation, new OneAnswer(flow), this.#initDurationMs)
    this.#initDurationMs = undefined
    this.#run(run, invocation.requestId).catch((error: unknown) => {
      // A defect of the host must not end the process.
      run.giveUp()
      void this.shutdown(`defect: ${error instanceof Error ? error.stack : String(error)}`)
    })
    return run.ending
  }

  /** Removes the environment, whatever it does. Safe to call more than once. */
  shutdown(reason: string): Promise<void> {
    this.#removed ??= this.#remove(reason)
    return this.#removed
  }

  async #remove(reason: string): Promise<void> {
    if (allows(this.#state, 'shutdown')) this.#apply('shutdown')
    this.#hear({ kind: 'lost', reason })
    this.#invocationLog.writePending()
    await this.#launch.undo(reason)
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
    const { version } = this
    this.#host.bus.emit({
      type: 'environment.state',
      environment: this.id,
      function: version,
      version: version.version,
      from,
      to,
      heldMs,
    })
  }

  /** A signal goes to the phase that runs; in Idle only an exit or a loss means something. */
  #hear(signal: Signal): void {
    if (signal.kind === 'lost') this.#lost ??= signal.reason
    switch (this.#state) {
      case 'Starting':
      case 'Init':
      case 'Invoke':
      // An invocation that still waits must hear that its sandbox is being removed.
      case 'Shutdown':
        this.#mailbox.post(signal)
        return
      case 'Idle':
        if (signal.kind === 'lost') void this.shutdown(signal.reason)
        else if (signal.kind === 'exit' && this.#booted) {
          this.#apply('exited')
          void this.#reset()
        }
        return
      case 'Reset':
        if (signal.kind === 'lost') void this.shutdown(signal.reason)
        return
      case 'Terminated':
        return
    }
  }

  // Init

  async #firstInit(): Promise<void> {
    const began = performance.now()
    const timer = setTimeout(
      () => this.#mailbox.post({ kind: 'deadline' }),
      initLimitMs(this.version, this.provisioned),
    )
    const outcome = await awaitBoot(this.#mailbox, this.version.timeout)
    clearTimeout(timer)
    if (this.#state !== 'Init') throw new ShutDown()
    const durationMs = performance.now() - began
    void this.#sandbox?.limitCpu()
    if (outcome.ok) {
      // Init ahead of invocations is no part of any.
      if (!this.provisioned) this.#initDurationMs = durationMs
      this.#log.write(this.#lines.initReport({ durationMs, phase: 'init' }))
      this.#becomeIdle('initialized')
      return
    }
    this.#reportInit(outcome, durationMs, 'init')
    if (this.#lost !== undefined) {
      const remedy = 'Look at the log of the container engine.'
      throw new SandboxError('unexpected', 'SandboxLost', 'the sandbox was lost during Init', remedy)
    }
    this.#apply('initFailed')
    await this.#reset()
  }

  /** Init repeated within an invocation, under the function's timeout, after a reset or a failed first Init. */
  async #suppressedInit(began: number): Promise<BootFailure | undefined> {
    this.#mailbox.drain()
    this.#sandbox!.boot()
    const outcome = await awaitBoot(this.#mailbox, this.version.timeout)
    if (outcome.ok) {
      this.#booted = true
      return undefined
    }
    this.#reportInit(outcome, performance.now() - began, 'invoke')
    return outcome
  }

  #reportInit(outcome: BootFailure, durationMs: number, phase: 'init' | 'invoke'): void {
    const { status } = outcome
    const error = status === 'error' ? { errorType: outcome.errorType } : {}
    this.#log.write(this.#lines.initReport({ durationMs, phase, status, ...error }))
  }

  // Invoke

  async #run(run: Run, requestId: string): Promise<void> {
    const { version, provisioned } = this
    const { ready, outcome } = await run.run()
    this.#host.bus.emit({
      type: 'invocation.finished',
      function: version,
      version: version.version,
      requestId,
      durationMs: run.durationMs,
      cold: run.cold,
      provisioned,
      outcome,
    })
    if (ready && this.#state === 'Invoke') this.#becomeIdle('completed')
    else await this.#abandon()
  }

  /** After a failed invocation: reset, or removal when there is nothing left to reset. */
  async #abandon(): Promise<void> {
    if (this.#state !== 'Invoke') return
    if (this.#lost !== undefined) {
      await this.shutdown(this.#lost)
      return
    }
    this.#apply('failed')
    await this.#reset()
  }

  /** Kills every process and keeps /tmp; the runtime boots again with the next invocation. */
  async #reset(): Promise<void> {
    this.#booted = false
    await this.#sandbox?.stop()
    // After the processes: a connection of theirs must not count as one of the next runtime's.
    this.#session?.reset()
    if (this.#state !== 'Reset') return
    this.#mailbox.drain()
    this.#apply('resetDone')
    this.#owner.idle(this)
  }

  #becomeIdle(event: 'initialized' | 'completed'): void {
    this.#booted = true
    const unread = this.#mailbox.drain()
    this.#apply(event)
    // What came while the answer waited for its last lines: the runtime may have ended since it was ready.
    for (const signal of unread) this.#hear(signal)
    if (this.#state === 'Idle') this.#owner.idle(this)
  }
}
