/** Where a request's code comes from: a zip in the request or in S3, or an image. Checked and kept, it is part of a configuration. */
import { LambdaException } from '../lambda/errors.ts'
import type { FunctionConfiguration } from '../lambda/function.ts'
import type { FunctionImages } from '../lambda/function-images.ts'
import { LIMITS } from '../lambda/limits.ts'
import type { S3Objects } from '../lambda/s3-object.ts'
import type { CodeStore, StoredPackage } from './code-store.ts'
import { refused } from './refusals.ts'
import type { CodeInput } from './requests.ts'

/** The members of a configuration that code decides. */
export type CodeConfiguration = Pick<
  FunctionConfiguration,
  'packageType' | 'image' | 'codeSha256' | 'codeSize' | 'unzippedBytes'
>

export interface CodeSources {
  readonly code: CodeStore
  readonly objects: S3Objects
  readonly functionImages: FunctionImages
}

export class CodeSource {
  readonly #code: CodeStore
  readonly #objects: S3Objects
  readonly #images: FunctionImages

  constructor({ code, objects, functionImages }: CodeSources) {
    this.#code = code
    this.#objects = objects
    this.#images = functionImages
  }

  /**
   * @param region of the function
   * @throws LambdaException InvalidParameterValueException, RequestEntityTooLargeException
   */
  async zip(input: CodeInput, region: string): Promise<CodeConfiguration> {
    const { sha256Base64, size, unzippedBytes } = await this.package(input, region)
    return { packageType: 'Zip', codeSha256: sha256Base64, codeSize: size, unzippedBytes }
  }

  /** The zip, checked and kept. @throws LambdaException as `zip` */
  async package(input: CodeInput, region: string): Promise<StoredPackage> {
    return this.#code.put(await this.#zip(input, region))
  }

  /** The image as it is now, whatever its tag points to later. @throws LambdaException InvalidParameterValueException */
  async image(uri: string): Promise<CodeConfiguration> {
    const { image, digestHex } = await this.#images.resolve(uri)
    return { packageType: 'Image', image, codeSha256: digestHex, codeSize: 0 }
  }

  async #zip(input: CodeInput, region: string): Promise<Uint8Array> {
    const { zipFile, s3Bucket, s3Key, s3ObjectVersion } = input
    const fromS3 = s3Bucket !== undefined || s3Key !== undefined || s3ObjectVersion !== undefined
    if (zipFile !== undefined && fromS3) {
      throw refused('Please do not provide other FunctionCode parameters when providing a ZipFile.')
    }
    const zip = fromS3 ? await this.#object(input, region) : zipFile
    if (zip === undefined) throw refused('Please provide a source for function code.')
    if (zip.length === 0) throw refused('Uploaded file must be a non-empty zip')
    // Only what comes with the request: an object may be as large as what it unpacks to.
    if (!fromS3 && zip.length > LIMITS.zipBytes) {
      throw new LambdaException(
        'RequestEntityTooLargeException',
        `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`,
      )
    }
    return zip
  }

  #object({ s3Bucket, s3Key, s3ObjectVersion }: CodeInput, region: string): Promise<Uint8Array> {
    if (s3Bucket === undefined || s3Key === undefined) throw refused('Please provide both S3Bucket and S3Key.')
    const version = s3ObjectVersion === undefined ? {} : { version: s3ObjectVersion }
    return this.#objects.get({ bucket: s3Bucket, key: s3Key, ...version }, region)
  }
}
