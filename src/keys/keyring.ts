/**
 * The local keyring: AES-256 keys that wrap data keys, as KMS does it. Whoever may read the folder may use the keys, so it is the
 * file system that guards them: there is no way to them over the network. Files are read at every use, so that a change by
 * `hearth keys` is in force at once, without a restart; a key is used when an environment starts, never on the warm path.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../disk/make-folder.ts'
import { KeyProblem, type Keys } from '../lambda/keys.ts'
import type { SealedText } from '../lambda/package/sealed.ts'
import { type KeyFile, type KeyState, parseKeyFile, removeKeyFile, writeKeyFile } from './key-file.ts'

const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const DAY_MS = 86_400_000
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/([0-9a-f-]{36})$/

/** A key as `hearth keys list` shows it. */
export interface KeyDescription {
  readonly id: string
  /** Absent when the file cannot be read. */
  readonly arn?: string
  readonly description: string
  readonly state: KeyState | 'Unreadable'
  /** ISO 8601. */
  readonly created?: string
  readonly deletion?: string
  readonly problem?: string
}

type ReadKey = KeyFile & { readonly bytes: Buffer }

export class Keyring implements Keys {
  readonly #folder: string
  readonly #clock: () => number

  /** @param folder need not exist; @param clock Unix milliseconds */
  constructor(folder: string, clock: () => number = Date.now) {
    this.#folder = folder
    this.#clock = clock
  }

  create(options: { readonly account: string; readonly region: string; readonly description: string }): KeyDescription {
    const { account, region, description } = options
    makeFolder(this.#folder, 0o700)
    const id = randomUUID()
    const key: KeyFile = {
      arn: `arn:aws:kms:${region}:${account}:key/${id}`,
      description,
      state: 'Enabled',
      created: new Date(this.#clock()).toISOString(),
      material: randomBytes(KEY_BYTES).toString('base64'),
    }
    writeKeyFile(this.#path(id), key)
    return described(id, key)
  }

  /** In the order of their creation. */
  list(): KeyDescription[] {
    let names: string[]
    try {
      names = readdirSync(this.#folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    return names
      .map((name) => name.slice(0, -'.json'.length))
      .filter((id) => ID.test(id))
      .flatMap((id): KeyDescription[] => {
        try {
          return [described(id, this.#read(id))]
        } catch (error) {
          if (!(error instanceof KeyProblem)) throw error
          if (error.kind === 'not-found') return []
          return [{ id, description: '', state: 'Unreadable', problem: error.message }]
        }
      })
      .sort((a, b) => ((a.created ?? '') < (b.created ?? '') ? -1 : 1))
  }

  /** Also takes back a scheduled deletion. @throws KeyProblem */
  setState(idOrArn: string, state: 'Enabled' | 'Disabled'): KeyDescription {
    const id = idOf(idOrArn)
    const { bytes: _, deletion: __, ...key } = this.#read(id)
    const changed: KeyFile = { ...key, state }
    writeKeyFile(this.#path(id), changed)
    return described(id, changed)
  }

  /** Not usable from now on, and gone for ever after `days`; with 0 at once. @throws KeyProblem */
  delete(idOrArn: string, days: number): KeyDescription {
    const id = idOf(idOrArn)
    if (days === 0) {
      // A key that cannot be read any more can still be thrown away.
      removeKeyFile(this.#path(this.list().some((one) => one.id === id) ? id : this.#gone(idOrArn)))
      return { id, description: '', state: 'PendingDeletion', deletion: new Date(this.#clock()).toISOString() }
    }
    const { bytes: _, ...key } = this.#read(id)
    const deletion = new Date(this.#clock() + days * DAY_MS).toISOString()
    const changed: KeyFile = { ...key, state: 'PendingDeletion', deletion }
    writeKeyFile(this.#path(id), changed)
    return described(id, changed)
  }

  check(keyArn: string): void {
    this.#usable(keyArn)
  }

  seal(keyArn: string, context: string, text: string): SealedText {
    const key = this.#usable(keyArn)
    const dataKey = randomBytes(KEY_BYTES)
    return {
      key: keyArn,
      dataKey: encrypt(key.bytes, keyArn, dataKey).toString('base64'),
      text: encrypt(dataKey, context, Buffer.from(text)).toString('base64'),
    }
  }

  open(sealed: SealedText, context: string): string {
    const key = this.#usable(sealed.key)
    try {
      const dataKey = decrypt(key.bytes, sealed.key, Buffer.from(sealed.dataKey, 'base64'))
      return decrypt(dataKey, context, Buffer.from(sealed.text, 'base64')).toString('utf8')
    } catch (error) {
      throw new KeyProblem(
        'access-denied',
        'The ciphertext was not made by this key for this function, or it was damaged.',
        'Restore the key file or the database from the same backup, or set the variables anew with UpdateFunctionConfiguration.',
        'InvalidCiphertextException',
        error,
      )
    }
  }

  #usable(keyArn: string): ReadKey {
    const key = this.#read(idOf(keyArn))
    if (key.arn !== keyArn) this.#gone(keyArn)
    if (key.state === 'Disabled') {
      throw new KeyProblem('disabled', `${keyArn} is disabled.`, `hearth keys enable ${keyArn}`)
    }
    if (key.state === 'PendingDeletion') {
      throw new KeyProblem(
        'invalid-state',
        `${keyArn} is pending deletion.`,
        `hearth keys enable ${keyArn} cancels the deletion, until ${key.deletion}.`,
      )
    }
    return key
  }

  #read(id: string): ReadKey {
    const path = this.#path(id)
    let key: ReadKey
    try {
      key = parseKeyFile(readFileSync(path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#gone(id)
      const reason = error instanceof Error ? error.message : String(error)
      throw new KeyProblem(
        'access-denied',
        `The key ${id} cannot be read.`,
        `Restore ${path} from a backup and let the host's user read it: ${reason}`,
        undefined,
        error,
      )
    }
    if (key.state === 'PendingDeletion' && Date.parse(key.deletion!) <= this.#clock()) {
      removeKeyFile(path)
      this.#gone(key.arn)
    }
    return key
  }

  #gone(idOrArn: string): never {
    throw new KeyProblem(
      'not-found',
      `Key '${idOrArn}' does not exist`,
      'hearth keys list shows the keys there are; restore the file from a backup, or set KMSKeyArn and Environment anew.',
    )
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`)
  }
}

/** The id in an ARN, or the id itself. @throws KeyProblem for anything else, so that no text from outside becomes a path */
function idOf(idOrArn: string): string {
  const id = ARN.exec(idOrArn)?.[1] ?? idOrArn
  if (ID.test(id)) return id
  throw new KeyProblem(
    'not-found',
    `Key '${idOrArn}' does not exist`,
    'A key is named by its id or its ARN; hearth keys list shows them.',
  )
}

function described(id: string, { arn, description, state, created, deletion }: KeyFile): KeyDescription {
  return { id, arn, description, state, created, ...(deletion === undefined ? {} : { deletion }) }
}

function encrypt(key: Buffer, context: string, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed])
}

function decrypt(key: Buffer, context: string, sealed: Buffer): Buffer {
  const iv = sealed.subarray(0, IV_BYTES)
  const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context)).setAuthTag(tag)
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
}
