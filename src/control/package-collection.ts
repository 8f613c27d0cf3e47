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

  constructor(options: PackageCollectionOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => void this.run(), EVERY_MS)
    this.#timer.unref()
    void this.run()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Never throws: what could not be removed is tried again an hour later. */
  async run(): Promise<void> {
    const { stored, running, collect, log } = this.#options
    try {
      const removed = await collect(new Set([...(await stored()), ...running()]))
      if (removed > 0) log.info({ removed }, 'removed deployment packages that no function needs')
    } catch (error) {
      log.warn({ err: error }, 'packages that are not needed any more could not be removed')
    }
  }
}
