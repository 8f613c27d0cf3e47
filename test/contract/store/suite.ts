/** What every implementation of the store must do, whatever the database: given a function that makes one. */
import { afterEach, beforeEach } from 'vitest'
import { describeAliases } from './aliases-suite.ts'
import { describeCodeSigning } from './code-signing-suite.ts'
import { describeEventInvokeConfigs } from './event-invoke-configs-suite.ts'
import { describeQueue } from './event-queue-suite.ts'
import { describeFunctions } from './functions-suite.ts'
import { describeLayersAndPolicies } from './layers-suite.ts'
import { describeProvisioned } from './provisioned-suite.ts'
import { describeReservedConcurrency } from './reserved-concurrency-suite.ts'
import { describeRuntimeVersions } from './runtime-versions-suite.ts'
import { describeTargets } from './targets-suite.ts'
import type { StoreUnderTest } from './under-test.ts'
import { describeVersions } from './versions-suite.ts'

const SUITES = [
  describeFunctions,
  describeVersions,
  describeAliases,
  describeReservedConcurrency,
  describeProvisioned,
  describeRuntimeVersions,
  describeTargets,
  describeLayersAndPolicies,
  describeCodeSigning,
  describeEventInvokeConfigs,
  describeQueue,
]

export function describeStore(make: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest
  beforeEach(async () => {
    under = await make()
  })
  afterEach(() => under.dispose())

  for (const describeSuite of SUITES) describeSuite(() => under)
}
