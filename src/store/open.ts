/** Everything the host must not forget, behind one open and one close. */

import type { AliasStore } from './alias-store.ts'
import { SqlAliases } from './aliases.ts'
import { Changes } from './changes.ts'
import { SqlCodeSigning } from './code-signing.ts'
import type { CodeSigningStore } from './code-signing-store.ts'
import { SqlDeliveries } from './deliveries.ts'
import { SqlEventInvokeConfigs } from './event-invoke-configs.ts'
import type { EventInvokeConfigStore } from './event-invoke-store.ts'
import { SqlEventQueue } from './event-queue.ts'
import type { FunctionStore } from './function-store.ts'
import { SqlFunctions } from './functions.ts'
import { GroupCommit } from './group-commit.ts'
import type { LayerStore } from './layer-store.ts'
import { SqlLayers } from './layers.ts'
import { SqlPolicies } from './policies.ts'
import type { PolicyStore } from './policy-store.ts'
import { SqlProvisioned } from './provisioned.ts'
import type { ProvisionedStore } from './provisioned-store.ts'
import { openSqlite, type SqliteOptions } from './sqlite.ts'
import type { DeliveryStore, EventQueueStore, InvokeTargets } from './store.ts'
import { SqlTargets } from './targets.ts'
import type { VersionStore } from './version-store.ts'
import { SqlVersions } from './versions.ts'

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
  /** Why nothing can be stored, and what to do; `undefined` while all is well. */
  readonly problem: string | undefined
  /** Waits for writes under way, then closes the database and gives its lock back. */
  close(): Promise<void>
}

export interface StoreOptions extends SqliteOptions {
  /** Bytes that the database may use before events are refused; unlimited unless given. */
  readonly queueMaxBytes?: number
}

/**
 * @param path of the SQLite database, e.g. `<data>/hearth.db`
 * @throws Error that says what to do: no SQLite library, folder in use by another host, file damaged or not writable, disk full,
 * made by a newer version.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const database = await openSqlite(path, options)
  const { db } = database
  const changes = new Changes()
  const promises = new GroupCommit(database, 'promise')
  // One for both, because what ends an event also starts its deliveries.
  const progress = new GroupCommit(database, 'progress')
  return {
    functions: new SqlFunctions(db, changes),
    versions: new SqlVersions(db, changes),
    aliases: new SqlAliases(db, changes),
    layers: new SqlLayers(db),
    policies: new SqlPolicies(db, changes),
    targets: new SqlTargets(db, changes),
    queue: new SqlEventQueue(database, { promises, progress }, options.queueMaxBytes),
    deliveries: new SqlDeliveries(database, progress),
    eventInvoke: new SqlEventInvokeConfigs(db, changes),
    provisioned: new SqlProvisioned(db, changes),
    codeSigning: new SqlCodeSigning(db),
    get problem() {
      return database.log.failure?.message ?? database.connection.trouble.text
    },
    async close() {
      await promises.idle()
      await progress.idle()
      await database.close()
    },
  }
}
