/**
 * All environments of the host. `acquire` gives an invocation an environment: an idle one (last used first), the first that becomes
 * free, or a new one, whichever comes first; `placement.ts` decides, this file counts and acts.
 *
 * Environments belong to a deployment (code and configuration together) and never serve another. When a function changes, `retire`
 * removes what no longer belongs to any of its versions as soon as it falls idle.
 */
import { type FunctionKey, type FunctionVersion, functionId } from '../../lambda/function.ts'
import { type EnvironmentOwner, ExecutionEnvironment } from '../environment.ts'
import type { EnvironmentHost } from '../host.ts'
import type { AheadObserver, AheadStarter } from './ahead.ts'
import { IdleTimers } from './idle-timers.ts'
import { decide, keepsOnDemand, spareOf } from './placement.ts'
import { ScalingRate } from './scaling-rate.ts'

const RELEASED = 'no longer provisioned'
const RETIRED = 'ended: the function was updated or deleted'

/** Milliseconds that an invocation trusts a finishing environment to become idle before another one is started. */
const FINISHING_TRUST_MS = 20

export interface PoolSettings {
  /** Milliseconds after which an idle environment is removed. */
  readonly idleTimeoutMs: number
  readonly maxEnvironments: number
  /** Milliseconds that an invocation waits for room beyond `maxEnvironments`. */
  readonly waitForEnvironmentMs: number
  /** New environments of one function in ten seconds, provisioned ones apart; 0 for no such limit. */
  readonly scalingRate?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** No room for another environment, and none became free in time. -> EC2ThrottledException */
export class NoCapacity extends Error {
  override readonly name = 'NoCapacity'
}

interface Waiter {
  /** Monotonic milliseconds. */
  readonly since: number
  resolve(environment: ExecutionEnvironment): void
  reject(error: unknown): void
  timer: NodeJS.Timeout | undefined
}

interface Deployment {
  readonly version: FunctionVersion
  /** On-demand environments that are idle, the one used last at the end; and those of provisioned concurrency, which come first. */
  readonly idle: ExecutionEnvironment[]
  readonly idleAhead: ExecutionEnvironment[]
  readonly waiters: Waiter[]
  readonly all: Set<ExecutionEnvironment>
  starting: number
  finishing: number
  /** Of those, the ones of provisioned concurrency. */
  finishingAhead: number
  retired: boolean
  /** Runs out when finishing environments are no longer trusted to become idle at once. */
  doubt: NodeJS.Timeout | undefined
}

export class EnvironmentPool implements EnvironmentOwner, AheadStarter {
  readonly #host: EnvironmentHost
  readonly #settings: PoolSettings
  readonly #deployments = new Map<string, Deployment>()
  readonly #byFunction = new Map<string, Set<Deployment>>()
  /** Environments of provisioned concurrency that are to be kept, with whom to tell when one is gone. */
  readonly #ahead = new Map<ExecutionEnvironment, AheadObserver>()
  readonly #scaling: ScalingRate
  readonly #starting = new Set<ExecutionEnvironment>()
  readonly #finishing = new Set<ExecutionEnvironment>()
  /** On-demand environments that are idle, of all deployments. */
  readonly #idleTimers: IdleTimers
  #total = 0
  #closed = false

  constructor(host: EnvironmentHost, settings: PoolSettings) {
    this.#host = host
    this.#settings = settings
    this.#idleTimers = new IdleTimers(settings.idleTimeoutMs)
    this.#scaling = new ScalingRate(settings.scalingRate ?? 0, settings.now ?? (() => performance.now()))
  }

  /** An idle environment at once, if there is one: the warm path has no promise. */
  tryAcquire(version: FunctionVersion): ExecutionEnvironment | undefined {
    const deployment = this.#deployments.get(version.deploymentId)
    // A provisioned environment that has just answered is worth the moment until it can be used again.
    if (deployment === undefined || keepsOnDemand(deployment, deployment.waiters.length + 1)) return undefined
    return this.#takeIdle(deployment)
  }

  /**
   * An environment in state Idle, reserved for the caller, who calls `invoke` on it in the same turn.
   * @throws NoCapacity, or what kept a new environment from starting (SandboxError, LambdaException)
   */
  acquire(version: FunctionVersion): Promise<ExecutionEnvironment> {
    const warm = this.tryAcquire(version)
    if (warm !== undefined) return Promise.resolve(warm)
    if (this.#closed) return Promise.reject(new NoCapacity('the host is shutting down'))
    const deployment = this.#deployment(version)
    return new Promise((resolve, reject) => {
      deployment.waiters.push({ since: performance.now(), resolve, reject, timer: undefined })
      this.#ensure(deployment)
    })
  }

  /**
   * Starts an environment ahead of invocations and keeps it: it is neither removed when idle nor given up for other functions. It
   * becomes idle, or is gone, in its own time.
   * @returns `undefined` when there is no room beside what invocations need, or the deployment is retired
   */
  startAhead(version: FunctionVersion, observer: AheadObserver): ExecutionEnvironment | undefined {
    const deployment = this.#deployment(version)
    const { maxEnvironments } = this.#settings
    const room = this.#total < maxEnvironments
    const left = this.#ahead.size < maxEnvironments - spareOf(maxEnvironments) && (room || this.#idleTimers.size > 0)
    const start = left && !this.#closed && !deployment.retired
    if (!start) {
      this.#forgetIfEmpty(deployment)
      return undefined
    }
    if (!room) this.#evict(undefined)
    const environment = new ExecutionEnvironment(this.#host, this, version, 'provisioned-concurrency')
    this.#ahead.set(environment, observer)
    this.#count(environment, deployment)
    environment.start().then(
      () => (environment.booted ? observer.ready() : observer.failed({ kind: 'init' })),
      (error: unknown) => {
        observer.failed({ kind: 'platform', error })
        void environment.shutdown(error instanceof Error ? error.message : String(error))
      },
    )
    return environment
  }

  /** Keeps an environment of `startAhead` no longer: it is removed now, or after the invocation that it runs. */
  release(environment: ExecutionEnvironment): void {
    if (!this.#ahead.delete(environment)) return
    const idle = this.#deployments.get(environment.version.deploymentId)?.idleAhead.includes(environment)
    if (idle || this.#starting.has(environment)) void environment.shutdown(RELEASED)
  }

  /** Removes the environments of these deployments, each as soon as it is idle. */
  retire(versions: Iterable<FunctionVersion>): void {
    for (const { deploymentId } of versions) {
      const deployment = this.#deployments.get(deploymentId)
      if (deployment === undefined) continue
      deployment.retired = true
      const idle = [...deployment.idle, ...deployment.idleAhead]
      for (const environment of idle) void environment.shutdown(RETIRED)
    }
  }

  /** What there are environments of, for `retire`'s caller to look up what is current. */
  versionsOf(key: FunctionKey): FunctionVersion[] {
    return [...(this.#byFunction.get(functionId(key)) ?? [])].map(({ version }) => version)
  }

  environments(): ExecutionEnvironment[] {
    return [...this.#deployments.values()].flatMap(({ all }) => [...all])
  }

  get total(): number {
    return this.#total
  }

  /** Removes every environment; those that run an invocation end it with a failure. */
  async close(): Promise<void> {
    this.#closed = true
    for (const deployment of this.#deployments.values()) {
      clearTimeout(deployment.doubt)
      for (let waiter = this.#takeWaiter(deployment); waiter; waiter = this.#takeWaiter(deployment)) {
        waiter.reject(new NoCapacity('the host is shutting down'))
      }
    }
    await Promise.all(this.environments().map((environment) => environment.shutdown('the host stops')))
  }

  // EnvironmentOwner

  idle(environment: ExecutionEnvironment): void {
    const deployment = this.#deployments.get(environment.version.deploymentId)
    if (deployment === undefined) return
    this.#uncount(environment, deployment)
    // Provisioned concurrency is initialized: an environment that lost its runtime is replaced, not repaired by an invocation.
    if (environment.provisioned && !environment.booted) {
      void environment.shutdown('its runtime ended: another environment takes its place')
      return
    }
    const waiter = this.#takeWaiter(deployment)
    if (waiter !== undefined) {
      waiter.resolve(environment)
      return
    }
    if (deployment.retired || this.#closed) {
      void environment.shutdown(RETIRED)
      return
    }
    if (environment.provisioned && !this.#ahead.has(environment)) {
      void environment.shutdown(RELEASED)
      return
    }
    if (environment.provisioned) {
      deployment.idleAhead.push(environment)
      return
    }
    deployment.idle.push(environment)
    this.#idleTimers.start(environment)
    this.#makeRoomForOthers()
  }

  finishing(environment: ExecutionEnvironment): void {
    const deployment = this.#deployments.get(environment.version.deploymentId)
    if (deployment === undefined) return
    this.#finishing.add(environment)
    deployment.finishing++
    if (environment.provisioned) deployment.finishingAhead++
  }

  unavailable(environment: ExecutionEnvironment): void {
    this.#idleTimers.stop(environment)
    const deployment = this.#deployments.get(environment.version.deploymentId)
    const idle = environment.provisioned ? deployment?.idleAhead : deployment?.idle
    const index = idle?.indexOf(environment) ?? -1
    if (index >= 0) idle!.splice(index, 1)
  }

  gone(environment: ExecutionEnvironment): void {
    const deployment = this.#deployments.get(environment.version.deploymentId)
    if (deployment === undefined || !deployment.all.delete(environment)) return
    this.#total--
    this.#uncount(environment, deployment)
    this.#forgetIfEmpty(deployment)
    this.#placeWaiting()
    const observer = this.#ahead.get(environment)
    this.#ahead.delete(environment)
    observer?.gone()
  }

  // Placement

  /** Starts environments until there is one on its way for every waiting invocation, or no room is left. */
  #ensure(deployment: Deployment, trustFinishing = true): void {
    while (deployment.waiters.length > 0 && !this.#closed) {
      const placement = decide({
        idle:
          trustFinishing && keepsOnDemand(deployment, deployment.waiters.length)
            ? 0
            : deployment.idle.length + deployment.idleAhead.length,
        starting: deployment.starting,
        finishing: trustFinishing ? deployment.finishing : 0,
        waiting: deployment.waiters.length,
        total: this.#total,
        max: this.#settings.maxEnvironments,
        idleElsewhere: this.#idleTimers.size - deployment.idle.length,
      })
      if (placement === 'wait') break
      if (placement === 'reuse') {
        const environment = this.#takeIdle(deployment)!
        this.#takeWaiter(deployment)!.resolve(environment)
        continue
      }
      if (!this.#scaling.take(functionId(deployment.version))) {
        // The invocation that came last is the one too many.
        const waiter = deployment.waiters.pop()!
        clearTimeout(waiter.timer)
        waiter.reject(this.#scaling.refusal())
        continue
      }
      if (placement === 'evict-and-start') this.#evict(deployment)
      this.#start(deployment)
    }
    // Finishing environments that were doubted may never become idle: who waits for one waits for room.
    const supply = deployment.starting + (trustFinishing ? deployment.finishing : 0)
    if (deployment.finishing > 0 && deployment.starting < deployment.waiters.length) this.#doubtFinishing(deployment)
    for (const waiter of deployment.waiters.slice(supply)) this.#limitWait(deployment, waiter)
  }

  /** A runtime that works on after its answer must not hold up an invocation that could have a new environment. */
  #doubtFinishing(deployment: Deployment): void {
    deployment.doubt ??= setTimeout(() => {
      deployment.doubt = undefined
      this.#ensure(deployment, false)
    }, FINISHING_TRUST_MS)
  }

  #limitWait(deployment: Deployment, waiter: Waiter): void {
    const { maxEnvironments, waitForEnvironmentMs } = this.#settings
    const left = Math.max(0, waiter.since + waitForEnvironmentMs - performance.now())
    waiter.timer ??= setTimeout(() => {
      const index = deployment.waiters.indexOf(waiter)
      if (index < 0) return
      deployment.waiters.splice(index, 1)
      waiter.reject(
        new NoCapacity(`all ${maxEnvironments} execution environments were busy for ${waitForEnvironmentMs} ms`),
      )
    }, left)
  }

  #start(deployment: Deployment): void {
    const environment = new ExecutionEnvironment(this.#host, this, deployment.version)
    this.#count(environment, deployment)
    // One more is on its way: the invocation that waits for room the longest need not give up any more.
    const relieved = deployment.waiters.find(({ timer }) => timer !== undefined)
    if (relieved !== undefined) {
      clearTimeout(relieved.timer)
      relieved.timer = undefined
    }
    environment.start().catch((error: unknown) => {
      // The failure belongs to one waiting invocation: the one that has waited longest.
      this.#takeWaiter(deployment)?.reject(error)
      void environment.shutdown(error instanceof Error ? error.message : String(error))
    })
  }

  #count(environment: ExecutionEnvironment, deployment: Deployment): void {
    deployment.all.add(environment)
    deployment.starting++
    this.#starting.add(environment)
    this.#total++
  }

  /** Gives up the on-demand environment of another deployment that has been idle longest. */
  #evict(deployment: Deployment | undefined): void {
    const environment = this.#idleTimers.longestIdle(deployment?.version.deploymentId)
    void environment?.shutdown('ended: another function needs its place')
  }

  /** An environment fell idle while invocations of other functions wait for room. */
  #makeRoomForOthers(): void {
    if (this.#total >= this.#settings.maxEnvironments) this.#placeWaiting()
  }

  /** Room goes to the function whose invocation has waited longest. */
  #placeWaiting(): void {
    const waiting = [...this.#deployments.values()].filter(({ waiters }) => waiters.length > 0)
    waiting.sort((a, b) => a.waiters[0]!.since - b.waiters[0]!.since)
    for (const deployment of waiting) this.#ensure(deployment)
  }

  #takeIdle(deployment: Deployment): ExecutionEnvironment | undefined {
    const environment = deployment.idleAhead.pop() ?? deployment.idle.pop()
    if (environment !== undefined) this.#idleTimers.stop(environment)
    return environment
  }

  #takeWaiter(deployment: Deployment): Waiter | undefined {
    const waiter = deployment.waiters.shift()
    if (waiter !== undefined) clearTimeout(waiter.timer)
    // The doubt was this invocation's: the next one trusts anew.
    clearTimeout(deployment.doubt)
    deployment.doubt = undefined
    if (deployment.waiters.length > 0 && deployment.finishing > 0) this.#doubtFinishing(deployment)
    return waiter
  }

  /** The environment has left the state that it was counted in. */
  #uncount(environment: ExecutionEnvironment, deployment: Deployment): void {
    if (this.#starting.delete(environment)) deployment.starting--
    if (!this.#finishing.delete(environment)) return
    deployment.finishing--
    if (environment.provisioned) deployment.finishingAhead--
  }

  #deployment(version: FunctionVersion): Deployment {
    const known = this.#deployments.get(version.deploymentId)
    if (known !== undefined) return known
    const deployment: Deployment = {
      version,
      idle: [],
      idleAhead: [],
      waiters: [],
      all: new Set(),
      starting: 0,
      finishing: 0,
      finishingAhead: 0,
      retired: false,
      doubt: undefined,
    }
    this.#deployments.set(version.deploymentId, deployment)
    const id = functionId(version)
    const siblings = this.#byFunction.get(id) ?? new Set()
    siblings.add(deployment)
    this.#byFunction.set(id, siblings)
    return deployment
  }

  #forgetIfEmpty(deployment: Deployment): void {
    if (deployment.all.size > 0 || deployment.waiters.length > 0) return
    const { deploymentId } = deployment.version
    if (this.#deployments.get(deploymentId) === deployment) this.#deployments.delete(deploymentId)
    const id = functionId(deployment.version)
    const siblings = this.#byFunction.get(id)
    siblings?.delete(deployment)
    if (siblings?.size === 0) this.#byFunction.delete(id)
  }
}
