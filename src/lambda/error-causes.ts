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
      'The request names a function or a layer of another account, and no resource policy grants it; or the registry of ImageUri refuses this host; or the request comes under a name that is not one of the host, or from a web page of an origin that is not allowed; or a function calls what HEARTH_FUNCTION_API does not let it call.',
    caller:
      'Let the owner grant it (AddPermission, AddLayerVersionPermission), use credentials of the account that owns it, or a name without the account.',
    operator:
      'Check HEARTH_ACCESS_KEYS: it says which access key belongs to which account. For an image: docker login as the user of the host. For a name HEARTH_PUBLIC_NAMES, for a page HEARTH_ALLOWED_ORIGINS.',
  },
  CodeSigningConfigNotFoundException: {
    cause: 'The code-signing configuration that a function is to be given does not exist in this account and region.',
    caller: 'Check the ARN (ListCodeSigningConfigs).',
    operator: NOTHING,
  },
  CodeVerificationFailedException: {
    cause:
      'The policy is Enforce, and the package or a layer is not signed, is signed by nobody that the code-signing configuration allows, or its signature expired or was revoked.',
    caller: 'Sign it for an allowed profile (hearth sign); the message names the part and what is wrong with it.',
    operator: 'Check HEARTH_SIGNING_PROFILES and HEARTH_REVOKED_SIGNATURES.',
  },
  EC2AccessDeniedException: {
    cause: "The container engine's socket refuses this process.",
    caller: 'Retry later; tell the operator.',
    operator: "Give the host's user access to the engine's socket (group `docker`), or start it as root.",
  },
  EC2ThrottledException: {
    cause:
      'The engine refuses or does not answer in time, the disk or the address pool is full, or every environment (HEARTH_MAX_ENVIRONMENTS) stayed busy.',
    caller: 'Retry with back-off; SDKs do so by themselves.',
    operator: 'The log names which of them it was and its remedy.',
  },
  EC2UnexpectedException: {
    cause: 'The engine answered with something unexpected; `EC2ErrorCode` is its status or code.',
    caller: 'Retry; tell the operator the code.',
    operator: "Look at the entry in the log and at the engine's own log.",
  },
  EFSIOException: {
    cause:
      'The folder of an access point (HEARTH_FILE_SYSTEMS) is there, but reading it fails: a broken disk, a stale mount.',
    caller: 'Tell the operator.',
    operator: 'Look at the disk or mount behind the folder that the log names (dmesg), and mount it again.',
  },
  EFSMountConnectivityException: {
    cause: 'The NFS server of an access point cannot be reached, or ends the connection.',
    caller: 'Retry later; tell the operator.',
    operator: 'Start the server, or correct its address in HEARTH_FILE_SYSTEMS.',
  },
  EFSMountFailureException: {
    cause:
      'What an access point stands for is missing or is no folder, 993:990 may not enter it, the engine refuses to mount it, or HEARTH_FILE_SYSTEMS does not name the access point any more.',
    caller: 'Tell the operator.',
    operator: 'The log has the reason and the command, mostly `mkdir` and `chown 993:990`.',
  },
  EFSMountTimeoutException: {
    cause:
      'The NFS server of an access point takes the connection and does not answer, or a folder on a mount does not answer.',
    caller: 'Retry later; tell the operator.',
    operator: 'Look after the server.',
  },
  ENILimitReachedException: {
    cause:
      'As many environments are on networks of subnets and security groups as HEARTH_MAX_NETWORK_ATTACHMENTS allows, or the bridge of a network is full.',
    caller: 'Retry with back-off.',
    operator: 'Raise HEARTH_MAX_NETWORK_ATTACHMENTS, or spread functions over several networks.',
  },
  InvalidCodeSignatureException: {
    cause:
      'The function has a code-signing configuration, and the package or a layer is not what was signed: a file was changed, added or removed. Blocks with the policy Warn, too.',
    caller: 'Sign the package again after its last change; the message names the file.',
    operator: NOTHING,
  },
  InvalidParameterValueException: {
    cause: 'A value is not allowed, contradicts another one, or asks for something that this host does not have.',
    caller: 'Read the message: it names the value and what is possible.',
    operator: NOTHING,
  },
  InvalidRequestContentException: {
    cause:
      'The payload is not JSON, the client context is not base64 of a JSON object, the request id is not a UUID, or the body came too slowly or not whole.',
    caller:
      'Send JSON, all of it at once. With the AWS CLI name a file, --payload fileb://FILE; its version 2 reads the argument as base64 unless --cli-binary-format raw-in-base64-out is added.',
    operator: NOTHING,
  },
  InvalidRuntimeException: {
    cause:
      "The image of the function's runtime, the one that it is pinned to, or the function's own image is not in the engine any more.",
    caller:
      'Tell the operator, or change the runtime, the pin (PutRuntimeManagementConfig) or the image of the function.',
    operator: 'hearth runtimes build RUNTIME; for an image of a function, pull or build it again.',
  },
  InvalidSecurityGroupIDException: {
    cause: 'The network of a security group is gone, or HEARTH_SECURITY_GROUPS does not name the group any more.',
    caller: 'Correct VpcConfig, or tell the operator.',
    operator: 'Make the network again, or correct HEARTH_SECURITY_GROUPS.',
  },
  InvalidSubnetIDException: {
    cause: 'The network of a subnet is gone, or HEARTH_SUBNETS does not name the subnet any more.',
    caller: 'Correct VpcConfig, or tell the operator.',
    operator: 'Make the network again, or correct HEARTH_SUBNETS.',
  },
  InvalidZipFileException: {
    cause: 'The stored deployment package was damaged or removed on disk, or cannot be unpacked.',
    caller: 'Upload the code again (UpdateFunctionCode).',
    operator: 'Check the disk below HEARTH_DATA.',
  },
  KMSAccessDeniedException: {
    cause:
      'The file of the key cannot be read or is damaged, or what it should decrypt was damaged or made by another key.',
    caller: 'Tell the operator.',
    operator: 'Restore the file that the log names from a backup; it belongs to the host (mode 0600).',
  },
  KMSDisabledException: {
    cause: "A key of the function's environment variables or package is disabled.",
    caller:
      'Tell the operator, or give the function another key together with Environment, then its code (UpdateFunctionCode).',
    operator: 'hearth keys enable KEY',
  },
  KMSInvalidStateException: {
    cause: "A key of the function's environment variables or package is to be deleted.",
    caller:
      'Tell the operator, or give the function another key together with Environment, then its code (UpdateFunctionCode).',
    operator: 'hearth keys enable KEY takes the deletion back.',
  },
  KMSNotFoundException: {
    cause: "A key of the function's environment variables or package does not exist any more.",
    caller: 'Give the function another key together with Environment, then its code (UpdateFunctionCode).',
    operator: 'Restore HEARTH_DATA/keys from a backup; without the key what it encrypted is lost.',
  },
  PolicyLengthExceededException: {
    cause: 'A resource policy would be larger than 20 KB.',
    caller: 'Remove statements, or grant to fewer principals with a wider condition.',
    operator: NOTHING,
  },
  PreconditionFailedException: {
    cause: 'RevisionId is not the latest one: somebody else changed the resource.',
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
      'The function was called about 16 times in the same chain of events, which its recursion configuration does not allow.',
    caller: 'End the loop, or allow it for this function (PutFunctionRecursionConfig).',
    operator: NOTHING,
  },
  RequestEntityTooLargeException: {
    cause: 'The payload, the package or the whole request is larger than its limit.',
    caller: 'Send less: 6 MB to a synchronous invoke, 1 MB to an asynchronous one, 50 MB of zip.',
    operator: NOTHING,
  },
  ResourceConflictException: {
    cause:
      'The name is taken, the function is Pending or Failed, an update is in progress, a version would be provisioned both by itself and by an alias, or a code-signing configuration is still used.',
    caller: 'Wait with the waiters function-active-v2 and function-updated-v2; delete a Failed function.',
    operator: 'If a function stays Pending, see the log: its runtime image is being built.',
  },
  ResourceNotFoundException: {
    cause: 'There is no such function, version, alias, layer or code-signing configuration in this account and region.',
    caller: 'Check name, qualifier, region and account: functions of each are separate.',
    operator: NOTHING,
  },
  ResourceNotReadyException: {
    cause: 'The function is Inactive and is being restored.',
    caller: 'Retry shortly.',
    operator: NOTHING,
  },
  ServiceException: {
    cause:
      'The host cannot store what it was given: the queue of asynchronous events is full (HEARTH_QUEUE_MAX_BYTES), or the disk is full or broken. Or it has a defect; then the message tells nothing more.',
    caller: 'Retry with back-off; SDKs do so by themselves. Tell the operator the request id if it does not end.',
    operator:
      'The log has an entry with the remedy, and /_hearth/health names the check that fails. Without a remedy it is a defect: report the entry that has the same request id.',
  },
  SubnetIPAddressLimitReachedException: {
    cause: 'The network of a subnet or security group has no address left.',
    caller: 'Retry with back-off.',
    operator: 'Give the network a larger range, or take containers off it.',
  },
  TooManyRequestsException: {
    cause:
      'Concurrency is used up: `ReservedFunctionConcurrentInvocationLimitExceeded` for the reservation of the function (0 switches it off), `ConcurrentInvocationLimitExceeded` for what the account shares, or for more new environments than the scaling rate allows. Or requests come faster than ten per second for each unit of it: `ReservedFunctionInvocationRateLimitExceeded`, `FunctionInvocationRateLimitExceeded`. Or the host held so many request bodies that one found no room for 30 seconds, or the code of one execution environment calls faster than HEARTH_FUNCTION_API_RATE: `CallerRateLimitExceeded`.',
    caller: 'Retry with back-off; SDKs do so by themselves.',
    operator:
      'Raise HEARTH_ACCOUNT_CONCURRENCY or the reservation; for rates HEARTH_REQUEST_RATE_FACTOR, HEARTH_SCALING_RATE or HEARTH_FUNCTION_API_RATE.',
  },
  UnknownOperationException: {
    cause: 'No operation of the Lambda API has this method and path, or Hearth does not offer the operation.',
    caller: 'Check the endpoint; docs/compatibility.md lists the operations.',
    operator: NOTHING,
  },
  CodeStorageExceededException: {
    cause: "The account's packages would exceed its code storage.",
    caller: 'Delete functions, layers or versions that are not used.',
    operator: 'Raise HEARTH_CODE_STORAGE_MAX_BYTES, if the disk has room.',
  },
  UnrecognizedClientException: {
    cause: 'The access key was that of an execution environment, and the environment is gone.',
    caller: 'Do not keep credentials of a function beyond its environment. Use an access key of your own.',
    operator:
      'A key of the same form (ASIA, four characters, twelve digits) of your own: name it in HEARTH_ACCESS_KEYS.',
  },
  ValidationException: {
    cause: 'A member of the request breaks a constraint of the service model.',
    caller: 'The message lists every violation.',
    operator: NOTHING,
  },
}
