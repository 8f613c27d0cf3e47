/**
 * What became of something that this host has claimed, stored at last, whatever the disk does meanwhile. Nobody else may take it up while
 * this host lives: giving up would leave it claimed for as long.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../../lambda/events/event-invoke.ts'

/** The outcome is tried so often; after that it is only given back, in case the outcome itself is what cannot be stored. */
const OUTCOME_TRIES = 6

/** How the line in the log goes on. */
export const UNSTORED = 'could not be saved; the host tries again until it can save it'

export interface DurableOutcome {
  /** Stores the outcome. Repeatable: it changes nothing when it was stored before. */
  readonly store: () => Promise<unknown>
  /** Gives the work back, so that it is done again. */
  readonly giveBack: () => Promise<unknown>
  /** Told once, of the first failure. */
  readonly failed: (error: unknown) => void
  /** Milliseconds of the first pause; doubled each time, at most 5 minutes. */
  readonly backoffBaseMs: number
  /** The host stops: one more try, and the next start takes up what is left. */
  readonly stop: AbortSignal
}

export async function storeOutcome({ store, giveBack, failed, backoffBaseMs, stop }: DurableOutcome): Promise<void> {
  for (let failures = 0; ; failures++) {
    const last = stop.aborted
    try {
      await (failures < OUTCOME_TRIES ? store() : giveBack())
      return
    } catch (error) {
      if (failures === 0) failed(error)
      if (last) return
      await delay(backoffMs(failures, { backoffBaseMs }), undefined, { signal: stop, ref: false }).catch(() => {})
    }
  }
}
