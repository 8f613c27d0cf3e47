/** What is asked of the store about provisioned concurrency. */
import type { FunctionKey } from '../lambda/function.ts'
import type { ProvisionedStatus } from '../lambda/provisioned.ts'
import type { Page, PageRequest } from './page.ts'

export interface ProvisionedConfig {
  /** A version's number or an alias's name. */
  readonly qualifier: string
  readonly requested: number
  readonly allocated: number
  readonly available: number
  readonly status: ProvisionedStatus
  readonly statusReason: string | undefined
  /** Unix milliseconds. */
  readonly lastModified: number
  /** Changes with every change that needs another allocation: Put, and a move of the alias. */
  readonly revision: string
}

export type ProvisionedReport = Pick<ProvisionedConfig, 'allocated' | 'available' | 'status' | 'statusReason'>

export interface ConcurrencyBounds {
  /** Concurrent executions of an account in a region. */
  readonly accountConcurrency: number
  /** What reservations and provisioned concurrency must leave to the functions without. */
  readonly unreservedMinimum: number
}

export interface ProvisionedStore {
  /**
   * Sets or changes the configuration of a published version or alias; IN_PROGRESS until it is reported otherwise.
   * @throws ResourceNotFoundException, ResourceConflictException (alias and version), InvalidParameterValueException (limits, `$LATEST`)
   */
  put(
    key: FunctionKey,
    qualifier: string,
    requested: number,
    bounds: ConcurrencyBounds,
    now: number,
  ): Promise<ProvisionedConfig>
  /** `undefined`: there is none. @throws ResourceNotFoundException (function, version or alias) */
  find(key: FunctionKey, qualifier: string): Promise<ProvisionedConfig | undefined>
  /** By qualifier. @throws ResourceNotFoundException */
  list(key: FunctionKey, page: PageRequest): Promise<Page<ProvisionedConfig>>
  /** Nothing happens when there is none. @throws ResourceNotFoundException (function, version or alias) */
  delete(key: FunctionKey, qualifier: string): Promise<void>
  /** All configurations of a function; none when it does not exist. */
  of(key: FunctionKey): Promise<ProvisionedConfig[]>
  /** Functions that have configurations. */
  functions(): Promise<FunctionKey[]>
  /** Environments do not survive a host: every configuration is IN_PROGRESS again. Called once, at start. Functions that have some. */
  restart(): Promise<FunctionKey[]>
  /** What was allocated for a configuration. `false`: it has another revision by now or is gone; nothing changed. */
  report(key: FunctionKey, qualifier: string, revision: string, report: ProvisionedReport): Promise<boolean>
}
