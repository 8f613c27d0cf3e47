/** Rows to domain values and back. */
import { createHash } from 'node:crypto'
import type { Insertable, Selectable } from 'kysely'
import type {
  Alias,
  FunctionConfiguration,
  FunctionKey,
  FunctionVersion,
  LastUpdateStatus,
  RecursiveLoop,
  State,
} from '../../lambda/function.ts'
import type { AliasesTable, VersionsTable } from '../tables.ts'

export type VersionRow = Selectable<VersionsTable>

/** What invocations get while `$LATEST` already shows an update that is in progress or that failed. */
export interface PreviousDeployment {
  readonly deploymentId: string
  readonly configuration: FunctionConfiguration
}

export const LATEST = '$LATEST'

/** The condition of a row for a key. */
export function keyColumns(key: FunctionKey): { account: string; region: string; name: string } {
  return { account: key.account, region: key.region, name: key.name }
}

/** The version as GetFunction shows it. */
export function versionOf(row: VersionRow): FunctionVersion {
  return { ...(JSON.parse(row.configuration) as FunctionConfiguration), ...statusOf(row) }
}

/** The version as invocations see it. */
export function invocableVersionOf(row: VersionRow): FunctionVersion {
  if (row.previous === null) return versionOf(row)
  const previous = JSON.parse(row.previous) as PreviousDeployment
  return { ...previous.configuration, ...statusOf(row), deploymentId: previous.deploymentId }
}

function statusOf(row: VersionRow) {
  return {
    account: row.account,
    region: row.region,
    name: row.name,
    version: row.version,
    revisionId: row.revision_id,
    deploymentId: row.deployment_id,
    state: row.state as State,
    stateReason: row.state_reason ?? undefined,
    stateReasonCode: row.state_reason_code ?? undefined,
    lastUpdateStatus: (row.last_update_status ?? undefined) as LastUpdateStatus | undefined,
    lastUpdateStatusReason: row.last_update_reason ?? undefined,
    lastUpdateStatusReasonCode: row.last_update_reason_code ?? undefined,
    lastModified: row.last_modified,
    runtimeVersion: row.runtime_version ?? undefined,
    updateRuntimeOn: (row.update_runtime_on ?? undefined) as FunctionVersion['updateRuntimeOn'],
    runtimePin: runtimePinOf(row),
  }
}

function runtimePinOf(row: VersionRow): string | undefined {
  if (row.update_runtime_on === 'Manual') return row.pinned_runtime ?? undefined
  return row.update_runtime_on === 'FunctionUpdate' ? (row.runtime_version ?? undefined) : undefined
}

/** Only the configuration, out of a version or a request: what is stored as JSON and compared when publishing. */
export function configurationOf(from: FunctionConfiguration): FunctionConfiguration {
  return {
    runtime: from.runtime,
    handler: from.handler,
    role: from.role,
    description: from.description,
    timeout: from.timeout,
    memorySize: from.memorySize,
    ephemeralStorage: from.ephemeralStorage,
    architecture: from.architecture,
    packageType: from.packageType,
    image: from.image,
    imageConfig: from.imageConfig,
    // Beside its encrypted form it is a view for a caller and never stored.
    environment: from.sealedEnvironment === undefined ? from.environment : undefined,
    kmsKeyArn: from.kmsKeyArn,
    sealedEnvironment: from.sealedEnvironment,
    vpc: from.vpc,
    fileSystems: from.fileSystems,
    tracingMode: from.tracingMode,
    deadLetterTarget: from.deadLetterTarget,
    logging: from.logging,
    codeSha256: from.codeSha256,
    codeSize: from.codeSize,
    sourceKmsKeyArn: from.sourceKmsKeyArn,
    sealedPackage: from.sealedPackage,
    unzippedBytes: from.unzippedBytes,
    layers: from.layers,
    signing: from.signing,
  }
}

export function configurationColumns(from: FunctionConfiguration) {
  return {
    configuration: JSON.stringify(configurationOf(from)),
    code_sha256: from.codeSha256,
    code_size: from.codeSize,
    sealed_package: from.sealedPackage?.id ?? null,
  }
}

/** Equal for equal code and configuration, whatever the order in which members were written. */
export function configurationDigest(of: FunctionConfiguration): string {
  const compared = {
    ...configurationOf(of),
    // It follows from the package, and functions of the first release do not know it.
    unzippedBytes: undefined,
    // Each upload encrypts anew: the same zip under the same key is no change.
    sealedPackage: of.sealedPackage?.dataKey.key,
  }
  const canonical = JSON.stringify(compared, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
  return createHash('sha256').update(canonical).digest('hex')
}

export const CREATING = { reason: 'The function is being created.', code: 'Creating' } as const

/** Columns of a state without a reason. */
export const ACTIVE = {
  state: 'Active',
  state_reason: null,
  state_reason_code: null,
  last_update_status: 'Successful',
  last_update_reason: null,
  last_update_reason_code: null,
} as const

/** Columns of a version whose runtime is being prepared for the first time. */
export const PENDING = {
  state: 'Pending',
  state_reason: CREATING.reason,
  state_reason_code: CREATING.code,
  last_update_status: null,
  last_update_reason: null,
  last_update_reason_code: null,
} as const

export function aliasOf(row: Selectable<AliasesTable>): Alias {
  return {
    name: row.alias,
    functionVersion: row.function_version,
    description: row.description,
    revisionId: row.revision_id,
    ...(row.routing_version === null
      ? {}
      : { routing: { version: row.routing_version, weight: row.routing_weight ?? 0 } }),
  }
}

export function aliasRow(key: FunctionKey, alias: Alias): Insertable<AliasesTable> {
  return {
    ...keyColumns(key),
    alias: alias.name,
    function_version: alias.functionVersion,
    description: alias.description,
    revision_id: alias.revisionId,
    routing_version: alias.routing?.version ?? null,
    routing_weight: alias.routing?.weight ?? null,
  }
}

export function recursiveLoopOf(column: string | null): RecursiveLoop {
  return column === 'Allow' ? 'Allow' : 'Terminate'
}
