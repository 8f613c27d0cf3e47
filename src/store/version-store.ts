/** What the control plane asks of the store about versions. Each write is one transaction, its guards included. */
import type { FunctionKey, FunctionVersion } from '../lambda/function.ts'
import type { Page, PageRequest } from './page.ts'

export interface PublishRequest {
  readonly description?: string
  /** Refused with InvalidParameterValueException when `$LATEST` has another one. */
  readonly codeSha256?: string
  readonly revisionId?: string
}

export interface VersionStore {
  /** `$LATEST` (as GetFunction shows it) or a number. */
  find(key: FunctionKey, version: string): Promise<FunctionVersion | undefined>
  /** `$LATEST` first, then ascending. @throws ResourceNotFoundException */
  list(key: FunctionKey, page: PageRequest): Promise<Page<FunctionVersion>>
  /**
   * A new version, or the last published one when nothing changed since.
   * @throws ResourceNotFoundException, ResourceConflictException, PreconditionFailedException, InvalidParameterValueException,
   * CodeStorageExceededException
   */
  publish(key: FunctionKey, request: PublishRequest, now: number): Promise<FunctionVersion>
  /** Deletes nothing when the version does not exist. @throws ResourceNotFoundException (function), ResourceConflictException (aliases) */
  delete(key: FunctionKey, version: string): Promise<void>
}
