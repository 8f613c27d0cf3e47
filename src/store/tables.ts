/** The tables as Kysely types. Column types are those that SQLite and PostgreSQL both have: text, integer, blob. */
import type { ColumnType, Generated } from 'kysely'

/** One row per function name that exists. */
export interface FunctionsTable {
  account: string
  region: string
  name: string
  /** JSON object. */
  tags: string
  reserved_concurrency: number | null
  /** `Allow` or `Terminate`; null is Terminate. */
  recursive_loop: ColumnType<string | null, string | null | undefined>
  /** Id of a code-signing configuration of the same account and region. */
  code_signing_config: ColumnType<string | null, string | null | undefined>
}

/** One row per version, `$LATEST` included. */
export interface VersionsTable {
  account: string
  region: string
  name: string
  version: string
  /** The version's number for ordering; 0 for `$LATEST`. */
  number: number
  revision_id: string
  deployment_id: string
  state: string
  state_reason: string | null
  state_reason_code: string | null
  last_update_status: string | null
  last_update_reason: string | null
  last_update_reason_code: string | null
  /** Unix milliseconds. */
  last_modified: number
  code_sha256: string
  code_size: number
  /** Id of the package where it lies encrypted; null: it is named by `code_sha256`. */
  sealed_package: string | null
  /** JSON of FunctionConfiguration. */
  configuration: string
  /** JSON of PreviousDeployment: what invocations get while an update is in progress or after it failed. */
  previous: string | null
  /** Digest of the configuration of `$LATEST` that a version was published from: equal means nothing changed since. */
  published_from: string | null
  /** Digest of the image that the runtime was when the version was last made ready; 64 hex digits. */
  runtime_version: string | null
  /** `FunctionUpdate` or `Manual`; null is Auto. */
  update_runtime_on: string | null
  /** Manual: the digest to stay with. */
  pinned_runtime: string | null
}

export interface AliasesTable {
  account: string
  region: string
  name: string
  alias: string
  function_version: string
  description: string
  revision_id: string
  routing_version: string | null
  routing_weight: number | null
}

/** The last version number of every name that ever existed: it survives the function. */
export interface VersionNumbersTable {
  account: string
  region: string
  name: string
  last_number: number
}

/** Bytes of the zips of all function versions and layer versions, changed in the same transactions as those. */
export interface StoredCodeTable {
  account: string
  region: string
  bytes: number
}

/** One row per layer version. */
export interface LayerVersionsTable {
  account: string
  region: string
  name: string
  number: number
  /** Unix milliseconds. */
  created: number
  description: string
  code_sha256: string
  code_size: number
  unzipped_bytes: number
  /** JSON lists. */
  compatible_runtimes: string | null
  compatible_architectures: string | null
  license_info: string | null
  /** JSON list of statements; null: no policy. */
  policy: string | null
  policy_revision: string | null
  /** JSON of Signing. */
  signing: string | null
}

/** The last version number of every layer that ever existed. */
export interface LayerNumbersTable {
  account: string
  region: string
  name: string
  last_number: number
}

/** Resource policies of functions. */
export interface PoliciesTable {
  account: string
  region: string
  name: string
  /** `$LATEST` (the unqualified function), a version's number, or an alias. */
  qualifier: string
  /** JSON list of statements, never empty. */
  statements: string
  /** Null for those of older releases: that of the function, version or alias. */
  revision_id: string | null
}

/** Accepted asynchronous events. Payloads are apart because a claim rewrites the row, and SQLite would rewrite a megabyte with it. */
export interface EventsTable {
  id: Generated<number>
  /** `account/region/name` */
  function_key: string
  qualifier: string | null
  request_id: string
  enqueued_at: number
  /** Unix milliseconds from which on a waiting event may run; of a claimed one: never. */
  due_at: number
  claimed: number
  /** Instance that claimed it. */
  owner: ColumnType<string | null, string | null | undefined>
  attempts: number
  epoch: number
  /** Attempts that ended with a function error. */
  retries: Generated<number>
  /** Attempts that a throttle or a failure of the platform put off. */
  postponements: Generated<number>
}

export interface EventPayloadsTable {
  event_id: number
  trace_header: string
  payload: Uint8Array
}

/** enqueued = waiting + claimed + done + dead + discarded, changed in the same transactions as the events. */
export interface EventCounts {
  enqueued: number
  waiting: number
  claimed: number
  done: number
  dead: number
  discarded: number
}

/** One row: of functions that were deleted, since the database was made. */
export interface EventCountsTable extends EventCounts {
  id: number
}

/** Since the function was created; its row goes with it. */
export interface EventFunctionCountsTable extends EventCounts {
  function_key: string
}

/** Records and dead letters on their way to where events end. */
export interface DeliveriesTable {
  id: Generated<number>
  function_key: string
  target: string
  /** JSON of DeliveryDetail. */
  detail: string
  created_at: number
  /** Unix milliseconds from which on a waiting delivery may be tried; of a claimed one: never. */
  due_at: number
  claimed: number
  /** Instance that claimed it. */
  owner: ColumnType<string | null, string | null | undefined>
  attempts: number
  epoch: number
}

export interface DeliveryBodiesTable {
  delivery_id: number
  body: Uint8Array
}

/** One row. decided = rows of `deliveries` + delivered + abandoned. */
export interface DeliveryCountsTable {
  id: number
  decided: number
  delivered: number
  abandoned: number
}

export interface EventInvokeConfigsTable {
  account: string
  region: string
  name: string
  /** `$LATEST`, a version or an alias. */
  qualifier: string
  last_modified: number
  retry_attempts: number | null
  event_age: number | null
  on_success: string | null
  on_failure: string | null
}

/** ProvisionedConcurrencyConfigs; the columns from `allocated` to `status_reason` are what the data plane reported. */
export interface ProvisionedConcurrencyTable {
  account: string
  region: string
  name: string
  /** A version's number or an alias's name. */
  qualifier: string
  requested: number
  revision: string
  allocated: number
  available: number
  status: string
  status_reason: string | null
  /** Unix milliseconds. */
  last_modified: number
}

export interface CodeSigningConfigsTable {
  account: string
  region: string
  id: string
  description: string
  /** JSON list of ARNs. */
  publishers: string
  /** `Warn` or `Enforce`. */
  policy: string
  /** Unix milliseconds. */
  last_modified: number
  revision: string
  /** JSON object. */
  tags: string
  /** Grows with each configuration of the account and region that is made. */
  created: number
}

export interface Tables {
  code_signing_configs: CodeSigningConfigsTable
  provisioned_concurrency: ProvisionedConcurrencyTable
  functions: FunctionsTable
  versions: VersionsTable
  aliases: AliasesTable
  version_numbers: VersionNumbersTable
  stored_code: StoredCodeTable
  layer_versions: LayerVersionsTable
  layer_numbers: LayerNumbersTable
  policies: PoliciesTable
  events: EventsTable
  event_payloads: EventPayloadsTable
  event_counts: EventCountsTable
  event_function_counts: EventFunctionCountsTable
  deliveries: DeliveriesTable
  delivery_bodies: DeliveryBodiesTable
  delivery_counts: DeliveryCountsTable
  event_invoke_configs: EventInvokeConfigsTable
}
