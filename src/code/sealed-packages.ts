/**
 * Deployment packages under a key of the keyring. Below the store's directory:
 *
 *     sealed/<id>    the zip, AES-256-GCM with a data key of its own; the data key, wrapped, is with the function
 *     opened/<id>/   its content in plain text, for sandboxes to mount; there while environments use it, and while an upload is checked
 *
 * Nobody but the host's user may enter `opened`; the container engine mounts what lies in it. It is emptied at start: only a killed host leaves
 * something there. An operator who wants no plain text on the disk mounts a tmpfs on it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { replaceFile } from '../disk/durable-file.ts'
import type { LambdaException } from '../lambda/errors.ts'
import { forInvoke, type Keys } from '../lambda/keys.ts'
import type { PackageReference, PackageSeal } from '../lambda/package/package.ts'
import type { SealedPackage } from '../lambda/package/sealed.ts'
import { type StoredArtifact, warnOfUnreadable } from './artifact.ts'
import { codeOf, explainDiskError } from './disk-errors.ts'
import { sha256 } from './sha256.ts'
import { DEFAULT_GRACE_MS, emptyFolder, newFolder } from './whole-folders.ts'
import { type PackagePermissions, type Unpacked, unpackZip } from './zip.ts'
import { damagedPackage } from './zip-errors.ts'

/** The content of a package, in a folder that is kept until its last user gives it back. */
export interface PackageFolder {
  readonly path: string
  /** To be called once. Never rejects; a folder that cannot be removed is logged, and goes at the next start. */
  release(): Promise<void>
}

export interface SealedPackagesOptions {
  readonly directory: string
  readonly keys: Keys
  readonly log: Pick<Logger, 'warn' | 'error'>
  /** As in ArtifactStoreOptions. */
  readonly graceMs?: number
  readonly permissions?: PackagePermissions
}

type Sealed = NonNullable<PackageReference['sealed']>

const KEY_BYTES = 32
const IV_BYTES = 12

export class SealedPackages {
  readonly #files: string
  readonly #opened: string
  readonly #keys: Keys
  readonly #log: SealedPackagesOptions['log']
  readonly #graceMs: number
  readonly #permissions: PackagePermissions
  /** Packages that environments use now, by id. */
  readonly #inUse = new Map<string, { readonly path: Promise<string>; users: number }>()

  constructor(options: SealedPackagesOptions) {
    const { directory, keys, log, graceMs = DEFAULT_GRACE_MS, permissions = 'readable' } = options
    this.#permissions = permissions
    this.#files = join(directory, 'sealed')
    this.#opened = join(directory, 'opened')
    this.#keys = keys
    this.#log = log
    this.#graceMs = graceMs
  }

  /** Called once, when no sandbox runs: removes the plain text that a killed host left. */
  async open(): Promise<void> {
    await mkdir(this.#files, { recursive: true })
    await mkdir(this.#opened, { recursive: true })
    await chmod(this.#opened, 0o700)
    await emptyFolder(this.#opened)
  }

  /** Validates and keeps a package. @throws KeyProblem; AWS's exceptions for a bad zip */
  async put(zip: Uint8Array, seal: PackageSeal): Promise<StoredArtifact & { readonly sealed: SealedPackage }> {
    const secret = randomBytes(KEY_BYTES)
    const dataKey = this.#keys.seal(seal.keyArn, seal.context, secret.toString('base64'))
    const id = randomUUID()
    try {
      const checked = await this.#unpack(zip)
      await rm(checked.path, { recursive: true, force: true })
      const sha256Base64 = (await sha256(zip)).toString('base64')
      if (checked.unreadable !== undefined) warnOfUnreadable(this.#log, sha256Base64, checked.unreadable)
      const file = this.#file(id)
      await replaceFile(file, `${file}.temporary`, await encrypt(zip, secret, sha256Base64), { sync: true })
      return { sha256Base64, size: zip.byteLength, unzippedBytes: checked.bytes, sealed: { id, dataKey } }
    } catch (error) {
      throw explainDiskError(error, this.#log, this.#files)
    }
  }

  /** The zip as it was uploaded; `undefined`: there is none. @throws LambdaException KMS…Exception, InvalidZipFileException */
  async get(codeSha256: string, sealed: Sealed): Promise<Uint8Array | undefined> {
    const secret = this.#dataKey(sealed)
    try {
      return await decrypt(await readFile(this.#file(sealed.id)), secret, codeSha256)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      const explained = explainDiskError(error, this.#log, this.#files)
      throw explained === error ? this.#damaged(error, codeSha256) : explained
    }
  }

  /** One folder for all environments that use the package at the same time. @throws as `get` */
  async folder(codeSha256: string, sealed: Sealed): Promise<PackageFolder> {
    // For each environment, whether another has it open or not: a key that was disabled starts none.
    this.#dataKey(sealed)
    let one = this.#inUse.get(sealed.id)
    if (one === undefined) {
      one = { path: this.#plain(codeSha256, sealed), users: 0 }
      this.#inUse.set(sealed.id, one)
    }
    one.users++
    try {
      return { path: await one.path, release: () => this.#release(sealed.id) }
    } catch (error) {
      await this.#release(sealed.id)
      throw error
    }
  }

  /** Removes the packages that are not in `keep` and older than the grace time; returns how many. */
  async collect(keep: ReadonlySet<string>): Promise<number> {
    let removed = 0
    for (const name of await readdir(this.#files)) {
      if (keep.has(name)) continue
      // One that is being written is renamed meanwhile.
      const found = await stat(join(this.#files, name)).catch(() => undefined)
      if (found === undefined || Date.now() - found.mtimeMs < this.#graceMs) continue
      await rm(join(this.#files, name), { force: true })
      removed++
    }
    return removed
  }

  #dataKey(sealed: Sealed): Buffer {
    const text = forInvoke(() => this.#keys.open(sealed.dataKey, sealed.context), 'deployment package')
    return Buffer.from(text, 'base64')
  }

  async #plain(codeSha256: string, sealed: Sealed): Promise<string> {
    const zip = await this.get(codeSha256, sealed)
    if (zip === undefined) throw this.#damaged(new Error(`${this.#file(sealed.id)} is missing`), codeSha256)
    try {
      return (await this.#unpack(zip)).path
    } catch (error) {
      throw explainDiskError(error, this.#log, this.#opened)
    }
  }

  #damaged(error: unknown, codeSha256: string): LambdaException {
    this.#log.error(
      { error, codeSha256 },
      'encrypted package is damaged or missing: upload the code again with UpdateFunctionCode',
    )
    return damagedPackage(error)
  }

  async #unpack(zip: Uint8Array): Promise<Unpacked & { readonly path: string }> {
    const path = join(this.#opened, randomUUID())
    const unpacked = await newFolder(path, (folder) => unpackZip(zip, folder, this.#permissions))
    return { path, ...unpacked }
  }

  async #release(id: string): Promise<void> {
    const one = this.#inUse.get(id)
    if (one === undefined || --one.users > 0) return
    // Whoever wants it from now on gets a folder of its own.
    this.#inUse.delete(id)
    try {
      await rm(await one.path, { recursive: true, force: true })
    } catch (error) {
      // One that never came to be was reported to those who wanted it.
      if (error instanceof Error && 'syscall' in error) {
        this.#log.warn({ error }, 'a decrypted package could not be removed; the next start removes it')
      }
    }
  }

  #file(id: string): string {
    return join(this.#files, id)
  }
}

/** IV and ciphertext, with the tag at its end; off the event loop. A key serves one package, bound to its hash. */
async function encrypt(zip: Uint8Array, secret: Buffer, codeSha256: string): Promise<Uint8Array> {
  const iv = randomBytes(IV_BYTES)
  const key = await aesKey(secret, 'encrypt')
  const sealed = await crypto.subtle.encrypt(aesGcm(iv, codeSha256), key, zip as Uint8Array<ArrayBuffer>)
  return Buffer.concat([iv, Buffer.from(sealed)])
}

async function decrypt(content: Buffer, secret: Buffer, codeSha256: string): Promise<Uint8Array> {
  const key = await aesKey(secret, 'decrypt')
  const iv = content.subarray(0, IV_BYTES)
  const sealed = content.subarray(IV_BYTES) as Uint8Array<ArrayBuffer>
  return new Uint8Array(await crypto.subtle.decrypt(aesGcm(iv, codeSha256), key, sealed))
}

const aesKey = (secret: Buffer, use: 'encrypt' | 'decrypt') =>
  crypto.subtle.importKey('raw', secret as Uint8Array<ArrayBuffer>, 'AES-GCM', false, [use])

const aesGcm = (iv: Uint8Array, context: string) => ({
  name: 'AES-GCM',
  iv: iv as Uint8Array<ArrayBuffer>,
  additionalData: new TextEncoder().encode(context),
})
