/**
 * What the host must not forget, as verbs of the use case. `sqlite.ts` implements it; every implementation passes `test/contract/store`.
 *
 * Writes that AWS guards with RevisionId take it and throw PreconditionFailedException themselves, inside the transaction, so that no
 * check is separated from its act.
 */
import type { EventInvokeConfig } from '../lambda/event-invoke.ts'
import type { Alias, FunctionKey, FunctionVersion, RecursiveLoop } from '../lambda/function.ts'
import type { Statement } from '../lambda/policy.ts'

/** What `invoke/resolve.ts` needs to know of one function name and qualifier; read on a cache miss only. */
export interface InvokeTarget {
  /** Versions that may run, with the weight of each; more than one only behind a weighted alias. Weights add up to 1. */
  readonly versions: readonly { readonly version: FunctionVersion; readonly weight: number }[]
  readonly alias?: Alias
  /** The resource policy for the qualifier, if there is one: what other accounts may do. */
  readonly policy?: readonly Statement[]
  /** ReservedConcurrentExecutions of the function, if set. */
  readonly reservedConcurrency?: number
  /** Of the very qualifier that was asked for: a version's is not its aliases'. */
  readonly eventInvoke?: EventInvokeConfig
  /** Absent: Terminate. */
  readonly recursiveLoop?: RecursiveLoop
}

export interface InvokeTargets {
  /**
   * The version or versions behind a qualifier (`$LATEST`, digits, or an alias name), as invocations see them: while an update is in
   * progress this is still the previous code and configuration. `undefined`: the function, version or alias does not exist.
   */
  find(key: FunctionKey, qualifier: string): Promise<InvokeTarget | undefined>
  /** ReservedConcurrentExecutions of every function of the account and region that has one, by function name. */
  reservations(account: string, region: string): Promise<ReadonlyMap<string, number>>
  /** Provisioned concurrency by function name and version, that of weighted aliases shared between their versions. */
  provisioned(account: string, region: string): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>
  /** Called after each committed change of a function, its versions, aliases or concurrency. Returns the unsubscribe function. */
  onChange(listener: (key: FunctionKey) => void): () => void
}

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

/** Kept as JSON. */
export interface DeliveryDetail {
  readonly kind: 'success' | 'failure' | 'dead-letter'
  readonly requestId: string
  /** ARN of the function with the qualifier that was invoked. */
  readonly functionArn: string
  /** X-Amzn-Trace-Id for whom it makes run next, with this run in its lineage. */
  readonly traceHeader?: string
  /** Of a dead letter. */
  readonly attributes?: Readonly<Record<'RequestID' | 'ErrorCode' | 'ErrorMessage', string>>
}

/** A record or a dead letter on its way. */
export interface NewDelivery {
  readonly function: FunctionKey
  readonly target: string
  readonly detail: DeliveryDetail
  readonly body: Uint8Array
  /** Unix milliseconds. */
  readonly createdAt: number
}

export interface ClaimedDelivery extends NewDelivery {
  readonly id: number
  /** How often it was tried before. */
  readonly attempts: number
  readonly epoch: number
}

export interface DeliveryStore {
  /** Takes up to `limit` due deliveries, oldest first, of each target at most `room`, which may be asked again for the same claim. */
  claim(now: number, leaseUntil: number, limit: number, room: (target: string) => number): Promise<ClaimedDelivery[]>
  /** `false`: the claim was no longer ours, nothing changed. */
  settle(id: number, epoch: number, outcome: 'delivered' | 'abandoned'): Promise<boolean>
  release(id: number, epoch: number, availableAt: number): Promise<boolean>
  /** As of the event queue. */
  voidLeases(now: number): Promise<number>
  /** Unix milliseconds of the first one that is due after `after`. */
  nextDue(after: number): Promise<number | undefined>
  /** decided = delivered + abandoned + what waits for each target. */
  counts(): Promise<{
    readonly decided: number
    readonly delivered: number
    readonly abandoned: number
    readonly targets: readonly { readonly target: string; readonly waiting: number; readonly oldestAt: number }[]
  }>
}

/** A claim is valid only with its epoch: a late worker cannot settle somebody else's attempt. */
export interface ClaimedEvent extends QueuedEvent {
  readonly epoch: number
}

export interface EventQueueStore {
  /**
   * Resolves only when the event is on disk. Events that arrive together share a transaction (group commit). Everything below resolves
   * when it is committed and is on disk soon: a power failure may take back the last moments of it, never an event.
   */
  put(event: NewEvent): Promise<void>
  /**
   * Takes up to `limit` due events, oldest first, of each function at most `room`; each with a lease until `leaseUntil`. `room` is asked
   * once for each function, within the transaction.
   */
  claim(now: number, leaseUntil: number, limit: number, room?: (key: FunctionKey) => number): Promise<ClaimedEvent[]>
  /** Prolongs a lease. `false`: the claim is no longer ours. */
  extend(id: number, epoch: number, leaseUntil: number): Promise<boolean>
  /**
   * The event leaves the queue, and what follows from it is stored in the same transaction. `false`: the claim was no longer ours,
   * nothing changed. Without an ending: done.
   */
  settle(id: number, epoch: number, ending?: EventEnding): Promise<boolean>
  /** Gives the event back, due again at `availableAt`, and counts why. `false`: the claim was no longer ours. */
  release(id: number, epoch: number, availableAt: number, because?: 'retry' | 'postponement'): Promise<boolean>
  /** Leases of an instance that died are void: makes every claimed event due now. Called once, at start. Returns their number. */
  voidLeases(now: number): Promise<number>
  /** Discards the events of a deleted function. */
  discard(key: FunctionKey): Promise<number>
  /** Unix milliseconds when the next event is due, or `undefined` when nothing waits; later than `after` if given. */
  nextDue(after?: number): Promise<number | undefined>
  /** enqueued = waiting + claimed + done + dead + discarded must never drift; counted since the database was made. */
  counts(): Promise<EventCounts>
  /** Unix milliseconds at which the oldest event that is still there was accepted. */
  oldestAt(): Promise<number | undefined>
  /** The same for each function, since it was created; those with the most events waiting first, at most `limit`. */
  functions(limit: number): Promise<FunctionQueue[]>
}
