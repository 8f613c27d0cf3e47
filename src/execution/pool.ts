/**
 * All environments of the host. `acquire` gives an invocation an environment: an idle one (last used first), the first that becomes
 * free, or a new one, whichever comes first; `placement.ts` decides, this file counts and acts.
 *
 * Environments belong to a deployment (code and configuration together) and never serve another. When a function changes, `retire`
 * removes what no longer belongs to any of its versions as soon as it falls idle.
 */
import type { FunctionVersion } from '../lambda/function.ts'
import { type EnvironmentOwner, ExecutionEnvironment } from './environment.ts'
import type { EnvironmentHost } from './host.ts'
import { decide } from './placement.ts'

const RETIRED = 'retired: the function was updated or deleted'

/** Milliseconds that an invocation trusts a finishing environment to become idle before another one is started. */
const FINISHING_TRUST_MS = 20

export interface PoolSettings {
  /** Milliseconds after which an idle environment is removed. */
  readonly idleTimeoutMs: number
  readonly maxEnvironments: number
  /** Milliseconds that an invocation waits for room beyond `maxEnvironments`. */
  readonly waitForEnvironmentMs: number
}

/** No room for another environment, and none became free in time. -> EC2ThrottledException */
export class NoCapacity extends Error {
  override readonly name = 'NoCapacity'
}

interface Waiter {
  resolve(environment: ExecutionEnvironment): void
  reject(error: unknown): void
  timer: NodeJS.Timeout | undefined
}

interface Deployment {
  readonly version: FunctionVersion
  readonly idle: ExecutionEnvironment[]
  readonly waiters: Waiter[]
  readonly all: Set<ExecutionEnvironment>
  starting: number
  finishing: number
  retired: boolean
  /** Runs out when finishing environments are no longer trusted to become idle at once. */
  doubt: NodeJS.Timeout | undefined
}

export class EnvironmentPool implements EnvironmentOwner {
  readonly #host: EnvironmentHost
  readonly #settings: PoolSettings
  readonly #deployments = new Map<string, Deployment>()
  readonly #byFunction = new Map<string, Set<Deployment>>()
  readonly #starting = new Set<ExecutionEnvironment>()
  readonly #finishing = new Set<ExecutionEnvironment>()
  /** Idle environments in the order in which they fell idle, with the timer that removes them. */
  readonly #idleTimers = new Map<ExecutionEnvironment, NodeJS.Timeout>()
  #total = 0
  #closed = false

  constructor(host: EnvironmentHost, settings: PoolSettings) {
    this.#host = host
    this.#settings = settings
  }

  /** An idle environment at once, if there is one: the warm path has no promise. */
  tryAcquire(version: FunctionVersion): ExecutionEnvironment | undefined {
    const environment = this.#deployments.get(version.deploymentId)?.idle.pop()
    if (environment !== undefined) this.#stopIdleTimer(environment)
    return environment
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
      deployment.waiters.push({ resolve, reject, timer: undefined })
      this.#ensure(deployment)
    })
  }

  /** Removes the environments of a function whose deployment is not in `current`, each as soon as it is idle. */
  retire(functionId: string, current: ReadonlySet<string>): void {
    for (const deployment of this.#byFunction.get(functionId) ?? []) {
      if (current.has(deployment.version.deploymentId)) continue
      deployment.retired = true
      for (const environment of [...deployment.idle]) void environment.shutdown(RETIRED)
    }
  }

  /** Deployments with environments, by function id; for `retire`'s caller to look up what is current. */
  functionIds(): Iterable<string> {
    return this.#byFunction.keys()
  }

  versionsOf(functionId: string): FunctionVersion[] {
    return [...(this.#byFunction.get(functionId) ?? [])].map(({ version }) => version)
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
    const waiter = this.#takeWaiter(deployment)
    if (waiter !== undefined) {
      waiter.resolve(environment)
      return
    }
    if (deployment.retired || this.#closed) {
      void environment.shutdown(RETIRED)
      return
    }
    deployment.idle.push(environment)
    this.#startIdleTimer(environment)
    this.#makeRoomForOthers()
  }

  finishing(environment: ExecutionEnvironment): void {
    const deployment = this.#deployments.get(environment.version.deploymentId)
    if (deployment === undefined) return
    this.#finishing.add(environment)
    deployment.finishing++
  }

  unavailable(environment: ExecutionEnvironment): void {
    this.#stopIdleTimer(environment)
    const idle = this.#deployments.get(environment.version.deploymentId)?.idle
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
  }

  // Placement

  /** Starts environments until there is one on its way for every waiting invocation, or no room is left. */
  #ensure(deployment: Deployment, trustFinishing = true): void {
    while (deployment.waiters.length > 0 && !this.#closed) {
      const placement = decide({
        idle: deployment.idle.length,
        starting: deployment.starting,
        finishing: trustFinishing ? deployment.finishing : 0,
        waiting: deployment.waiters.length,
        total: this.#total,
        max: this.#settings.maxEnvironments,
        idleElsewhere: this.#idleTimers.size - deployment.idle.length,
      })
      if (placement === 'wait') break
      if (placement === 'reuse') {
        const environment = deployment.idle.pop()!
        this.#stopIdleTimer(environment)
        this.#takeWaiter(deployment)!.resolve(environment)
        continue
      }
      if (placement === 'evict-and-start') this.#evict(deployment)
      this.#start(deployment)
    }
    const supply = deployment.starting + deployment.finishing
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
    waiter.timer ??= setTimeout(() => {
      const index = deployment.waiters.indexOf(waiter)
      if (index < 0) return
      deployment.waiters.splice(index, 1)
      const { maxEnvironments, waitForEnvironmentMs } = this.#settings
      waiter.reject(
        new NoCapacity(`all ${maxEnvironments} execution environments were busy for ${waitForEnvironmentMs} ms`),
      )
    }, this.#settings.waitForEnvironmentMs)
  }

  #start(deployment: Deployment): void {
    const environment = new ExecutionEnvironment(this.#host, this, deployment.version)
    deployment.all.add(environment)
    deployment.starting++
    this.#starting.add(environment)
    this.#total++
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

  /** Gives up the environment of another deployment that has been idle longest. */
  #evict(deployment: Deployment): void {
    for (const environment of this.#idleTimers.keys()) {
      if (environment.version.deploymentId === deployment.version.deploymentId) continue
      void environment.shutdown('given up: another function needs its place')
      return
    }
  }

  /** An environment fell idle while invocations of other functions wait for room. */
  #makeRoomForOthers(): void {
    if (this.#total >= this.#settings.maxEnvironments) this.#placeWaiting()
  }

  #placeWaiting(): void {
    for (const deployment of this.#deployments.values()) {
      if (deployment.waiters.length > 0) this.#ensure(deployment)
    }
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
    if (this.#finishing.delete(environment)) deployment.finishing--
  }

  #startIdleTimer(environment: ExecutionEnvironment): void {
    const timer = setTimeout(() => void environment.shutdown('idle for too long'), this.#settings.idleTimeoutMs)
    timer.unref()
    this.#idleTimers.set(environment, timer)
  }

  #stopIdleTimer(environment: ExecutionEnvironment): void {
    const timer = this.#idleTimers.get(environment)
    if (timer === undefined) return
    clearTimeout(timer)
    this.#idleTimers.delete(environment)
  }

  #deployment(version: FunctionVersion): Deployment {
    const known = this.#deployments.get(version.deploymentId)
    if (known !== undefined) return known
    const deployment: Deployment = {
      version,
      idle: [],
      waiters: [],
      all: new Set(),
      starting: 0,
      finishing: 0,
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

/** One text for a function of an account and region. */
export function functionId(key: { account: string; region: string; name: string }): string {
  return `${key.account}/${key.region}/${key.name}`
}
