/**
 * What the host must not forget, as verbs of the use case. `sqlite.ts` implements it; every implementation passes `test/contract/store`.
 *
 * Writes that AWS guards with RevisionId take it and throw PreconditionFailedException themselves, inside the transaction, so that no
 * check is separated from its act.
 */
import type { Alias, FunctionKey, FunctionVersion } from '../lambda/function.ts'
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
}

export type NewEvent = Omit<QueuedEvent, 'id' | 'attempts'>

/** A claim is valid only with its epoch: a late worker cannot settle somebody else's attempt. */
export interface ClaimedEvent extends QueuedEvent {
  readonly epoch: number
}

export interface EventQueueStore {
  /** Resolves only when the event is on disk. All events of one turn of the event loop share a transaction (group commit). */
  put(event: NewEvent): Promise<void>
  /** Takes up to `limit` due events, oldest first, skipping the functions named in `except`; each with a lease until `leaseUntil`. */
  claim(now: number, leaseUntil: number, limit: number, except?: readonly FunctionKey[]): Promise<ClaimedEvent[]>
  /** Prolongs a lease. `false`: the claim is no longer ours. */
  extend(id: number, epoch: number, leaseUntil: number): Promise<boolean>
  /** The event is finished and leaves the queue. `false`: the claim was no longer ours, nothing changed. */
  settle(id: number, epoch: number): Promise<boolean>
  /** Gives the event back, due again at `availableAt`. `false`: the claim was no longer ours. */
  release(id: number, epoch: number, availableAt: number): Promise<boolean>
  /** Leases of an instance that died are void: makes every claimed event due now. Called once, at start. Returns their number. */
  voidLeases(now: number): Promise<number>
  /** Discards the events of a deleted function. */
  discard(key: FunctionKey): Promise<number>
  /** Unix milliseconds when the next event is due, or `undefined` when nothing waits. */
  nextDue(): Promise<number | undefined>
  /** enqueued = waiting + claimed + done + discarded must never drift; counted since the database was made. */
  counts(): Promise<{ enqueued: number; waiting: number; claimed: number; done: number; discarded: number }>
}
