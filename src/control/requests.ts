/** What the API asks for, in the members of AWS's requests. Model constraints (lengths, patterns, enumerations) were checked before. */
import type { Architecture } from '../lambda/function.ts'

/** Where the code comes from. */
export interface CodeInput {
  readonly zipFile?: Uint8Array
  readonly s3Bucket?: string
  readonly s3Key?: string
  readonly s3ObjectVersion?: string
  readonly s3ObjectStorageMode?: string
  readonly imageUri?: string
  readonly sourceKmsKeyArn?: string
}

/** Settings that both CreateFunction and UpdateFunctionConfiguration take. */
export interface SettingsInput {
  readonly runtime?: string
  readonly role?: string
  readonly handler?: string
  readonly description?: string
  readonly timeout?: number
  readonly memorySize?: number
  readonly ephemeralStorage?: { readonly size: number }
  readonly environment?: { readonly variables?: Readonly<Record<string, string>> }
  readonly loggingConfig?: {
    readonly logFormat?: string
    readonly applicationLogLevel?: string
    readonly systemLogLevel?: string
    readonly logGroup?: string
  }
  readonly tracingConfig?: { readonly mode?: 'Active' | 'PassThrough' }
  readonly snapStart?: { readonly applyOn?: string }
  readonly layers?: readonly string[]
  readonly vpcConfig?: {
    readonly subnetIds?: readonly string[]
    readonly securityGroupIds?: readonly string[]
    readonly ipv6AllowedForDualStack?: boolean
  }
  readonly deadLetterConfig?: { readonly targetArn?: string }
  readonly kmsKeyArn?: string
  readonly fileSystemConfigs?: readonly {
    readonly arn: string
    readonly localMountPath: string
    readonly s3FilesConfig?: object
  }[]
  readonly imageConfig?: {
    readonly entryPoint?: readonly string[]
    readonly command?: readonly string[]
    readonly workingDirectory?: string
  }
  readonly capacityProviderConfig?: object
  readonly durableConfig?: object
  readonly runtimeConfig?: object
  readonly acceleratorConfig?: object
}

export interface CreateInput extends SettingsInput {
  readonly role: string
  readonly code: CodeInput
  readonly packageType?: string
  readonly architectures?: readonly Architecture[]
  readonly publish?: boolean
  readonly publishTo?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly codeSigningConfigArn?: string
  readonly tenancyConfig?: object
}

export interface UpdateCodeInput extends CodeInput {
  readonly architectures?: readonly Architecture[]
  readonly publish?: boolean
  readonly publishTo?: string
  readonly dryRun?: boolean
  readonly revisionId?: string
}

export interface UpdateConfigurationInput extends SettingsInput {
  readonly revisionId?: string
}
