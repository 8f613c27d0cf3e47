/** What happens between Pending and Active, and between InProgress and Successful: the image of its runtime, or its own, is made ready. */
import { setTimeout as pause } from 'node:timers/promises'
import type { FunctionVersion, PinnedImage } from '../../lambda/function.ts'
import type { FunctionImages } from '../../ports/function-images.ts'
import type { RuntimeImages } from '../../ports/runtime-images.ts'
import type { FunctionStore, Outcome } from '../../store/function-store.ts'

/** Where the control plane reports what no caller waits for; pino fits. */
export interface ControlLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
  error(detail: object, message: string): void
}

export interface ImagesNeeds {
  readonly images: RuntimeImages
  readonly functionImages: FunctionImages
}

export interface PreparationOptions {
  /** Unix milliseconds. */
  readonly clock: () => number
  /** Milliseconds for which a function stays Pending or InProgress at least, counted from the change. */
  readonly stateDelayMs: number
}

export class Preparation {
  readonly #functions: FunctionStore
  readonly #images: RuntimeImages
  readonly #functionImages: FunctionImages
  readonly #log: ControlLog
  readonly #options: PreparationOptions
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(
    functions: FunctionStore,
    { images, functionImages }: ImagesNeeds,
    log: ControlLog,
    options: PreparationOptions,
  ) {
    this.#options = options
    this.#functions = functions
    this.#images = images
    this.#functionImages = functionImages
    this.#log = log
  }

  /** Returns at once; the function's state tells how it went. */
  start(latest: FunctionVersion): void {
    const running = this.#complete(latest).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /**
   * Takes up what an earlier, crashed host left Pending or InProgress, and what failed because this host could not prepare it: what was out of reach
   * may be there now. Returns the number of functions.
   */
  async resume(): Promise<number> {
    await this.#functions.reopenFailed()
    const unfinished = await this.#functions.unfinished()
    for (const latest of unfinished) this.start(latest)
    return unfinished.length
  }

  /** Resolves when nothing is being prepared any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Building an image takes minutes: what is being prepared is not waited for, and the next start takes it up again. */
  close(): void {
    this.#closing.abort()
  }

  async #complete(latest: FunctionVersion): Promise<void> {
    const outcome = await this.#prepare(latest)
    await this.#holdState(latest)
    if (this.#closing.signal.aborted) return
    const { account, region, name, deploymentId } = latest
    try {
      const changed = await this.#functions.completeUpdate({ account, region, name }, deploymentId, outcome)
      if (changed && !outcome.ok) {
        this.#log.error(
          { function: name, account, region, reason: outcome.reason },
          'a function could not be made ready',
        )
      }
    } catch (error) {
      // The function stays as it is; the next start of the host takes it up again.
      this.#log.error({ err: error, function: name, account, region }, 'the state of a function could not be saved')
    }
  }

  /** Time that passed before a restart of the host counts. */
  async #holdState({ lastModified }: FunctionVersion): Promise<void> {
    const { clock, stateDelayMs } = this.#options
    // A clock that was set back must not hold a function for longer.
    const left = Math.min(stateDelayMs, lastModified + stateDelayMs - clock())
    if (left <= 0 || this.#closing.signal.aborted) return
    await pause(left, undefined, { signal: this.#closing.signal }).catch(() => {})
  }

  async #prepare(latest: FunctionVersion): Promise<Outcome> {
    const { runtime, image } = latest
    try {
      if (image !== undefined) return await this.#prepareImage(image, latest)
      return runtime === undefined ? { ok: true } : await this.#prepareRuntime(runtime, latest)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      const what = image === undefined ? `of the runtime ${runtime}` : image.uri
      return { ok: false, reason: `The image ${what} could not be prepared: ${detail}`, code: 'InternalError' }
    }
  }

  async #prepareImage(image: PinnedImage, { imageConfig, architecture }: FunctionVersion): Promise<Outcome> {
    const readiness = await this.#functionImages.prepare(image, imageConfig, architecture)
    return readiness.ready ? { ok: true } : { ok: false, reason: readiness.reason, code: readiness.code }
  }

  async #prepareRuntime(runtime: string, { architecture, updateRuntimeOn }: FunctionVersion): Promise<Outcome> {
    const availability = await this.#images.availability(runtime, architecture)
    if (!availability.available) return { ok: false, reason: availability.reason, code: 'InvalidRuntime' }
    await this.#images.prepare(runtime, architecture)
    const runtimeVersion = this.#images.versionHash(runtime, architecture)
    if (updateRuntimeOn === 'FunctionUpdate') await this.#images.keepVersion(runtimeVersion)
    return { ok: true, runtimeVersion }
  }
}
