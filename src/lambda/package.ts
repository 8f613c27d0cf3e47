/** Which deployment package is meant, and whether it lies under a key. The packages themselves are in `code/`. */
import type { FunctionConfiguration, FunctionKey } from './function.ts'
import { type SealedText, sealingContext } from './keys.ts'

/** A package that is kept encrypted. Each upload makes one of its own: the same zip under two keys is two packages. */
export interface SealedPackage {
  /** Names its file. */
  readonly id: string
  /** Base64 of the 32 bytes that it is encrypted with, under a key of the keyring. */
  readonly dataKey: SealedText
}

/** The key for a package that is about to be kept. */
export interface PackageSeal {
  readonly keyArn: string
  /** As `sealingContext`. */
  readonly context: string
}

/** All that it takes to find a package and to read it. */
export interface PackageReference {
  /** Base64 SHA-256 of the zip; without `sealed` the package's identity. */
  readonly codeSha256: string
  readonly sealed?: SealedPackage & Pick<PackageSeal, 'context'>
}

type PackageOwner = FunctionKey & Pick<FunctionConfiguration, 'codeSha256' | 'sealedPackage'>

export function packageOf(version: PackageOwner): PackageReference {
  const { codeSha256, sealedPackage } = version
  return sealedPackage === undefined
    ? { codeSha256 }
    : { codeSha256, sealed: { ...sealedPackage, context: sealingContext(version) } }
}

/** What a collection of packages must be told to keep. */
export function packageId({ codeSha256, sealedPackage }: Omit<PackageOwner, keyof FunctionKey>): string {
  return sealedPackage?.id ?? codeSha256
}
