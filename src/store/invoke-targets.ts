/** The read side for invocations. */
import type { EventInvokeConfig } from '../lambda/events/event-invoke.ts'
import type { Alias, FunctionKey, FunctionVersion, RecursiveLoop } from '../lambda/function.ts'
import type { Statement } from '../lambda/policy/policy.ts'
import type { ChangeFeed } from './change-feed.ts'

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
  /** Of functions, their versions, aliases, policies and concurrency. */
  readonly changes: ChangeFeed
}
