/** Idle environments in the order in which they fell idle, each with the timer that removes it. */
import type { ExecutionEnvironment } from '../environment.ts'

export class IdleTimers {
  readonly #timeoutMs: number
  readonly #timers = new Map<ExecutionEnvironment, NodeJS.Timeout>()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#timers.size
  }

  start(environment: ExecutionEnvironment): void {
    const timer = setTimeout(() => void environment.shutdown('idle for too long'), this.#timeoutMs)
    timer.unref()
    this.#timers.set(environment, timer)
  }

  stop(environment: ExecutionEnvironment): void {
    const timer = this.#timers.get(environment)
    if (timer === undefined) return
    clearTimeout(timer)
    this.#timers.delete(environment)
  }

  /** The one that has been idle longest, of another deployment than this. */
  longestIdle(except: string | undefined): ExecutionEnvironment | undefined {
    for (const environment of this.#timers.keys()) {
      if (environment.version.deploymentId !== except) return environment
    }
    return undefined
  }
}
