/** Whether the container engine answers: asked in the background, so that a health request costs nothing. */
import type Dockerode from 'dockerode'
import { bounded } from './errors.ts'

/** Milliseconds between an answer and the next question, and the limit of one. */
const TIMING = { everyMs: 2_000, limitMs: 5_000 }

export class EngineHealth {
  readonly #docker: Dockerode
  readonly #timing: typeof TIMING
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined = 'not asked yet'
  #closed = false

  /** @param timing for tests */
  constructor(docker: Dockerode, timing: typeof TIMING = TIMING) {
    this.#docker = docker
    this.#timing = timing
  }

  /** Resolves after the first answer. */
  async open(): Promise<void> {
    await this.#ask()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** `undefined`: it answers. Otherwise what is wrong, for the operator. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** One question at a time: an engine that hangs holds one connection, and no answer overwrites a newer one. */
  async #ask(): Promise<void> {
    try {
      await bounded(this.#timing.limitMs, 'reach the container engine', () => this.#docker.ping())
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
    }
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#ask(), this.#timing.everyMs)
    this.#timer.unref()
  }
}
