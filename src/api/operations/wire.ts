/** Domain values as the members of AWS's answers: exact names, and members without a value are absent, never null. */
import { runtimeVersionArnOf } from '../../control/runtime-management.ts'
import { functionArn } from '../../lambda/arn.ts'
import type { EventInvokeConfig } from '../../lambda/events/event-invoke.ts'
import type { Alias, DecryptionError, FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import type { Signing } from '../../lambda/package/signature.ts'
import type { RuntimeImages } from '../../ports/runtime-images.ts'

/** `2022-09-09T17:13:34.000+0000` */
export function stringDate(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('Z', '+0000')
}

/** FunctionConfiguration. `arn` carries the qualifier that the caller used. */
export function functionConfiguration(version: FunctionVersion, arn: string, images: RuntimeImages) {
  const { runtime } = version
  return {
    ...listedConfiguration(version, arn),
    State: version.state,
    StateReason: version.stateReason,
    StateReasonCode: version.stateReasonCode,
    LastUpdateStatus: version.lastUpdateStatus,
    LastUpdateStatusReason: version.lastUpdateStatusReason,
    LastUpdateStatusReasonCode: version.lastUpdateStatusReasonCode,
    RuntimeVersionConfig:
      runtime === undefined
        ? undefined
        : {
            RuntimeVersionArn: runtimeVersionArnOf(
              version.region,
              version.runtimePin ?? images.versionHash(runtime, version.architecture),
            ),
          },
  }
}

/** FunctionConfiguration as lists show it: without states and runtime version. */
export function listedConfiguration(version: FunctionVersion, arn: string) {
  const { imageConfig, layers, logging } = version
  return {
    FunctionName: version.name,
    FunctionArn: arn,
    Runtime: version.runtime,
    Role: version.role,
    Handler: version.handler,
    CodeSize: version.codeSize,
    Description: version.description,
    Timeout: version.timeout,
    MemorySize: version.memorySize,
    LastModified: stringDate(version.lastModified),
    CodeSha256: version.codeSha256,
    Version: version.version,
    Layers: layers?.map(({ arn, codeSize, signing }) => ({ Arn: arn, CodeSize: codeSize, ...signer(signing) })),
    ...signer(version.signing),
    Environment: environmentResponse(version),
    KMSKeyArn: version.kmsKeyArn,
    VpcConfig: version.vpc && {
      SubnetIds: version.vpc.subnetIds,
      SecurityGroupIds: version.vpc.securityGroupIds,
      VpcId: version.vpc.vpcId,
      Ipv6AllowedForDualStack: false,
    },
    FileSystemConfigs: version.fileSystems?.map(({ arn, localMountPath }) => ({
      Arn: arn,
      LocalMountPath: localMountPath,
    })),
    DeadLetterConfig: version.deadLetterTarget === undefined ? undefined : { TargetArn: version.deadLetterTarget },
    TracingConfig: { Mode: version.tracingMode },
    RevisionId: version.revisionId,
    PackageType: version.packageType,
    Architectures: [version.architecture],
    ImageConfigResponse: imageConfig && {
      ImageConfig: {
        EntryPoint: imageConfig.entryPoint,
        Command: imageConfig.command,
        WorkingDirectory: imageConfig.workingDirectory,
      },
    },
    EphemeralStorage: { Size: version.ephemeralStorage },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: {
      LogFormat: logging.logFormat,
      ApplicationLogLevel: logging.applicationLogLevel,
      SystemLogLevel: logging.systemLogLevel,
      LogGroup: logging.logGroup,
    },
  }
}

/** Of a function, of its layers and of a layer's content. */
export function signer(signing: Signing | undefined) {
  return { SigningProfileVersionArn: signing?.profileVersionArn, SigningJobArn: signing?.jobArn }
}

/** Variables, or why they cannot be shown. */
function environmentResponse({ environment, environmentError }: FunctionVersion) {
  if (environmentError !== undefined) return { Error: decryptionError(environmentError) }
  return environment === undefined ? undefined : { Variables: environment }
}

/** EnvironmentError, FunctionCodeLocationError. */
export function decryptionError({ errorCode, message }: DecryptionError) {
  return { ErrorCode: errorCode, Message: message }
}

/** FunctionEventInvokeConfig: LastModified in seconds, and DestinationConfig with both keys whether set or not. */
export function eventInvokeConfiguration(key: FunctionKey, qualifier: string, config: EventInvokeConfig) {
  const destination = (arn: string | undefined) => (arn === undefined ? {} : { Destination: arn })
  return {
    LastModified: config.lastModified / 1000,
    FunctionArn: functionArn(key, qualifier),
    MaximumRetryAttempts: config.maximumRetryAttempts,
    MaximumEventAgeInSeconds: config.maximumEventAge,
    DestinationConfig: { OnSuccess: destination(config.onSuccess), OnFailure: destination(config.onFailure) },
  }
}

export function aliasConfiguration(key: FunctionKey, alias: Alias) {
  return {
    AliasArn: functionArn(key, alias.name),
    Name: alias.name,
    FunctionVersion: alias.functionVersion,
    Description: alias.description,
    RoutingConfig: alias.routing && { AdditionalVersionWeights: { [alias.routing.version]: alias.routing.weight } },
    RevisionId: alias.revisionId,
  }
}
