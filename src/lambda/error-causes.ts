/** For each exception that this host can answer with: when, what the caller does, what the operator does. docs/errors.md is made from it. */
import type { ExceptionName } from './errors.ts'

export interface ErrorCause {
  /** When Hearth sends it. */
  readonly cause: string
  readonly caller: string
  readonly operator: string
}

const NOTHING = 'Nothing.'

export const ERROR_CAUSES: Readonly<Partial<Record<ExceptionName, ErrorCause>>> = {
  AccessDeniedException: {
    cause:
      'One of these. The request names a function or a layer of another account, and no resource policy grants the access. The registry of ImageUri refuses this host. The Host header is not a name of this host. The request comes from a web page whose origin is not allowed. A function makes a call that HEARTH_FUNCTION_API does not allow.',
    caller:
      "Ask the owner to grant access (AddPermission, AddLayerVersionPermission), use credentials of the owner's account, or use a name without an account.",
    operator:
      'Check HEARTH_ACCESS_KEYS, which gives each access key its account. For an image, run docker login as the user that Hearth runs as. Add a host name to HEARTH_PUBLIC_NAMES, the origin of a page to HEARTH_ALLOWED_ORIGINS.',
  },
  CodeSigningConfigNotFoundException: {
    cause: 'The request names a code-signing configuration that does not exist in this account and region.',
    caller: 'Check the ARN (ListCodeSigningConfigs).',
    operator: NOTHING,
  },
  CodeVerificationFailedException: {
    cause:
      'The code-signing policy is Enforce, and the package or a layer has no signature, has a signature of a signer that the configuration does not allow, or has a signature that expired or was revoked.',
    caller: 'Sign it for an allowed profile (hearth sign). The message names the part and the problem.',
    operator: 'Check HEARTH_SIGNING_PROFILES and HEARTH_REVOKED_SIGNATURES.',
  },
  EC2AccessDeniedException: {
    cause: "The container engine's socket refuses this process.",
    caller: 'Retry later; tell the operator.',
    operator: "Give the host's user access to the engine's socket (group `docker`), or start it as root.",
  },
  EC2ThrottledException: {
    cause:
      'The engine refuses or does not answer in time, the disk or the address pool is full, or all environments (HEARTH_MAX_ENVIRONMENTS) stayed busy.',
    caller: 'Retry with back-off; SDKs do this by themselves.',
    operator: 'The log names the cause and the remedy.',
  },
  EC2UnexpectedException: {
    cause: 'The engine gave an unexpected answer; `EC2ErrorCode` is its status or code.',
    caller: 'Retry; tell the operator the code.',
    operator: "Check the entry in the host's log and the log of the engine.",
  },
  EFSIOException: {
    cause:
      'The folder of an access point (HEARTH_FILE_SYSTEMS) exists but cannot be read, for example because of a broken disk or a stale mount.',
    caller: 'Tell the operator.',
    operator: 'Check the disk or mount of the folder that the log names (dmesg), and mount it again.',
  },
  EFSMountConnectivityException: {
    cause: 'The NFS server of an access point cannot be reached or closes the connection.',
    caller: 'Retry later; tell the operator.',
    operator: 'Start the server, or correct its address in HEARTH_FILE_SYSTEMS.',
  },
  EFSMountFailureException: {
    cause:
      'The folder, volume or export of an access point is missing or is not a folder, 993:990 may not enter it, the engine refuses to mount it, or HEARTH_FILE_SYSTEMS no longer names the access point.',
    caller: 'Tell the operator.',
    operator: 'The log has the reason and the command to run, usually `mkdir` and `chown 993:990`.',
  },
  EFSMountTimeoutException: {
    cause:
      'The NFS server of an access point accepts the connection but does not answer, or a folder on a mount does not answer.',
    caller: 'Retry later; tell the operator.',
    operator: 'Check the NFS server.',
  },
  ENILimitReachedException: {
    cause:
      'The environments use all connections to networks that HEARTH_MAX_NETWORK_ATTACHMENTS allows, or the bridge of a network is full.',
    caller: 'Retry with back-off.',
    operator: 'Raise HEARTH_MAX_NETWORK_ATTACHMENTS, or spread functions over several networks.',
  },
  InvalidCodeSignatureException: {
    cause:
      'The function has a code-signing configuration, and a file of the package or of a layer was changed, added or removed after signing. This fails with the policy Warn, too.',
    caller: 'Sign the package again after its last change; the message names the file.',
    operator: NOTHING,
  },
  InvalidParameterValueException: {
    cause: 'A value is not allowed, contradicts another value, or asks for something that this host does not have.',
    caller: 'Read the message: it names the value and what is allowed.',
    operator: NOTHING,
  },
  InvalidRequestContentException: {
    cause:
      'The payload is not JSON, the client context is not base64 of a JSON object, the request id is not a UUID, or the body arrived too slowly or not completely.',
    caller:
      'Send JSON, and the whole body at once. With the AWS CLI, name a file: --payload fileb://FILE. Version 2 reads the argument as base64 unless you add --cli-binary-format raw-in-base64-out.',
    operator: NOTHING,
  },
  InvalidRuntimeException: {
    cause:
      "The engine no longer has the image that the function needs: the image of its runtime, the image that the runtime is pinned to, or the function's own image.",
    caller:
      'Tell the operator, or change the runtime, the pin (PutRuntimeManagementConfig) or the image of the function.',
    operator: 'Run hearth runtimes build RUNTIME. Pull or build an image of a function again.',
  },
  InvalidSecurityGroupIDException: {
    cause: 'The network of a security group is gone, or HEARTH_SECURITY_GROUPS no longer names the group.',
    caller: 'Correct VpcConfig, or tell the operator.',
    operator: 'Create the network again, or correct HEARTH_SECURITY_GROUPS.',
  },
  InvalidSubnetIDException: {
    cause: 'The network of a subnet is gone, or HEARTH_SUBNETS no longer names the subnet.',
    caller: 'Correct VpcConfig, or tell the operator.',
    operator: 'Create the network again, or correct HEARTH_SUBNETS.',
  },
  InvalidZipFileException: {
    cause: 'The stored deployment package was damaged or removed on disk, or cannot be unpacked.',
    caller: 'Upload the code again (UpdateFunctionCode).',
    operator: 'Check the disk below HEARTH_DATA.',
  },
  KMSAccessDeniedException: {
    cause: 'The key file cannot be read or is damaged, or the encrypted data is damaged or belongs to another key.',
    caller: 'Tell the operator.',
    operator: 'Restore the file that the log names from a backup; it belongs to the host (mode 0600).',
  },
  KMSDisabledException: {
    cause: "A key of the function's environment variables or package is disabled.",
    caller:
      'Tell the operator, or set another key together with Environment and then upload the code again (UpdateFunctionCode).',
    operator: 'hearth keys enable KEY',
  },
  KMSInvalidStateException: {
    cause: "A key of the function's environment variables or package is scheduled for deletion.",
    caller:
      'Tell the operator, or set another key together with Environment and then upload the code again (UpdateFunctionCode).',
    operator: 'hearth keys enable KEY cancels the deletion.',
  },
  KMSNotFoundException: {
    cause: "A key of the function's environment variables or package no longer exists.",
    caller: 'Set another key together with Environment and then upload the code again (UpdateFunctionCode).',
    operator: 'Restore HEARTH_DATA/keys from a backup. Without the key, the encrypted data is lost.',
  },
  PolicyLengthExceededException: {
    cause: 'A resource policy would be larger than 20 KB.',
    caller: 'Remove statements, or grant to fewer principals with a wider condition.',
    operator: NOTHING,
  },
  PreconditionFailedException: {
    cause: 'RevisionId is not the latest: somebody else changed the resource.',
    caller: 'Read the resource again and repeat the change.',
    operator: NOTHING,
  },
  ProvisionedConcurrencyConfigNotFoundException: {
    cause: 'The version or alias has no provisioned concurrency.',
    caller: 'Check the qualifier (ListProvisionedConcurrencyConfigs).',
    operator: NOTHING,
  },
  RecursiveInvocationException: {
    cause:
      'The function ran about 16 times in one chain of events, and its recursion configuration does not allow this.',
    caller: 'End the loop, or allow it for this function (PutFunctionRecursionConfig).',
    operator: NOTHING,
  },
  RequestEntityTooLargeException: {
    cause: 'The payload, the package or the whole request is larger than its limit.',
    caller: 'Send less: at most 6 MB for a synchronous invoke, 1 MB for an asynchronous invoke, 50 MB for a zip.',
    operator: NOTHING,
  },
  ResourceConflictException: {
    cause:
      'The name is taken, the function is Pending or Failed, an update is in progress, both a version and its alias would get provisioned concurrency, or a code-signing configuration is still in use.',
    caller: 'Use the waiters function-active-v2 and function-updated-v2. Delete a Failed function.',
    operator: 'If a function stays Pending, check the log: the host may still be building its runtime image.',
  },
  ResourceNotFoundException: {
    cause: 'There is no such function, version, alias, layer or code-signing configuration in this account and region.',
    caller: 'Check name, qualifier, region and account. Each account has separate functions in each region.',
    operator: NOTHING,
  },
  ResourceNotReadyException: {
    cause: 'The function is Inactive and is being restored.',
    caller: 'Retry shortly.',
    operator: NOTHING,
  },
  ServiceException: {
    cause:
      'The host cannot save the request, because the queue of asynchronous events is full (HEARTH_QUEUE_MAX_BYTES) or the disk is full or broken. Or the host has a defect; then the message has no details.',
    caller:
      'Retry with back-off; SDKs do this by themselves. If the error continues, tell the operator the request id.',
    operator:
      'The log has an entry with the remedy, and /_hearth/health names the failed check. An entry without a remedy is a defect: report the entry with the same request id.',
  },
  SubnetIPAddressLimitReachedException: {
    cause: 'The network of a subnet or security group has no address left.',
    caller: 'Retry with back-off.',
    operator: 'Give the network a larger range, or take containers off it.',
  },
  TooManyRequestsException: {
    cause:
      "The reason names the limit. `ReservedFunctionConcurrentInvocationLimitExceeded`: the function's reservation is used up (a reservation of 0 stops the function). `ConcurrentInvocationLimitExceeded`: the concurrency of the account is used up, or the function needs more new environments than the scaling rate allows. `ReservedFunctionInvocationRateLimitExceeded`, `FunctionInvocationRateLimitExceeded`: more than ten requests per second arrive for each unit of concurrency. `CallerRateLimitExceeded`: a request body found no room for 30 seconds, or the code of one execution environment calls faster than HEARTH_FUNCTION_API_RATE.",
    caller: 'Retry with back-off; SDKs do this by themselves.',
    operator:
      'Raise HEARTH_ACCOUNT_CONCURRENCY or the reservation; for rates HEARTH_REQUEST_RATE_FACTOR, HEARTH_SCALING_RATE or HEARTH_FUNCTION_API_RATE.',
  },
  UnknownOperationException: {
    cause: 'No operation of the Lambda API has this method and path, or Hearth does not offer the operation.',
    caller: 'Check the endpoint; docs/compatibility.md lists the operations.',
    operator: NOTHING,
  },
  CodeStorageExceededException: {
    cause: 'With this package the account would exceed its code storage.',
    caller: 'Delete functions, layers or versions that you do not use.',
    operator: 'Raise HEARTH_CODE_STORAGE_MAX_BYTES, if the disk has room.',
  },
  UnrecognizedClientException: {
    cause: 'The access key belongs to an execution environment that no longer exists.',
    caller: 'Do not keep credentials of a function beyond its environment. Use an access key of your own.',
    operator:
      'If your own key has the same form (ASIA, four characters, twelve digits), name it in HEARTH_ACCESS_KEYS.',
  },
  ValidationException: {
    cause: 'A member of the request breaks a constraint of the service model.',
    caller: 'The message lists every violation.',
    operator: NOTHING,
  },
}
