/** Settings of the API that Hearth cannot honour yet: refused by name, because a setting that is stored and ignored misleads. */
import type { LambdaException } from '../lambda/errors.ts'
import { refused } from '../lambda/refusals.ts'
import type { CodeInput, CreateInput, SettingsInput } from './requests.ts'

type Refusals<Input> = readonly (readonly [setting: string, asked: (input: Input) => boolean])[]

/** Empty values stay allowed: tools send them to say "none". */
const SETTINGS: Refusals<SettingsInput> = [
  ['VpcConfig Ipv6AllowedForDualStack', (i) => i.vpcConfig?.ipv6AllowedForDualStack === true],
  [
    'FileSystemConfigs with an S3 Files access point',
    (i) =>
      i.fileSystemConfigs?.some((one) => one.s3FilesConfig !== undefined || one.arn.includes(':s3files:')) ?? false,
  ],
  ['SnapStart ApplyOn PublishedVersions', (i) => i.snapStart?.applyOn === 'PublishedVersions'],
  ['CapacityProviderConfig', (i) => i.capacityProviderConfig !== undefined],
  ['DurableConfig', (i) => i.durableConfig !== undefined],
]

const CREATION: Refusals<CreateInput> = [
  ['PublishTo', (i) => i.publishTo !== undefined],
  ['TenancyConfig', (i) => i.tenancyConfig !== undefined],
]

const CODE: Refusals<CodeInput> = [['S3ObjectStorageMode REFERENCE', (i) => i.s3ObjectStorageMode === 'REFERENCE']]

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedSettings(input: SettingsInput): void {
  refuse(SETTINGS, input)
}

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedCreation(input: CreateInput): void {
  refuse(CREATION, input)
  refuse(SETTINGS, input)
  refuse(CODE, input.code)
}

/** @throws LambdaException InvalidParameterValueException that names the setting. */
export function refuseUnsupportedCode(input: CodeInput & { readonly publishTo?: string }): void {
  if (input.publishTo !== undefined) throw unsupported('PublishTo')
  refuse(CODE, input)
}

export function unsupported(setting: string): LambdaException {
  return refused(`${setting} is not supported by Hearth yet.`)
}

function refuse<Input>(refusals: Refusals<Input>, input: Input): void {
  for (const [setting, asked] of refusals) if (asked(input)) throw unsupported(setting)
}
