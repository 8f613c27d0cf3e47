/** Every migration in the order of its name. A released file never changes: a new change is a new file. */
import type { Migration, MigrationProvider } from 'kysely'
import { initial } from './0001-initial.ts'
import { layersAndPolicies } from './0002-layers-and-policies.ts'
import { asynchronous } from './0003-asynchronous.ts'
import { provisionedConcurrency } from './0004-provisioned-concurrency.ts'
import { runtimeVersions } from './0005-runtime-versions.ts'
import { codeSizeIndex } from './0006-code-size-index.ts'
import { codeSigning } from './0007-code-signing.ts'
import { sealedPackages } from './0009-sealed-packages.ts'
import { storedCode } from './0010-stored-code.ts'
import { eventTotals } from './0011-event-totals.ts'
import { leaseOwners } from './0012-lease-owners.ts'
import { recordedOrders } from './0013-recorded-orders.ts'

const MIGRATIONS: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-layers-and-policies': layersAndPolicies,
  '0003-asynchronous': asynchronous,
  '0004-provisioned-concurrency': provisionedConcurrency,
  '0005-runtime-versions': runtimeVersions,
  '0006-code-size-index': codeSizeIndex,
  '0007-code-signing': codeSigning,
  '0009-sealed-packages': sealedPackages,
  '0010-stored-code': storedCode,
  '0011-event-totals': eventTotals,
  '0012-lease-owners': leaseOwners,
  '0013-recorded-orders': recordedOrders,
}

export const migrations: MigrationProvider = {
  getMigrations: () => Promise.resolve(MIGRATIONS),
}
