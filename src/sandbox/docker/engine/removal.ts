/** Removing containers for good: the engine may be busy, restarting, or removing the same one already. */
import { setTimeout as sleep } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import pLimit, { type LimitFunction } from 'p-limit'
import { bounded, statusOf } from './errors.ts'

const LIMIT_MS = 60_000
const TRIES = 6
/** Doubled at each try: 3 seconds in all. */
const FIRST_PAUSE_MS = 100
/** After that it is tried again so often, e.g. until the engine is back. Milliseconds. */
const LATER_MS = 15_000

/**
 * When the engine is asked again for a container whose create was not answered, milliseconds after one another: an overloaded engine goes on
 * with what it began. Two minutes and a half in all; what comes later is removed by the next start of the host.
 */
const LATE_LOOKS_MS = [500, 2000, 8000, 20_000, 120_000]

/** Resolves when the container is gone, with whether it was there. Rejects with the last SandboxError when it could not be removed. */
export async function removeContainer(docker: Dockerode, nameOrId: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await bounded(LIMIT_MS, 'remove a sandbox', (abortSignal) =>
        docker.getContainer(nameOrId).remove({ force: true, v: true, abortSignal }),
      )
      return true
    } catch (error) {
      if (statusOf((error as Error).cause) === 404) return false
      // 409: somebody else is removing it; the 404 of a later try says when that is done.
      if (attempt === TRIES) throw error
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

/** Removals of one host: a few at a time, and those that failed again and again until they succeed. */
export class Removals {
  readonly #docker: Dockerode
  readonly #limit: LimitFunction
  readonly #log: (message: string, fields?: object) => void
  readonly #later = new Set<NodeJS.Timeout>()

  constructor(docker: Dockerode, parallel: number, log: (message: string, fields?: object) => void) {
    this.#docker = docker
    this.#limit = pLimit(parallel)
    this.#log = log
  }

  /** Never rejects. `gone` is called once, when the container is gone; that may be after this resolved, if the engine has trouble. */
  async remove(name: string, gone: () => void): Promise<void> {
    try {
      await this.#limit(() => removeContainer(this.#docker, name))
      gone()
    } catch (error) {
      this.#log('A sandbox could not be removed; the host tries again', { container: name, error: String(error) })
      const timer = setTimeout(() => {
        this.#later.delete(timer)
        void this.remove(name, gone)
      }, LATER_MS)
      timer.unref()
      this.#later.add(timer)
    }
  }

  /** A container whose create got no answer: the engine may make it yet. `gone` is called once, when it was removed or no longer comes. */
  removeLate(name: string, gone: () => void, looks: readonly number[] = LATE_LOOKS_MS): void {
    const [pause, ...rest] = looks
    if (pause === undefined) {
      gone()
      return
    }
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      this.#limit(() => removeContainer(this.#docker, name)).then(
        (found) => {
          if (!found) return this.removeLate(name, gone, rest)
          this.#log('The engine created a sandbox too late; the host removes it', { container: name })
          gone()
        },
        () => this.removeLate(name, gone, looks),
      )
    }, pause)
    timer.unref()
    this.#later.add(timer)
  }

  /** Gives up: the next start of Hearth removes the rest. */
  close(): void {
    for (const timer of this.#later) clearTimeout(timer)
  }
}
