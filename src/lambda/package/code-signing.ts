/** Code-signing configurations, their names and the refusals about them. */
import { partitionOf, type RequestScope } from '../arn.ts'
import { LambdaException } from '../errors.ts'
import { refused } from '../refusals.ts'

export type UntrustedArtifactPolicy = 'Warn' | 'Enforce'

export interface CodeSigningKey extends RequestScope {
  /** `csc-` and 17 hex digits. */
  readonly id: string
}

export interface CodeSigningConfig extends CodeSigningKey {
  readonly description: string
  /** ARNs of signing profile versions: AllowedPublishers. */
  readonly publishers: readonly string[]
  readonly policy: UntrustedArtifactPolicy
  /** Unix milliseconds. */
  readonly lastModified: number
  /** Changes with every change of it. */
  readonly revision: string
}

export function codeSigningConfigArn({ account, region, id }: CodeSigningKey): string {
  return `arn:${partitionOf(region)}:lambda:${region}:${account}:code-signing-config:${id}`
}

/** @param arn the model's pattern was checked before */
export function codeSigningKeyOf(arn: string): CodeSigningKey {
  const [, , , region = '', account = '', , id = ''] = arn.split(':')
  return { account, region, id }
}

/** Recorded, without Type. */
export function configMissing(arn: string): LambdaException {
  return new LambdaException(
    'ResourceNotFoundException',
    `The Lambda code signing configuration ${arn} can not be found.`,
    {
      untyped: true,
    },
  )
}

/** Recorded: what a function is to be given does not exist. */
export function configNotFound(arn: string): LambdaException {
  return new LambdaException(
    'CodeSigningConfigNotFoundException',
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
  )
}

/** (unverified) @throws LambdaException InvalidParameterValueException */
export function refuseImage(packageType: 'Zip' | 'Image'): void {
  if (packageType === 'Zip') return
  throw refused('Code signing is not supported for functions defined as container images.')
}
