/** Removes packages that no function, no version and no running environment needs any more; hourly, off every path. */

const EVERY_MS = 60 * 60 * 1000

export interface PackageCollectionOptions {
  /** Identity of every package that the store names. */
  readonly stored: () => Promise<ReadonlySet<string>>
  /** The same of running environments. */
  readonly running: () => Iterable<string>
  /** Removes all others; returns their number. */
  readonly collect: (keep: ReadonlySet<string>) => Promise<number>
  readonly log: { warn(detail: object, message: string): void; info(detail: object, message: string): void }
}

export class PackageCollection {
  readonly #options: PackageCollectionOptions
  #timer: NodeJS.Timeout | undefined
  #run: Promise<void> = Promise.resolve()

  constructor(options: PackageCollectionOptions) {
    this.#options = options
  }

  start(): void {
    const run = () => {
      this.#run = this.#run.then(() => this.run())
    }
    this.#timer = setInterval(run, EVERY_MS)
    this.#timer.unref()
    run()
  }

  /** Resolves when nothing is removed any more: the store that says what is needed may be closed then. */
  stop(): Promise<void> {
    clearInterval(this.#timer)
    return this.#run
  }

  /** Never throws: what could not be removed is tried again an hour later. */
  async run(): Promise<void> {
    const { stored, running, collect, log } = this.#options
    try {
      const removed = await collect(new Set([...(await stored()), ...running()]))
      if (removed > 0) log.info({ removed }, 'removed deployment packages that no function uses')
    } catch (error) {
      log.warn({ err: error }, 'deployment packages that no function uses could not be removed')
    }
  }
}
