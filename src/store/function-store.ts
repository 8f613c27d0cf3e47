/** What the control plane asks of the store about functions, as verbs of the use case. Each write is one transaction, its guards included. */
import type { FunctionConfiguration, FunctionKey, FunctionVersion, RecursiveLoop } from '../lambda/function.ts'
import type { VerifiedUnder } from './code-signing-store.ts'
import type { Page, PageRequest } from './page.ts'
import type { ConcurrencyBounds } from './provisioned-store.ts'

export interface StoredFunction {
  /** `$LATEST` as GetFunction shows it: new code and configuration already while an update is in progress. */
  readonly latest: FunctionVersion
  readonly tags: Readonly<Record<string, string>>
  readonly reservedConcurrency: number | undefined
  readonly recursiveLoop: RecursiveLoop
}

export interface NewFunction {
  readonly configuration: FunctionConfiguration
  readonly tags: Readonly<Record<string, string>>
  /** Make version 1 (or the next number of a name that existed before) along with `$LATEST`. */
  readonly publish: boolean
  /** Gives the function the configuration that its code was verified under. */
  readonly verified?: VerifiedUnder
}

export interface Update {
  /** Called within the transaction; may refuse with a LambdaException. Must not do I/O, but to read a key. */
  readonly change: (current: FunctionVersion) => FunctionConfiguration
  readonly publish: boolean
  readonly revisionId?: string
  /** Refused with ResourceConflictException when the function has another code-signing configuration by now. */
  readonly verified?: VerifiedUnder
}

/** `published`: the version that `publish` asked for. */
export interface Written {
  readonly latest: FunctionVersion
  readonly published?: FunctionVersion
}

/** How the preparation of a function's runtime ended. */
export type Outcome =
  /** With the digest of the runtime's image, for functions that have one. */
  | { readonly ok: true; readonly runtimeVersion?: string }
  | { readonly ok: false; readonly reason: string; readonly code: string }

export interface RuntimeChange {
  /** The runtime that the caller saw. */
  readonly runtime: string
  readonly updateRuntimeOn: 'Auto' | 'FunctionUpdate' | 'Manual'
  /** Digest of the image to stay with, in hex. */
  readonly runtimeVersion: string
}

export interface Usage {
  /** Bytes of the zips of all versions, those of layers included. */
  readonly codeBytes: number
  readonly functions: number
  /** All ReservedConcurrentExecutions, and the provisioned concurrency of functions without. */
  readonly reserved: number
}

export interface FunctionStore {
  /** New functions are Pending until `completeUpdate`. @throws ResourceConflictException, CodeStorageExceededException */
  create(key: FunctionKey, input: NewFunction, now: number): Promise<Written>
  find(key: FunctionKey): Promise<StoredFunction | undefined>
  /** `$LATEST` of each function in the order of their names, or with `allVersions` every version. */
  list(account: string, region: string, page: PageRequest & { allVersions?: boolean }): Promise<Page<FunctionVersion>>
  /**
   * Shows the new code and configuration with LastUpdateStatus InProgress; invocations keep the previous ones until `completeUpdate`.
   * @throws ResourceNotFoundException, ResourceConflictException (Pending or InProgress), PreconditionFailedException,
   * CodeStorageExceededException
   */
  beginUpdate(key: FunctionKey, update: Update, now: number): Promise<Written>
  /**
   * Ends a creation or an update, with it the versions published by it. After a failed update invocations keep the previous deployment.
   * `false`: the function was deleted or has another deployment now; nothing changed.
   */
  completeUpdate(key: FunctionKey, deploymentId: string, outcome: Outcome): Promise<boolean>
  /** What failed for a reason of this host (InternalError) is Pending or InProgress again: to be called at start, before `unfinished`. */
  reopenFailed(): Promise<void>
  /** Every `$LATEST` that is Pending or InProgress: what a crash interrupted. */
  unfinished(): Promise<FunctionVersion[]>
  /** Removes the function with its versions, aliases and queued events. @throws ResourceNotFoundException */
  delete(key: FunctionKey): Promise<void>
  /**
   * Replaces the tags by what `change` makes of them and renews the RevisionId.
   * @throws ResourceNotFoundException, ResourceConflictException
   */
  changeTags(key: FunctionKey, change: (tags: Record<string, string>) => Record<string, string>): Promise<void>
  /**
   * @param reserved `undefined` removes the reservation.
   * @param bounds not checked when the reservation shrinks
   * @throws ResourceNotFoundException, InvalidParameterValueException
   */
  reserveConcurrency(key: FunctionKey, reserved: number | undefined, bounds: ConcurrencyBounds): Promise<void>
  /**
   * Changes which image the runtime of `$LATEST` or a version is; environments of the one before retire.
   * @throws ResourceNotFoundException, ResourceConflictException (Pending, InProgress, or another runtime by now)
   */
  manageRuntime(key: FunctionKey, version: string, change: RuntimeChange): Promise<FunctionVersion>
  /** Whether a version with this runtime was ever made ready with this image, or stays with it. */
  knowsRuntimeVersion(runtime: string, hash: string): Promise<boolean>
  /** Digests of the images that versions stay with. */
  runtimeVersionsInUse(): Promise<ReadonlySet<string>>
  /** @throws ResourceNotFoundException */
  setRecursiveLoop(key: FunctionKey, recursiveLoop: RecursiveLoop): Promise<void>
  usage(account: string, region: string): Promise<Usage>
  /** `packageId` of every package that a version, a previous deployment included, still needs. */
  codeInUse(): Promise<ReadonlySet<string>>
}
