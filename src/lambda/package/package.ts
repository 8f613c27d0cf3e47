/** Which deployment package is meant, and whether it lies under a key. The packages themselves are in `code/`. */
import type { FunctionConfiguration, FunctionKey } from '../function.ts'
import { sealingContext } from '../keys.ts'
import type { SealedPackage } from './sealed.ts'

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
