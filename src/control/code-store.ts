/** Where deployment packages are kept; `code/` implements it and `main.ts` hands it over. */

export interface StoredPackage {
  /** Base64 SHA-256 of the zip, as CodeSha256 shows it; the package's identity. */
  readonly sha256Base64: string
  /** Bytes of the zip. */
  readonly size: number
  readonly unzippedBytes: number
}

export interface CodeStore {
  /**
   * Validates the zip, unpacks it and keeps it. The same zip twice is one package.
   * @throws LambdaException InvalidParameterValueException: not a zip, unsafe paths, more than LIMITS.unzippedBytes.
   */
  put(zip: Uint8Array): Promise<StoredPackage>
  /**
   * Merges layers, given by their CodeSha256 in order, so that no cold start has to; keeps their packages until the function is written.
   * @throws LambdaException InvalidParameterValueException: together they have too many files.
   */
  prepareLayers(sha256Base64s: readonly string[]): Promise<void>
  /** The zip as it was uploaded; `undefined`: there is none. */
  get(sha256Base64: string): Promise<Uint8Array | undefined>
}
