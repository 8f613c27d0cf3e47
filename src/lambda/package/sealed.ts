/** What is kept under keys of the keyring, as it lies in the store. */

/** A text under a data key, and the data key under a key of the keyring. */
export interface SealedText {
  /** ARN of the key. */
  readonly key: string
  /** Base64 of IV (12 bytes), tag (16 bytes) and encrypted data key. */
  readonly dataKey: string
  /** Base64 of IV, tag and ciphertext. */
  readonly text: string
}

/** A package that is kept encrypted. Each upload makes one of its own: the same zip under two keys is two packages. */
export interface SealedPackage {
  /** Names its file. */
  readonly id: string
  /** Base64 of the 32 bytes that it is encrypted with, under a key of the keyring. */
  readonly dataKey: SealedText
}
