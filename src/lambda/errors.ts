/**
 * THE exception table: every error that the Lambda API can answer with, and the one class that carries them.
 *
 * `status` and `key` (the JSON member that carries the text) come from the service model 2015-03-31; the rows below `unmodelled`
 * are errors that AWS really sends although the model lacks them. `docs/errors.md` is generated from this table together with
 * `error-causes.ts`; `api/http/errors.ts` is the only place that renders an exception.
 */

export interface ExceptionRow {
  /** HTTP status of the answer. */
  readonly status: number
  /** Member of the body that carries the text; SDKs of statically typed languages read only this one. */
  readonly key: 'message' | 'Message'
  /** `false`: the body has the text and nothing else (no `Type`). */
  readonly typed?: false
}

const modelled = {
  AliasLimitExceededException: { status: 400, key: 'message' },
  CallbackTimeoutException: { status: 400, key: 'Message' },
  CapacityProviderLimitExceededException: { status: 400, key: 'message' },
  CodeArtifactUserDeletedException: { status: 409, key: 'message' },
  CodeArtifactUserFailedException: { status: 409, key: 'message' },
  CodeArtifactUserPendingException: { status: 409, key: 'message' },
  CodeSigningConfigNotFoundException: { status: 404, key: 'Message' },
  CodeStorageExceededException: { status: 400, key: 'message' },
  CodeVerificationFailedException: { status: 400, key: 'Message' },
  DurableExecutionAlreadyStartedException: { status: 409, key: 'Message' },
  EC2AccessDeniedException: { status: 502, key: 'Message' },
  EC2ThrottledException: { status: 502, key: 'Message' },
  EC2UnexpectedException: { status: 502, key: 'Message' },
  EFSIOException: { status: 410, key: 'Message' },
  EFSMountConnectivityException: { status: 408, key: 'Message' },
  EFSMountFailureException: { status: 403, key: 'Message' },
  EFSMountTimeoutException: { status: 408, key: 'Message' },
  ENILimitReachedException: { status: 502, key: 'Message' },
  ENINotReadyException: { status: 502, key: 'Message' },
  FunctionVersionsPerCapacityProviderLimitExceededException: { status: 400, key: 'message' },
  InvalidCodeSignatureException: { status: 400, key: 'Message' },
  InvalidParameterValueException: { status: 400, key: 'message' },
  InvalidRequestContentException: { status: 400, key: 'message' },
  InvalidRuntimeException: { status: 502, key: 'Message' },
  InvalidSecurityGroupIDException: { status: 502, key: 'Message' },
  InvalidSubnetIDException: { status: 502, key: 'Message' },
  InvalidZipFileException: { status: 502, key: 'Message' },
  KMSAccessDeniedException: { status: 502, key: 'Message' },
  KMSDisabledException: { status: 502, key: 'Message' },
  KMSInvalidStateException: { status: 502, key: 'Message' },
  KMSNotFoundException: { status: 502, key: 'Message' },
  ModeNotSupportedException: { status: 400, key: 'message' },
  NoPublishedVersionException: { status: 400, key: 'Message' },
  PolicyLengthExceededException: { status: 400, key: 'message' },
  PreconditionFailedException: { status: 412, key: 'message' },
  ProvisionedConcurrencyConfigNotFoundException: { status: 404, key: 'message' },
  PublicPolicyException: { status: 400, key: 'Message' },
  RecursiveInvocationException: { status: 400, key: 'Message' },
  RequestTooLargeException: { status: 413, key: 'message' },
  ResourceConflictException: { status: 409, key: 'message' },
  ResourceInUseException: { status: 400, key: 'Message' },
  ResourceNotFoundException: { status: 404, key: 'Message' },
  ResourceNotReadyException: { status: 502, key: 'message' },
  S3FilesMountConnectivityException: { status: 408, key: 'Message' },
  S3FilesMountFailureException: { status: 403, key: 'Message' },
  S3FilesMountTimeoutException: { status: 408, key: 'Message' },
  RuntimeAliasDeletedException: { status: 409, key: 'message' },
  RuntimeVersionDeletedException: { status: 409, key: 'message' },
  SerializedRequestEntityTooLargeException: { status: 413, key: 'message' },
  ServiceException: { status: 500, key: 'Message' },
  ServiceQuotaExceededException: { status: 402, key: 'Message' },
  SnapStartException: { status: 400, key: 'Message' },
  SnapStartNotReadyException: { status: 409, key: 'Message' },
  SnapStartRegenerationFailureException: { status: 409, key: 'Message' },
  SnapStartTimeoutException: { status: 408, key: 'Message' },
  SubnetIPAddressLimitReachedException: { status: 502, key: 'Message' },
  TooManyRequestsException: { status: 429, key: 'message' },
  UnsupportedMediaTypeException: { status: 415, key: 'message' },
} as const satisfies Record<string, ExceptionRow>

const unmodelled = {
  AccessDeniedException: { status: 403, key: 'Message', typed: false },
  ExpiredTokenException: { status: 403, key: 'message', typed: false },
  IncompleteSignatureException: { status: 403, key: 'message', typed: false },
  InvalidSignatureException: { status: 403, key: 'message', typed: false },
  MissingAuthenticationTokenException: { status: 403, key: 'message', typed: false },
  RequestEntityTooLargeException: { status: 413, key: 'message', typed: false },
  UnknownOperationException: { status: 404, key: 'Message', typed: false },
  UnrecognizedClientException: { status: 403, key: 'message', typed: false },
  ValidationException: { status: 400, key: 'message', typed: false },
} as const satisfies Record<string, ExceptionRow>

export const EXCEPTIONS: Readonly<Record<ExceptionName, ExceptionRow>> = { ...modelled, ...unmodelled }

export type ExceptionName = keyof typeof modelled | keyof typeof unmodelled

export interface ExceptionDetail {
  /** Members that only some exceptions have: `Reason` (TooManyRequests), `EC2ErrorCode` (EC2Unexpected). They come before `Type`. */
  readonly members?: Readonly<Record<string, string>>
  /** Member of the body that carries the text, for services whose errors have another one than Lambda's. */
  readonly key?: 'message' | 'Message'
  /** Overrides the `Type` member; `null` is sent as JSON null, `undefined` inside the detail leaves the table's rule. */
  readonly type?: 'User' | 'Service' | null
  /** No `Type` member although the table has one (recorded for a few messages). */
  readonly untyped?: boolean
  /** Extra answer headers, e.g. `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
  /** What the operator can do about it; logged, never sent to the caller. */
  readonly remedy?: string
  /** What really happened, for the operator's log; never sent to the caller. */
  readonly cause?: unknown
}

/** A refusal by the platform. A function's own failure is never one of these: it is a result (see `invoke/`). */
export class LambdaException extends Error {
  override readonly name: ExceptionName
  readonly detail: ExceptionDetail

  constructor(name: ExceptionName, message: string, detail: ExceptionDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = name
    this.detail = detail
  }

  get status(): number {
    return EXCEPTIONS[this.name].status
  }

  /** The JSON body as AWS orders it: extra members, `Type`, then the text. */
  body(): Record<string, unknown> {
    const row = EXCEPTIONS[this.name]
    const typed = row.typed !== false && !this.detail.untyped
    const type = this.detail.type === undefined ? (row.status >= 500 ? 'Service' : 'User') : this.detail.type
    return { ...this.detail.members, ...(typed ? { Type: type } : {}), [this.detail.key ?? row.key]: this.message }
  }
}
