/** Why the platform could not run an invocation -> the exception that the caller sees; the operator reads the log with the remedy. */
import { NoCapacity } from '../execution/pool/pool.ts'
import { LambdaException } from '../lambda/errors.ts'
import { SandboxError, type SandboxErrorKind } from '../sandbox/driver.ts'

export interface PlatformFailure {
  readonly exception: LambdaException
  /** What the operator can do. */
  readonly remedy: string
}

const MESSAGES: Readonly<Record<Exclude<SandboxErrorKind, 'unexpected'>, (error: SandboxError) => LambdaException>> = {
  'access-denied': (cause) =>
    new LambdaException(
      'EC2AccessDeniedException',
      'Lambda does not have permission to set up the execution environment of the Lambda function.',
      { cause },
    ),
  throttled: (cause) =>
    new LambdaException(
      'EC2ThrottledException',
      'Lambda was throttled while using the Lambda Execution Role to set up for the Lambda function.',
      { cause },
    ),
  'image-missing': (cause) =>
    new LambdaException('InvalidRuntimeException', 'The runtime or runtime version specified is not supported.', {
      cause,
    }),
  'code-missing': (cause) =>
    new LambdaException('InvalidZipFileException', 'Lambda could not unzip the deployment package.', { cause }),
  'subnet-missing': (cause) =>
    new LambdaException(
      'InvalidSubnetIDException',
      'The subnet ID provided in the Lambda function VPC configuration is not valid.',
      { cause },
    ),
  'security-group-missing': (cause) =>
    new LambdaException(
      'InvalidSecurityGroupIDException',
      'The security group ID provided in the Lambda function VPC configuration is not valid.',
      { cause },
    ),
  'addresses-exhausted': (cause) =>
    new LambdaException(
      'SubnetIPAddressLimitReachedException',
      "Lambda couldn't set up VPC access for the Lambda function because one or more configured subnets has no available IP addresses.",
      { cause },
    ),
  'attachments-exhausted': (cause) =>
    new LambdaException(
      'ENILimitReachedException',
      "Lambda couldn't create an elastic network interface in the VPC, specified as part of Lambda function configuration, because the limit for network interfaces has been reached.",
      { cause },
    ),
  // The four texts of file systems: developer guide, "Troubleshoot execution issues in Lambda".
  'mount-failed': (cause) =>
    new LambdaException(
      'EFSMountFailureException',
      `The function could not mount the EFS file system with access point ${cause.subject}`,
      { cause },
    ),
  'mount-unreachable': (cause) =>
    new LambdaException(
      'EFSMountConnectivityException',
      `The function couldn't connect to the Amazon EFS file system with access point ${cause.subject}. Check your network configuration and try again.`,
      { cause },
    ),
  'mount-timeout': (cause) =>
    new LambdaException(
      'EFSMountTimeoutException',
      `The function could not mount the EFS file system with access point ${cause.subject} due to mount time out.`,
      { cause },
    ),
  'mount-io': (cause) =>
    new LambdaException(
      'EFSIOException',
      'This function instance was stopped because Lambda detected an IO process that was taking too long.',
      { cause },
    ),
}

/** Everything that is not a LambdaException already: sandbox errors, lack of room, and defects of the host. */
export function platformFailure(error: unknown): PlatformFailure {
  if (error instanceof SandboxError) {
    const exception =
      error.kind === 'unexpected'
        ? new LambdaException(
            'EC2UnexpectedException',
            'Lambda received an unexpected client exception while setting up for the Lambda function.',
            { members: { EC2ErrorCode: error.code }, cause: error },
          )
        : MESSAGES[error.kind](error)
    return { exception, remedy: error.remedy }
  }
  if (error instanceof NoCapacity) {
    return {
      exception: new LambdaException(
        'EC2ThrottledException',
        'Lambda was throttled while using the Lambda Execution Role to set up for the Lambda function.',
        { cause: error },
      ),
      remedy:
        'Raise HEARTH_MAX_ENVIRONMENTS if the machine has memory to spare, or lower the concurrency of its functions.',
    }
  }
  return {
    exception: new LambdaException('ServiceException', 'An error occurred and the request cannot be processed.', {
      cause: error,
    }),
    remedy: 'This is a defect of the host: please report it with this log entry.',
  }
}
