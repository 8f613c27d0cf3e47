/**
 * The loop of whoever works off a durable list: claims while there is something to claim, follows what it began, and sleeps until
 * something becomes due. A wake is a hint that costs nothing; a slow poll is the truth.
 */

/** Milliseconds of the longest sleep. */
const POLL_MS = 5_000
/** Milliseconds of the shortest: a clock that disagrees with the timers must not make it spin. */
const REST_MS = 10

export interface WorkLoopOptions {
  /** Begins what can be begun, and hands it to `follow`. `true`: there may be more. */
  readonly claim: () => Promise<boolean>
  /** When something becomes due that the last claim was not offered, in Unix milliseconds. */
  readonly nextDue: (now: number) => Promise<number | undefined>
  /** The list could not be read; it is tried again after the next sleep. */
  readonly failed: (error: unknown) => void
  /** Unix milliseconds. */
  readonly clock: () => number
}

export class WorkLoop {
  readonly #options: WorkLoopOptions
  readonly #running = new Set<Promise<void>>()
  #turn: Promise<void> | undefined
  #again = false
  #stopped = true
  #timer: NodeJS.Timeout | undefined

  constructor(options: WorkLoopOptions) {
    this.#options = options
  }

  start(): void {
    this.#stopped = false
    this.wake()
  }

  /** There may be something to do. Callable at any time. */
  wake(): void {
    if (this.#stopped) return
    this.#again = true
    this.#turn ??= this.#work()
  }

  /** Counts a piece of work, which handles its own failures, as running until it ends; then there may be room for another one. */
  follow(work: Promise<void>): void {
    const followed = work.finally(() => {
      this.#running.delete(followed)
      this.wake()
    })
    this.#running.add(followed)
  }

  /** It begins nothing more. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Pieces of work that run. */
  get running(): number {
    return this.#running.size
  }

  /** Begins nothing more; resolves when what runs has ended, or after `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs)
    })
    await Promise.race([this.ended(), patience])
    clearTimeout(timer)
  }

  /** Resolves when nothing runs any more, after `stop`. */
  async ended(): Promise<void> {
    // A claim that is under way may still begin something.
    await this.#turn
    await Promise.allSettled(this.#running)
  }

  async #work(): Promise<void> {
    // The wakes of one turn of the event loop are one.
    await new Promise((resolve) => setImmediate(resolve))
    clearTimeout(this.#timer)
    let due: number | undefined
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        while (!this.#stopped && (await this.#options.claim()));
        if (!this.#again && !this.#stopped) due = await this.#options.nextDue(this.#options.clock())
      } catch (error) {
        due = undefined
        this.#options.failed(error)
      }
    }
    this.#turn = undefined
    if (!this.#stopped) this.#sleep(due ?? Number.POSITIVE_INFINITY)
  }

  #sleep(due: number): void {
    const wait = Math.max(REST_MS, Math.min(POLL_MS, due - this.#options.clock()))
    this.#timer = setTimeout(() => this.wake(), wait)
    this.#timer.unref()
  }
}
