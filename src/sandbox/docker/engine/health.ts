/** Whether the container engine answers: asked in the background, so that a health request costs nothing. */
import type Dockerode from 'dockerode'
import { bounded } from './errors.ts'

/** Milliseconds between two questions, and the limit of one. */
const EVERY_MS = 2_000
const LIMIT_MS = 5_000

export class EngineHealth {
  readonly #docker: Dockerode
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined = 'not asked yet'

  constructor(docker: Dockerode) {
    this.#docker = docker
  }

  /** Resolves after the first answer. */
  async open(): Promise<void> {
    await this.#ask()
    this.#timer = setInterval(() => void this.#ask(), EVERY_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** `undefined`: it answers. Otherwise what is wrong, for the operator. */
  get problem(): string | undefined {
    return this.#problem
  }

  async #ask(): Promise<void> {
    try {
      await bounded(LIMIT_MS, 'reach the container engine', () => this.#docker.ping())
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
    }
  }
}
