/** Reads the feed of changes for one consumer, which may be slow and may fail: it gets each change until it has dealt with it. */
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../lambda/events/event-invoke.ts'
import { type FunctionKey, functionId } from '../lambda/function.ts'
import type { ChangeFeed } from '../store/change-feed.ts'

export interface ChangeConsumer {
  /** Deals with changed functions, each named once. It is called again with the same ones, and newer ones, when it fails. */
  changed(keys: readonly FunctionKey[]): Promise<void>
  /** Deals with everything it knows: more has changed than the feed can tell. */
  refresh(): Promise<void>
}

export interface ChangeReaderOptions {
  readonly feed: ChangeFeed
  readonly consumer: ChangeConsumer
  /** Told of the first of several failures in a row. */
  readonly failed: (error: unknown) => void
  /** Milliseconds of the first pause after a failure; doubled each time, at most 5 minutes. */
  readonly backoffBaseMs?: number
}

const BACKOFF_BASE_MS = 100

export class ChangeReader {
  readonly #options: ChangeReaderOptions
  readonly #stop = new AbortController()
  readonly #unsubscribe: () => void
  #position: number
  #working: Promise<void> | undefined

  /** Reads what changes from now on. */
  constructor(options: ChangeReaderOptions) {
    this.#options = options
    this.#position = options.feed.position
    this.#unsubscribe = options.feed.onChange(() => this.#wake())
  }

  /** Resolves when nothing is being dealt with any more. */
  async close(): Promise<void> {
    this.#unsubscribe()
    this.#stop.abort()
    await this.#working
  }

  /** The consumer begins in this turn: who made the change has no answer yet. */
  #wake(): void {
    if (this.#working === undefined && this.#position !== this.#options.feed.position) this.#working = this.#work()
  }

  async #work(): Promise<void> {
    const { feed, consumer, failed, backoffBaseMs = BACKOFF_BASE_MS } = this.#options
    for (let failures = 0; this.#position !== feed.position && !this.#stop.signal.aborted; ) {
      const { position, keys } = feed.read(this.#position)
      try {
        await (keys === 'gap' ? consumer.refresh() : consumer.changed(distinct(keys)))
        this.#position = position
        failures = 0
      } catch (error) {
        if (failures === 0) failed(error)
        await delay(backoffMs(failures++, { backoffBaseMs }), undefined, {
          signal: this.#stop.signal,
          ref: false,
        }).catch(() => {})
      }
    }
    this.#working = undefined
  }
}

function distinct(keys: readonly FunctionKey[]): FunctionKey[] {
  return [...new Map(keys.map((key) => [functionId(key), key])).values()]
}
