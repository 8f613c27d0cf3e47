/** The durable queue of asynchronous events. */
import type { FunctionKey } from '../lambda/function.ts'
import type { NewDelivery } from './delivery-store.ts'

/** An accepted asynchronous event (InvocationType Event). */
export interface QueuedEvent {
  /** Position in the queue, ascending. */
  readonly id: number
  readonly function: FunctionKey
  /** As the caller gave it; resolved when the event runs, not when it was accepted. `undefined`: none was given. */
  readonly qualifier: string | undefined
  /** Stays the same over all attempts. */
  readonly requestId: string
  readonly traceHeader: string
  readonly payload: Uint8Array
  /** Unix milliseconds. */
  readonly enqueuedAt: number
  /** How often it was claimed before. */
  readonly attempts: number
  /** Attempts that ended with a function error. */
  readonly retries: number
  /** Attempts that a throttle or a failure of the platform put off, without spending a retry. */
  readonly postponements: number
}

export type NewEvent = Omit<QueuedEvent, 'id' | 'attempts' | 'retries' | 'postponements'>

/** How an event leaves the queue. */
export interface EventEnding {
  /** `discarded`: its function does not exist any more. */
  readonly as: 'done' | 'dead' | 'discarded'
  readonly deliveries: readonly NewDelivery[]
  /** Events for functions of this host that are its destinations. */
  readonly events: readonly NewEvent[]
}

export interface EventCounts {
  readonly enqueued: number
  readonly waiting: number
  readonly claimed: number
  /** Ended with success. */
  readonly done: number
  /** Ended without. */
  readonly dead: number
  readonly discarded: number
}

export interface FunctionQueue extends EventCounts {
  readonly function: FunctionKey
  /** Unix milliseconds at which the event that is due first was accepted. */
  readonly oldestAt: number | undefined
}

/**
 * How many events a claim may take of each function. Data, computed before the claim: the transaction may be repeated, and another database
 * may do it on another machine.
 */
export interface ClaimLimits {
  /** Of each function that `functions` does not name, by its `account/region`. Nothing is taken of an account that is not named. */
  readonly accounts: ReadonlyMap<string, number>
  /** By `functionId`. */
  readonly functions: ReadonlyMap<string, number>
}

export interface Claim {
  readonly events: readonly ClaimedEvent[]
  /** One function of each account and region that has due events and is not named by the limits. */
  readonly unnamed: readonly FunctionKey[]
}

/** A claim is valid only with its epoch: a late worker cannot settle somebody else's attempt. */
export interface ClaimedEvent extends QueuedEvent {
  readonly epoch: number
}

/** How much of its room the queue uses. */
export interface QueueSpace {
  readonly usedBytes: number
  /** From here on events are refused; may be infinite. */
  readonly maxBytes: number
}

/** What the operator can do about a queue that refuses events. */
export const QUEUE_FULL_REMEDY =
  'Run `hearth queue` to see which functions have waiting events. Their function may be throttled or failing, or its concurrency may be too low. Raise HEARTH_QUEUE_MAX_BYTES if the disk has room.'

export interface EventQueueStore {
  /**
   * Resolves only when the event is on disk. Events that arrive together share a transaction (group commit). Everything below resolves
   * when it is committed and is on disk soon: a power failure may take back the last moments of it, never an event.
   */
  put(event: NewEvent): Promise<void>
  /**
   * Takes up to `limit` due events, oldest first, within the limits. They belong to this instance until it settles or releases them, or
   * is known to be dead; no time ends that.
   */
  claim(now: number, limit: number, limits?: ClaimLimits): Promise<Claim>
  /**
   * The event leaves the queue, and what follows from it is stored in the same transaction. `false`: the claim was no longer ours,
   * nothing changed. Without an ending: done.
   */
  settle(id: number, epoch: number, ending?: EventEnding): Promise<boolean>
  /** Gives the event back, due again at `availableAt`, and counts why. `false`: the claim was no longer ours. */
  release(id: number, epoch: number, availableAt: number, because?: 'retry' | 'postponement'): Promise<boolean>
  /**
   * Makes due again what instances held that are known to be dead, and returns how much that was. Whoever holds the lock of a SQLite
   * database is the only one alive.
   */
  recover(now: number): Promise<number>
  /** Discards the events of a deleted function. */
  discard(key: FunctionKey): Promise<number>
  /** Unix milliseconds when the next event is due, or `undefined` when nothing waits; later than `after` if given. */
  nextDue(after?: number): Promise<number | undefined>
  /** enqueued = waiting + claimed + done + dead + discarded must never drift; counted since the database was made. */
  counts(): Promise<EventCounts>
  space(): Promise<QueueSpace>
  /** Unix milliseconds at which the oldest event that is still there was accepted. */
  oldestAt(): Promise<number | undefined>
  /** The same for each function, since it was created; those with the most events waiting first, at most `limit`. */
  functions(limit: number): Promise<FunctionQueue[]>
}
