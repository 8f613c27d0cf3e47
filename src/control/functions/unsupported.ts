/**
 * Settings of the API that Hearth cannot honour: refused by name, because a setting that is stored and ignored misleads. docs/compatibility.md
 * lists them.
 */
import type { LambdaException } from '../../lambda/errors.ts'
import { refused } from '../../lambda/refusals.ts'
import type { FunctionCode, PublishVersionRequest, UpdateFunctionCodeRequest } from '../requests.ts'
import type { CreationInput, SettingsInput } from './function-input.ts'

interface Refusal<Input> {
  readonly setting: string
  readonly asked: (input: Input) => boolean
  /** Why it is not planned, and what to do instead; absent: not built yet. */
  readonly because?: string
}

/** Empty values stay allowed: tools send them to say "none". */
const SETTINGS: readonly Refusal<SettingsInput>[] = [
  {
    setting: 'VpcConfig Ipv6AllowedForDualStack',
    asked: (i) => i.vpcConfig?.ipv6AllowedForDualStack === true,
    because: 'its networks have IPv4 only. Set it to false.',
  },
  {
    setting: 'FileSystemConfigs with an S3 Files access point',
    asked: (i) =>
      i.fileSystemConfigs?.some((one) => one.s3FilesConfig !== undefined || one.arn.includes(':s3files:')) ?? false,
    because: 'it mounts folders, volumes and NFS exports. Use an EFS access point.',
  },
  {
    setting: 'AcceleratorConfig',
    asked: (i) => i.acceleratorConfig !== undefined,
    because: 'functions run on CPUs only. Leave it out.',
  },
  { setting: 'SnapStart ApplyOn PublishedVersions', asked: (i) => i.snapStart?.applyOn === 'PublishedVersions' },
  { setting: 'CapacityProviderConfig', asked: (i) => i.capacityProviderConfig !== undefined },
  { setting: 'DurableConfig', asked: (i) => i.durableConfig !== undefined },
  { setting: 'Runtime custom', asked: (i) => i.runtime === 'custom' },
  { setting: 'RuntimeConfig', asked: (i) => i.runtimeConfig !== undefined },
]

const PUBLISH_TO: Refusal<Pick<PublishVersionRequest, 'publishTo'>> = {
  setting: 'PublishTo',
  asked: (i) => i.publishTo !== undefined,
}

const CREATION: readonly Refusal<CreationInput>[] = [
  { setting: 'TenancyConfig', asked: (i) => i.tenancyConfig !== undefined },
]

const CODE: readonly Refusal<FunctionCode>[] = [
  {
    setting: 'S3ObjectStorageMode REFERENCE',
    asked: (i) => i.s3ObjectStorageMode === 'REFERENCE',
    because: 'it keeps a copy of every package. Use COPY.',
  },
]

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedSettings(input: SettingsInput): void {
  refuse(SETTINGS, input)
}

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedCreation(input: CreationInput): void {
  refuse([PUBLISH_TO, ...CREATION, ...SETTINGS], input)
  refuse(CODE, input.code)
}

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedCode(input: UpdateFunctionCodeRequest): void {
  refuse([PUBLISH_TO, ...CODE], input)
}

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedPublishing(input: PublishVersionRequest): void {
  refuse([PUBLISH_TO], input)
}

function refuse<Input>(refusals: readonly Refusal<Input>[], input: Input): void {
  for (const refusal of refusals) if (refusal.asked(input)) throw unsupported(refusal)
}

function unsupported({ setting, because }: { readonly setting: string; readonly because?: string }): LambdaException {
  return refused(`${setting} is not supported by Hearth${because === undefined ? ' yet.' : `: ${because}`}`)
}

/** Each setting that is refused, with the reason of those that are not planned. */
export const REFUSED_SETTINGS: readonly { readonly setting: string; readonly because?: string }[] = [
  ...CODE,
  ...SETTINGS,
  PUBLISH_TO,
  ...CREATION,
].map(({ setting, because }) => ({ setting, because }))
