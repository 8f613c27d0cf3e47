/** Everything the host must not forget, behind one open and one close. */

import { LIMITS } from '../lambda/limits.ts'
import type { OperatorError } from '../telemetry/operator-error.ts'
import { SqlAliases } from './catalogue/aliases.ts'
import { SqlCodeSigning } from './catalogue/code-signing.ts'
import { SqlEventInvokeConfigs } from './catalogue/event-invoke-configs.ts'
import { SqlFunctions } from './catalogue/functions.ts'
import { SqlLayers } from './catalogue/layers.ts'
import { SqlPolicies } from './catalogue/policies.ts'
import { SqlProvisioned } from './catalogue/provisioned.ts'
import { RecentChanges } from './catalogue/recent-changes.ts'
import { SqlTargets } from './catalogue/targets.ts'
import { SqlVersions } from './catalogue/versions.ts'
import { SqlDeliveries } from './queue/deliveries.ts'
import { SqlEventQueue } from './queue/event-queue.ts'
import { GroupCommit } from './queue/group-commit.ts'
import { type OpenDatabase, openSqlite, type SqliteOptions } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions extends SqliteOptions {
  /** Bytes that the database may use before events are refused; unlimited unless given. */
  readonly queueMaxBytes?: number
  /** Bytes of code that each account may store in each region; AWS's limit unless given. */
  readonly codeStorageMaxBytes?: number
  /** Told when events are refused because of that, and again each minute while they are. */
  readonly queueFull?: (problem: OperatorError) => void
}

/** Who commits the writes of the queue. `progress` serves events and deliveries, because what ends an event also starts its deliveries. */
interface QueueCommits {
  readonly promises: GroupCommit
  readonly progress: GroupCommit
}

/**
 * @param path of the SQLite database, e.g. `<data>/hearth.db`
 * @throws Error that says what to do: no SQLite library, folder in use by another host, file damaged or not writable, disk full,
 * made by a newer version.
 */
export async function openStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const database = await openSqlite(path, options)
  return composeStore(database, commitsOf(database), options)
}

export function commitsOf(database: OpenDatabase): QueueCommits {
  return { promises: new GroupCommit(database, 'promise'), progress: new GroupCommit(database, 'progress') }
}

export function composeStore(database: OpenDatabase, commits: QueueCommits, options: StoreOptions): Store {
  const { db } = database
  const { codeStorageMaxBytes = LIMITS.totalCodeBytes } = options
  const changes = new RecentChanges()
  return {
    functions: new SqlFunctions(db, changes, codeStorageMaxBytes),
    versions: new SqlVersions(db, changes, codeStorageMaxBytes),
    aliases: new SqlAliases(db, changes),
    layers: new SqlLayers(db, codeStorageMaxBytes),
    policies: new SqlPolicies(db, changes),
    targets: new SqlTargets(db, changes),
    queue: new SqlEventQueue(database, commits, {
      maxBytes: options.queueMaxBytes ?? Number.POSITIVE_INFINITY,
      full: options.queueFull ?? (() => {}),
    }),
    deliveries: new SqlDeliveries(database, commits.progress),
    eventInvoke: new SqlEventInvokeConfigs(db, changes),
    provisioned: new SqlProvisioned(db, changes),
    codeSigning: new SqlCodeSigning(db),
    codeStorageMaxBytes,
    get problem() {
      return database.log.failure?.message ?? database.connection.trouble.text
    },
    async close() {
      await commits.promises.idle()
      await commits.progress.idle()
      await database.close()
    },
  }
}
