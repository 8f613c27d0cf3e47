/** Rules of PackageType Image: what it takes instead of Runtime and Handler, and ImageConfig. */
import type { FunctionConfiguration, ImageConfig } from '../../lambda/function.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { refused } from '../../lambda/refusals.ts'
import type { FunctionCode } from '../requests.ts'
import type { CreationInput, SettingsInput } from './function-input.ts'

/** @throws LambdaException InvalidParameterValueException */
export function checkPackageType(input: CreationInput): 'Zip' | 'Image' {
  const { imageUri } = input.code
  if (input.packageType !== 'Image') {
    if (imageUri) throw refused("Please don't provide ImageUri when creating a function with packageType Zip.")
    refuseSettingsOf('Zip', input)
    return 'Zip'
  }
  refuseZip(input.code)
  if (!imageUri) throw refused('Please provide ImageUri when creating a function with packageType Image.')
  refuseSettingsOf('Image', input)
  return 'Image'
}

/** What a request with an ImageUri must not have besides. @throws LambdaException InvalidParameterValueException */
export function refuseZip(code: FunctionCode): void {
  const { zipFile, s3Bucket, s3Key, s3ObjectVersion, s3ObjectStorageMode, sourceKmsKeyArn } = code
  const given = [zipFile, s3Bucket, s3Key, s3ObjectVersion, s3ObjectStorageMode, sourceKmsKeyArn]
  // Empty ones say "none".
  if (!given.some(Boolean)) return
  throw refused('Please do not provide other FunctionCode parameters when providing an ImageUri.')
}

/** @throws LambdaException InvalidParameterValueException */
export function checkCodeUpdate(packageType: FunctionConfiguration['packageType'], code: FunctionCode): void {
  if (packageType === 'Image') {
    if (!code.imageUri) throw refused('Please provide ImageUri when updating a function with packageType Image.')
    refuseZip(code)
  } else if (code.imageUri) {
    throw refused("Please don't provide ImageUri when updating a function with packageType Zip.")
  }
}

/** Settings that the other package type has. @throws LambdaException InvalidParameterValueException */
export function refuseSettingsOf(type: FunctionConfiguration['packageType'], input: SettingsInput): void {
  if (type === 'Image') {
    if (input.runtime || input.handler || (input.layers?.length ?? 0) > 0) {
      throw refused("Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE.")
    }
  } else if (imageConfigOf(input, undefined) !== undefined) {
    throw refused("Please don't provide ImageConfig when the intended function PackageType is Zip.")
  }
}

/**
 * ImageConfig replaces the former one as a whole; empty members are none, and an empty one clears all overrides.
 * @throws LambdaException InvalidParameterValueException
 */
export function imageConfigOf(input: SettingsInput, current: ImageConfig | undefined): ImageConfig | undefined {
  if (input.imageConfig === undefined) return current
  const { entryPoint = [], command = [], workingDirectory = '' } = input.imageConfig
  const texts = [...entryPoint, ...command, workingDirectory]
  if (texts.some((text) => text.includes('\0'))) throw refused('ImageConfig must not contain NUL characters.')
  if (Buffer.byteLength(texts.join('\0')) > LIMITS.imageConfigBytes) {
    throw refused(`ImageConfig must be smaller than ${LIMITS.imageConfigBytes} bytes.`)
  }
  const config: ImageConfig = {
    ...(entryPoint.length > 0 ? { entryPoint } : {}),
    ...(command.length > 0 ? { command } : {}),
    ...(workingDirectory === '' ? {} : { workingDirectory }),
  }
  return Object.keys(config).length === 0 ? undefined : config
}
