/** A platform without containers: sandboxes, listeners and logs in memory, driven by the test. */

import type { ExecutionEnvironment } from '../../../src/execution/environment.ts'
import type { EnvironmentHost } from '../../../src/execution/host.ts'
import type { Invocation, InvocationResult } from '../../../src/execution/invocation.ts'
import { SessionKeys } from '../../../src/execution/session-keys.ts'
import { FunctionWorkloads, type WorkloadSources } from '../../../src/execution/workload.ts'
import { BufferedAnswer } from '../../../src/invoke/buffered-answer.ts'
import type { FunctionVersion } from '../../../src/lambda/function.ts'
import { EMPTY_ROOM } from '../../../src/lambda/machine-room.ts'
import type { AnswerBody, InvocationEvent, Listeners, Session, SessionObserver } from '../../../src/runtime-api/api.ts'
import type { CellSpec, Sandbox, SandboxDriver, SandboxObserver, Workload } from '../../../src/sandbox/driver.ts'
import { EventBus, type PlatformEvent } from '../../../src/telemetry/events.ts'
import type { LogEvent, LogStore } from '../../../src/telemetry/log-store.ts'
import { validConfiguration } from '../../support/configuration.ts'

/** What the fake runtime does; each part may be replaced by a test. */
export interface Behaviour {
  /** Called for each boot. Default: asks for its first event. */
  boot(runtime: FakeRuntime): void
  /** Called for each event. Default: answers with the payload and asks for the next event. */
  event(runtime: FakeRuntime, event: InvocationEvent): void
}

export class FakeRuntime {
  session!: SessionObserver
  sandbox!: SandboxObserver
  boots = 0
  stops = 0
  destroyed = false
  cpuLimited = false
  /** Takes the answer of the invocation that it runs. */
  answer!: AnswerBody
  flush = () => Promise.resolve()
  readonly #behaviour: Behaviour

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour
  }

  boot(): void {
    this.boots++
    setImmediate(() => this.#behaviour.boot(this))
  }

  event(event: InvocationEvent, answer: AnswerBody): void {
    this.answer = answer
    setImmediate(() => this.#behaviour.event(this, event))
  }

  respond(event: InvocationEvent, text: string | Uint8Array): void {
    this.answer.begin({ streaming: false, contentType: 'application/json' })
    this.answer.chunk(Buffer.from(text))
    this.session.outcome(event.requestId, { kind: 'response' })
  }

  print(text: string): void {
    this.sandbox.output(Buffer.from(text))
  }
}

export const wellBehaved: Behaviour = {
  boot: (runtime) => runtime.session.ready(),
  event: (runtime, event) => {
    runtime.respond(event, event.payload)
    runtime.session.ready()
  },
}

export class MemoryLogs implements LogStore {
  readonly lines: string[] = []
  append(_stream: unknown, events: readonly LogEvent[]): void {
    this.lines.push(...events.map(({ message }) => message))
  }
  read(): Promise<never[]> {
    return Promise.resolve([])
  }
  async *follow(): AsyncIterable<never> {}
  flush(): Promise<void> {
    return Promise.resolve()
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

export interface FakeHost {
  readonly host: EnvironmentHost
  readonly runtimes: FakeRuntime[]
  readonly events: PlatformEvent[]
  readonly logs: MemoryLogs
  /** Sandboxes that run now. */
  live(): number
}

export interface FakeHostOptions {
  readonly behaviour?: Partial<Behaviour>
  /** Fails a start instead of running it. */
  readonly refuseStart?: (cell: CellSpec, workload: Workload) => Error | undefined
  readonly startDelayMs?: () => number
  readonly sources?: Partial<WorkloadSources>
}

const noKeys = () => {
  throw new Error('no keys here')
}

export const SOURCES: WorkloadSources = {
  runtimeImages: {
    imageFor: () => Promise.resolve('image'),
    pinnedImage: () => Promise.resolve('pinned'),
    versionHash: () => '0'.repeat(64),
    forget: () => {},
  },
  functionImages: { forVersion: () => Promise.reject(new Error('no image functions here')), forget: () => {} },
  packages: { folder: () => Promise.resolve({ path: '/code', release: () => Promise.resolve() }) },
  layers: { folder: () => Promise.resolve(undefined) },
  keys: { check: noKeys, seal: noKeys, open: noKeys },
  room: EMPTY_ROOM,
  functionEnv: {},
}

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const behaviour: Behaviour = { ...wellBehaved, ...options.behaviour }
  const runtimes: FakeRuntime[] = []
  const events: PlatformEvent[] = []
  const bus = new EventBus()
  bus.subscribe((event) => events.push(event))
  const logs = new MemoryLogs()
  const observers = new Map<string, SessionObserver>()
  const byAddress = new Map<string, FakeRuntime>()
  let port = 1
  let live = 0

  const listeners: Listeners = {
    open({ hostAddress, observer }) {
      const address = `${hostAddress}:${port++}`
      observers.set(address, observer)
      const session: Session = {
        address,
        invoke: (event, answer) => byAddress.get(address)!.event(event, answer),
        reset: () => {},
        close: () => {},
      }
      return Promise.resolve(session)
    },
    close: () => Promise.resolve(),
  }

  const driver: SandboxDriver = {
    warnings: [],
    open: () => Promise.resolve(),
    reserve: () => Promise.resolve({ hostAddress: '127.0.0.1', sandboxAddress: undefined, release: () => {} }),
    admit: () => Promise.resolve(),
    close: () => Promise.resolve(),
    async start(cell, workload, observer) {
      await new Promise((resolve) => setTimeout(resolve, options.startDelayMs?.() ?? 0))
      const refusal = options.refuseStart?.(cell, workload)
      if (refusal !== undefined) throw refusal
      const runtime = new FakeRuntime(behaviour)
      const address = workload.environment.AWS_LAMBDA_RUNTIME_API!
      runtime.session = observers.get(address)!
      runtime.sandbox = observer
      byAddress.set(address, runtime)
      runtimes.push(runtime)
      live++
      const sandbox: Sandbox = {
        id: `sandbox-${runtimes.length}`,
        flush: () => runtime.flush(),
        stop: () => {
          runtime.stops++
          return Promise.resolve()
        },
        boot: () => runtime.boot(),
        limitCpu: () => {
          runtime.cpuLimited = true
          return Promise.resolve()
        },
        maxMemoryBytes: () => Promise.resolve(30 * 1024 * 1024),
        destroy: () => {
          if (!runtime.destroyed) live--
          runtime.destroyed = true
          return Promise.resolve()
        },
      }
      runtime.boot()
      return sandbox
    },
  }

  return {
    host: {
      driver,
      listeners,
      logs,
      bus,
      workloads: new FunctionWorkloads({ ...SOURCES, ...options.sources }),
      sessionKeys: new SessionKeys(),
      sandboxApi: undefined,
    },
    runtimes,
    events,
    logs,
    live: () => live,
  }
}

/** Runs an invocation and keeps its answer. */
export async function run(environment: ExecutionEnvironment, invocation: Invocation): Promise<InvocationResult> {
  const answer = new BufferedAnswer()
  await environment.invoke(invocation, answer)
  return answer.result
}

let deployments = 0

export function validVersion(overrides: Partial<FunctionVersion> = {}): FunctionVersion {
  return {
    account: '000000000000',
    region: 'us-east-1',
    name: 'f',
    version: '$LATEST',
    revisionId: 'r1',
    deploymentId: `d${++deployments}`,
    state: 'Active',
    ...validConfiguration({ runtime: 'nodejs22.x', handler: 'index.handler' }),
    lastModified: 0,
    ...overrides,
  }
}

/** Waits for a condition that must come true; the test's own time limit ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}
