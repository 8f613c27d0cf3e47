/**
 * Deployment packages on disk, named by the SHA-256 of their zip. Below the store's directory:
 *
 *     zips/<hex>.zip     the package as it was uploaded; what survives everything
 *     unpacked/<hex>/    its content (whole-folders.ts), mounted read-only into sandboxes; can always be made again from the zip
 *
 * A kill at any instruction leaves a package or none.
 */
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { replaceFile } from '../disk/durable-file.ts'
import { LambdaException } from '../lambda/errors.ts'
import { KeyedLock } from '../promises/keyed-lock.ts'
import { SingleFlight } from '../promises/single-flight.ts'
import { codeOf, explainDiskError } from './disk-errors.ts'
import { sha256 } from './sha256.ts'
import { DEFAULT_GRACE_MS, WholeFolders } from './whole-folders.ts'
import { type PackagePermissions, type Unpacked, unpackZip } from './zip.ts'
import { damagedPackage } from './zip-errors.ts'

export interface ArtifactStoreOptions {
  readonly directory: string
  readonly log: Pick<Logger, 'warn' | 'error'>
  /** Packages stored less than this many milliseconds ago are never collected: the function that they are for may not be written yet. */
  readonly graceMs?: number
  readonly permissions?: PackagePermissions
}

export interface StoredArtifact {
  /** Base64 SHA-256 of the zip, as AWS's CodeSha256. */
  readonly sha256Base64: string
  /** Bytes of the zip. */
  readonly size: number
  readonly unzippedBytes: number
}

const SHA256_BASE64 = /^[A-Za-z0-9+/]{43}=$/

export class ArtifactStore {
  readonly #zips: string
  readonly #unpacked: WholeFolders
  readonly #log: ArtifactStoreOptions['log']
  readonly #graceMs: number
  readonly #permissions: PackagePermissions
  /** Lookups under way, shared by the cold starts of one function. */
  readonly #lookups = new SingleFlight<string>()
  readonly #locks = new KeyedLock()

  constructor({ directory, log, graceMs = DEFAULT_GRACE_MS, permissions = 'readable' }: ArtifactStoreOptions) {
    this.#zips = join(directory, 'zips')
    this.#unpacked = new WholeFolders(directory, 'unpacked', permissions)
    this.#permissions = permissions
    this.#log = log
    this.#graceMs = graceMs
  }

  /** Validates, unpacks and keeps a package; resolves when it is on disk for good. Throws AWS's exceptions for a bad zip. */
  async put(zip: Uint8Array): Promise<StoredArtifact> {
    const sha = await sha256(zip)
    return this.#locks.hold(sha.toString('hex'), () => this.#put(zip, sha))
  }

  /** The zip, or `undefined` when there is none or it is damaged. */
  async get(sha256Base64: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#readZip(sha256Base64)
    } catch (error) {
      this.#log.warn({ error, codeSha256: sha256Base64 }, 'package cannot be read')
      return undefined
    }
  }

  /** Path of the unpacked package; unpacked again when the folder is missing or damaged. InvalidZipFileException when the zip is, too. */
  folder(sha256Base64: string): Promise<string> {
    return this.#lookups.run(sha256Base64, () => this.#folder(sha256Base64))
  }

  /** Begins the package's grace time anew: what uses it is about to be written. @throws LambdaException InvalidZipFileException: it is gone */
  async renew(sha256Base64: string): Promise<void> {
    const hex = Buffer.from(sha256Base64, 'base64').toString('hex')
    const now = new Date()
    try {
      await this.#locks.hold(hex, () => utimes(this.#zip(hex), now, now))
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? damagedPackage(error) : this.#explained(error)
    }
  }

  /**
   * Removes the packages that are not in `keep` and older than the grace time; returns how many. `keep` must name those of running
   * environments too.
   */
  async collect(keep: ReadonlySet<string>): Promise<number> {
    await this.#prepare()
    const kept = new Set([...keep].map((sha) => Buffer.from(sha, 'base64').toString('hex')))
    const zips = (await readdir(this.#zips)).map((name) => name.replace(/\.zip$/, ''))
    let removed = 0
    for (const hex of new Set([...zips, ...(await this.#unpacked.ids())])) {
      if (kept.has(hex)) continue
      removed += await this.#locks.hold(hex, () => this.#remove(hex))
    }
    return removed
  }

  async #remove(hex: string): Promise<number> {
    if (await this.#isRecent(hex)) return 0
    // The folder first: without its zip nobody could make it again.
    await this.#unpacked.remove(hex)
    await rm(this.#zip(hex), { force: true })
    return 1
  }

  async #put(zip: Uint8Array, sha: Buffer): Promise<StoredArtifact> {
    const hex = sha.toString('hex')
    try {
      await this.#prepare()
      const { bytes, unreadable } = (await this.#unpacked.find(hex)) ?? (await this.#unpack(hex, zip))
      if (unreadable !== undefined) warnOfUnreadable(this.#log, sha.toString('base64'), unreadable)
      // Written even if there is one: that one may be damaged, and its time must be that of the last upload.
      await replaceFile(this.#zip(hex), this.#unpacked.newTemporary(), zip, { sync: true })
      return { sha256Base64: sha.toString('base64'), size: zip.byteLength, unzippedBytes: bytes }
    } catch (error) {
      throw this.#explained(error)
    }
  }

  async #folder(sha256Base64: string): Promise<string> {
    if (!SHA256_BASE64.test(sha256Base64)) throw damagedPackage(new Error(`${sha256Base64} is not a CodeSha256`))
    const hex = Buffer.from(sha256Base64, 'base64').toString('hex')
    const folder = this.#unpacked.path(hex)
    if ((await this.#unpacked.find(hex)) !== undefined) return folder
    try {
      await this.#prepare()
      await this.#locks.hold(hex, async () => {
        // An upload of the same package may have made it in the meantime.
        if ((await this.#unpacked.find(hex)) !== undefined) return
        await this.#unpack(hex, await this.#readZip(sha256Base64))
      })
      return folder
    } catch (error) {
      const explained = this.#explained(error)
      if (explained instanceof LambdaException && explained.name === 'ServiceException') throw explained
      this.#log.error(
        { error, codeSha256: sha256Base64 },
        'package is damaged or missing and cannot be unpacked: upload the code again with UpdateFunctionCode',
      )
      throw damagedPackage(error)
    }
  }

  #unpack(hex: string, zip: Uint8Array): Promise<Unpacked> {
    return this.#unpacked.make(hex, (folder) => unpackZip(zip, folder, this.#permissions))
  }

  async #readZip(sha256Base64: string): Promise<Uint8Array> {
    if (!SHA256_BASE64.test(sha256Base64)) throw new Error(`${sha256Base64} is not a CodeSha256`)
    const hex = Buffer.from(sha256Base64, 'base64').toString('hex')
    const zip = await readFile(this.#zip(hex))
    if ((await sha256(zip)).toString('hex') !== hex) throw new Error(`${this.#zip(hex)} was changed on disk`)
    return zip
  }

  async #isRecent(hex: string): Promise<boolean> {
    try {
      return Date.now() - (await stat(this.#zip(hex))).mtimeMs < this.#graceMs
    } catch {
      return false
    }
  }

  async #prepare(): Promise<void> {
    await this.#unpacked.prepare()
    await mkdir(this.#zips, { recursive: true })
  }

  #explained(error: unknown): Error {
    return explainDiskError(error, this.#log, this.#zips)
  }

  #zip(hex: string): string {
    return join(this.#zips, `${hex}.zip`)
  }
}

/** For a package as it is stored. */
export function warnOfUnreadable(log: Pick<Logger, 'warn'>, codeSha256: string, files: readonly string[]): void {
  log.warn(
    { codeSha256, files },
    'a package has files that only their owner may read: on AWS its functions fail with "Permission denied"',
  )
}
