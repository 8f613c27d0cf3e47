/** A Function and its Versions as the host keeps them. Wire names and presence rules are the business of `api/`. */
import type { SealedPackage, SealedText } from './package/sealed.ts'
import type { Signing } from './package/signature.ts'

export type Architecture = 'x86_64' | 'arm64'

/** Everything is keyed by account and region first. */
export interface FunctionKey {
  readonly account: string
  readonly region: string
  readonly name: string
}

/** One text for a function of an account and region. */
export function functionId(key: FunctionKey): string {
  return `${key.account}/${key.region}/${key.name}`
}

/** What happens to a chain of requests that comes back to the same function again and again. */
export type RecursiveLoop = 'Allow' | 'Terminate'

export type State = 'Pending' | 'Active' | 'Inactive' | 'Failed'
export type LastUpdateStatus = 'Successful' | 'InProgress' | 'Failed'

export type ApplicationLogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
export type SystemLogLevel = 'DEBUG' | 'INFO' | 'WARN'

export interface LoggingConfig {
  readonly logFormat: 'Text' | 'JSON'
  /** Only with JSON: the least level that is kept of what the function logs. */
  readonly applicationLogLevel?: ApplicationLogLevel
  /** Only with JSON: the same for the platform's records. */
  readonly systemLogLevel?: SystemLogLevel
  readonly logGroup: string
}

/** A layer version as a function uses it: enough to run when the layer version itself was deleted. */
export interface LayerReference {
  readonly arn: string
  /** Base64 SHA-256 of the layer's zip: the identity of its package. */
  readonly codeSha256: string
  /** Bytes of the zip. */
  readonly codeSize: number
  readonly unzippedBytes: number
  /** Who signed it, as found when it was published. */
  readonly signing?: Signing
}

/** Networks that a function's environments join; after detaching the lists and `vpcId` are empty. */
export interface VpcConfig {
  readonly subnetIds: readonly string[]
  readonly securityGroupIds: readonly string[]
  readonly vpcId: string
}

export interface FileSystemConfig {
  /** ARN of the access point. */
  readonly arn: string
  /** Below /mnt. */
  readonly localMountPath: string
}

/** Why something encrypted cannot be shown. */
export interface DecryptionError {
  /** Name of the exception that an invocation would end in. */
  readonly errorCode: string
  readonly message: string
}

/** What decides how an invocation behaves: changing any of it needs new execution environments. */
export interface FunctionConfiguration {
  /** Absent for PackageType Image. */
  readonly runtime?: string
  readonly handler?: string
  readonly role: string
  readonly description: string
  /** Seconds, 1–900. */
  readonly timeout: number
  /** MB, 128–10240. */
  readonly memorySize: number
  /** MB of /tmp, 512–10240. */
  readonly ephemeralStorage: number
  readonly architecture: Architecture
  readonly packageType: 'Zip' | 'Image'
  /** PackageType Image: the image, pinned when the function was created or its code updated. */
  readonly image?: PinnedImage
  /** PackageType Image: what the function overrides of it; absent without overrides. */
  readonly imageConfig?: ImageConfig
  /** Absent when the request never contained Environment, and where it is stored encrypted. */
  readonly environment?: Readonly<Record<string, string>>
  /** Key of the keyring for the environment variables, and for packages that are uploaded without one of their own. */
  readonly kmsKeyArn?: string
  /** JSON of the environment variables under `kmsKeyArn`. */
  readonly sealedEnvironment?: SealedText
  /** Absent when the request never contained VpcConfig. */
  readonly vpc?: VpcConfig
  /** Absent when there are none. */
  readonly fileSystems?: readonly FileSystemConfig[]
  readonly tracingMode: 'PassThrough' | 'Active'
  /** DeadLetterConfig.TargetArn; absent: none. */
  readonly deadLetterTarget?: string
  readonly logging: LoggingConfig
  /** Base64 SHA-256 of the zip, or the image's digest in hex, as AWS shows it. */
  readonly codeSha256: string
  /** Bytes of the zip; 0 for images. */
  readonly codeSize: number
  /** Code.SourceKMSKeyArn: the key that the package was uploaded with. */
  readonly sourceKmsKeyArn?: string
  /** Where the package lies encrypted; absent where it lies as it came. */
  readonly sealedPackage?: SealedPackage
  /** Bytes of the package's files; absent for functions of the first release. */
  readonly unzippedBytes?: number
  /** Merged into /opt, later ones over earlier ones; absent: none. */
  readonly layers?: readonly LayerReference[]
  /** Who signed the package, if it was verified when it was deployed and is trusted. */
  readonly signing?: Signing
}

/** A container image that stays the same whatever its tag points to later. */
export interface PinnedImage {
  /** As the request named it. */
  readonly uri: string
  /** `repository@sha256:…` */
  readonly resolvedUri: string
  /** What the engine runs: `sha256:…` of an image that was made on this machine, otherwise `resolvedUri`. */
  readonly reference: string
}

/** Overrides of an image's ENTRYPOINT, CMD and WORKDIR; each absent where the image's own stays. */
export interface ImageConfig {
  readonly entryPoint?: readonly string[]
  readonly command?: readonly string[]
  readonly workingDirectory?: string
}

export interface FunctionVersion extends FunctionKey, FunctionConfiguration {
  /** `$LATEST` or a number as text. */
  readonly version: string
  /** Changes with every mutation and every state transition. */
  readonly revisionId: string
  /**
   * Identity of code and configuration together: environments started for one are never used for another. Unlike `revisionId` it
   * stays the same over state transitions, tags and publishing.
   */
  readonly deploymentId: string
  readonly state: State
  readonly stateReason?: string
  readonly stateReasonCode?: string
  readonly lastUpdateStatus?: LastUpdateStatus
  readonly lastUpdateStatusReason?: string
  readonly lastUpdateStatusReasonCode?: string
  /** Unix milliseconds. */
  readonly lastModified: number
  /** Only where a version is shown: why its encrypted variables are not. */
  readonly environmentError?: DecryptionError
  /** Digest of the image that the runtime was when the function was last made ready, 64 hex digits. */
  readonly runtimeVersion?: string
  /** Absent: Auto. */
  readonly updateRuntimeOn?: 'FunctionUpdate' | 'Manual'
  /** Digest of the image that the runtime stays with; absent with Auto. */
  readonly runtimePin?: string
}

export interface Alias {
  readonly name: string
  readonly functionVersion: string
  readonly description: string
  readonly revisionId: string
  /** At most one additional version with its weight 0–1. */
  readonly routing?: { readonly version: string; readonly weight: number }
}
