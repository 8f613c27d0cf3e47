/** Where deployment packages are kept; `code/` implements it and `host/` hands it over. */
import type { PackageReference, PackageSeal } from '../../lambda/package/package.ts'
import type { SealedPackage } from '../../lambda/package/sealed.ts'
import type { SignatureReading } from '../../lambda/package/signature.ts'

export interface StoredPackage {
  /** Base64 SHA-256 of the zip, as CodeSha256 shows it; the identity of a package that is not sealed. */
  readonly sha256Base64: string
  /** Bytes of the zip. */
  readonly size: number
  readonly unzippedBytes: number
  /** When a seal was given. */
  readonly sealed?: SealedPackage
}

export interface CodeStore {
  /**
   * Validates the zip and keeps it. The same zip twice is one package; with a seal each is one of its own, encrypted.
   * @throws LambdaException InvalidParameterValueException: not a zip, unsafe paths, more than LIMITS.unzippedBytes.
   * @throws KeyProblem when the key of the seal cannot be used
   */
  put(zip: Uint8Array, seal?: PackageSeal): Promise<StoredPackage>
  /**
   * Merges layers, given by their CodeSha256 in order, so that no cold start has to; keeps their packages until the function is written.
   * @throws LambdaException InvalidParameterValueException: together they have too many files.
   */
  prepareLayers(sha256Base64s: readonly string[]): Promise<void>
  /** The zip as it was uploaded; `undefined`: there is none. @throws LambdaException KMS…Exception */
  get(reference: PackageReference): Promise<Uint8Array | undefined>
  /** What the signatures of a kept package cover, and which signing profiles of the operator trust their signers. */
  signatures(reference: PackageReference): Promise<SignatureReading>
}
