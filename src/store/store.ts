/**
 * What the host must not forget, as verbs of the use case. This file and those beside it are the seam: `catalogue/`, `queue/` and `sqlite/`
 * implement it, `open.ts` composes them, and nobody else imports from those directories. Every implementation passes
 * `test/contract/store/suite.ts`.
 *
 * A check and the write that depends on it are one transaction: writes that AWS guards with RevisionId take it and throw
 * PreconditionFailedException themselves. A transaction may be repeated, so whatever a caller gives as a function (`change`) may be called
 * again, and only computes.
 */
import type { AliasStore } from './alias-store.ts'
import type { CodeSigningStore } from './code-signing-store.ts'
import type { DeliveryStore } from './delivery-store.ts'
import type { EventInvokeConfigStore } from './event-invoke-store.ts'
import type { EventQueueStore } from './event-queue-store.ts'
import type { FunctionStore } from './function-store.ts'
import type { InvokeTargets } from './invoke-targets.ts'
import type { LayerStore } from './layer-store.ts'
import type { PolicyStore } from './policy-store.ts'
import type { ProvisionedStore } from './provisioned-store.ts'
import type { VersionStore } from './version-store.ts'

export interface Store {
  readonly functions: FunctionStore
  readonly versions: VersionStore
  readonly aliases: AliasStore
  readonly layers: LayerStore
  readonly policies: PolicyStore
  readonly targets: InvokeTargets
  readonly provisioned: ProvisionedStore
  readonly queue: EventQueueStore
  readonly deliveries: DeliveryStore
  readonly eventInvoke: EventInvokeConfigStore
  readonly codeSigning: CodeSigningStore
  /** Bytes of code that each account may store in each region. */
  readonly codeStorageMaxBytes: number
  /** Why nothing can be stored, and what to do; `undefined` while all is well. */
  readonly problem: string | undefined
  /** Waits for writes under way, then closes the database and gives its lock back. */
  close(): Promise<void>
}
