/** Every deployment package, whether it lies as it came (`artifact.ts`) or under a key (`sealed-packages.ts`). */
import type { Logger } from 'pino'
import type { Keys } from '../lambda/keys.ts'
import type { PackageReference, PackageSeal } from '../lambda/package/package.ts'
import type { SealedPackage } from '../lambda/package/sealed.ts'
import { ArtifactStore, type StoredArtifact } from './artifact.ts'
import { type PackageFolder, SealedPackages } from './sealed-packages.ts'
import type { PackagePermissions } from './zip.ts'

export interface PackagesOptions {
  readonly directory: string
  readonly keys: Keys
  readonly log: Pick<Logger, 'warn' | 'error'>
  /** As in ArtifactStoreOptions. */
  readonly graceMs?: number
  readonly permissions?: PackagePermissions
}

export class Packages {
  /** Those without a key; layers are among them. */
  readonly plain: ArtifactStore
  readonly #sealed: SealedPackages

  constructor({ keys, ...options }: PackagesOptions) {
    this.plain = new ArtifactStore(options)
    this.#sealed = new SealedPackages({ keys, ...options })
  }

  /** Called once, when no sandbox runs. */
  open(): Promise<void> {
    return this.#sealed.open()
  }

  /** @throws KeyProblem; AWS's exceptions for a bad zip */
  put(zip: Uint8Array, seal?: PackageSeal): Promise<StoredArtifact & { readonly sealed?: SealedPackage }> {
    return seal === undefined ? this.plain.put(zip) : this.#sealed.put(zip, seal)
  }

  /** The zip as it was uploaded; `undefined`: there is none. @throws LambdaException KMS…Exception, InvalidZipFileException */
  get({ codeSha256, sealed }: PackageReference): Promise<Uint8Array | undefined> {
    return sealed === undefined ? this.plain.get(codeSha256) : this.#sealed.get(codeSha256, sealed)
  }

  /** Its content. @throws LambdaException KMS…Exception, InvalidZipFileException */
  async folder({ codeSha256, sealed }: PackageReference): Promise<PackageFolder> {
    if (sealed !== undefined) return this.#sealed.folder(codeSha256, sealed)
    return { path: await this.plain.folder(codeSha256), release: () => Promise.resolve() }
  }

  /** Removes the packages whose `packageId` is not in `keep`; returns how many. */
  async collect(keep: ReadonlySet<string>): Promise<number> {
    return (await this.plain.collect(keep)) + (await this.#sealed.collect(keep))
  }
}
