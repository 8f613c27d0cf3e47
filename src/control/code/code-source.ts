/** Where a request's code comes from: a zip in the request or in S3, or an image. Checked and kept, it is part of a configuration. */
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionConfiguration, FunctionKey } from '../../lambda/function.ts'
import { KeyProblem, type Keys, packageKeyRefusal, sealingContext } from '../../lambda/keys.ts'
import { LIMITS } from '../../lambda/limits.ts'
import type { PackageSeal } from '../../lambda/package/package.ts'
import { refused } from '../../lambda/refusals.ts'
import type { FunctionImages } from '../../ports/function-images.ts'
import type { S3Objects } from '../../ports/s3-objects.ts'
import { checkKey } from '../functions/key-check.ts'
import type { FunctionCode } from '../requests.ts'
import type { CodeStore, StoredPackage } from './code-store.ts'

/** The members of a configuration that code decides. */
export type CodeConfiguration = Pick<
  FunctionConfiguration,
  'packageType' | 'image' | 'codeSha256' | 'codeSize' | 'unzippedBytes' | 'sourceKmsKeyArn' | 'sealedPackage'
>

export interface CodeSources {
  readonly code: CodeStore
  readonly objects: S3Objects
  readonly functionImages: FunctionImages
  readonly keys: Keys
}

export class CodeSource {
  readonly #code: CodeStore
  readonly #objects: S3Objects
  readonly #images: FunctionImages
  readonly #keys: Keys

  constructor({ code, objects, functionImages, keys }: CodeSources) {
    this.#code = code
    this.#objects = objects
    this.#images = functionImages
    this.#keys = keys
  }

  /**
   * The zip, checked and kept: under the key of the request, else under the function's, else as it came.
   * @param kmsKeyArn of the function
   * @throws LambdaException InvalidParameterValueException, RequestEntityTooLargeException
   */
  async zip(input: FunctionCode, key: FunctionKey, kmsKeyArn: string | undefined): Promise<CodeConfiguration> {
    const sourceKmsKeyArn = input.sourceKmsKeyArn || undefined
    const keyArn = sourceKmsKeyArn ?? (kmsKeyArn || undefined)
    try {
      // Before the code is fetched.
      if (keyArn !== undefined) checkKey(this.#keys, key, keyArn)
      const seal = keyArn === undefined ? undefined : { keyArn, context: sealingContext(key) }
      const { sha256Base64, size, unzippedBytes, sealed } = await this.package(input, key.region, seal)
      return {
        packageType: 'Zip',
        codeSha256: sha256Base64,
        codeSize: size,
        unzippedBytes,
        sourceKmsKeyArn,
        sealedPackage: sealed,
      }
    } catch (error) {
      throw error instanceof KeyProblem ? packageKeyRefusal(error) : error
    }
  }

  /**
   * @param region of the function or layer
   * @throws LambdaException as `zip`; KeyProblem when the key of the seal cannot be used
   */
  async package(input: FunctionCode, region: string, seal?: PackageSeal): Promise<StoredPackage> {
    return this.#withZip(input, region, (zip) => this.#code.put(zip, seal))
  }

  /** The image as it is now, whatever its tag points to later. @throws LambdaException InvalidParameterValueException */
  async image(uri: string): Promise<CodeConfiguration> {
    const { image, digestHex } = await this.#images.resolve(uri)
    return { packageType: 'Image', image, codeSha256: digestHex, codeSize: 0 }
  }

  async #withZip<T>(input: FunctionCode, region: string, use: (zip: Uint8Array) => Promise<T>): Promise<T> {
    const { zipFile, s3Bucket, s3Key, s3ObjectVersion } = input
    const fromS3 = s3Bucket !== undefined || s3Key !== undefined || s3ObjectVersion !== undefined
    if (zipFile !== undefined && fromS3) {
      throw refused('Please do not provide other FunctionCode parameters when providing a ZipFile.')
    }
    if (fromS3) return this.#withObject(input, region, (zip) => use(notEmpty(zip)))
    if (zipFile === undefined) throw refused('Please provide a source for function code.')
    notEmpty(zipFile)
    // Only what comes with the request: an object may be as large as what it unpacks to.
    if (zipFile.length > LIMITS.zipBytes) {
      throw new LambdaException(
        'RequestEntityTooLargeException',
        `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`,
      )
    }
    return use(zipFile)
  }

  #withObject<T>(
    { s3Bucket, s3Key, s3ObjectVersion }: FunctionCode,
    region: string,
    use: (zip: Uint8Array) => Promise<T>,
  ): Promise<T> {
    if (s3Bucket === undefined || s3Key === undefined) throw refused('Please provide both S3Bucket and S3Key.')
    const version = s3ObjectVersion === undefined ? {} : { version: s3ObjectVersion }
    return this.#objects.get({ bucket: s3Bucket, key: s3Key, ...version }, region, use)
  }
}

function notEmpty(zip: Uint8Array): Uint8Array {
  if (zip.length === 0) throw refused('Uploaded file must be a non-empty zip')
  return zip
}
