/** One key of the keyring: a file that only its owner reads, `<data>/keys/<uuid>.json`, there whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion'

export interface KeyFile {
  readonly arn: string
  readonly description: string
  readonly state: KeyState
  /** ISO 8601. */
  readonly created: string
  /** ISO 8601; only in state PendingDeletion. */
  readonly deletion?: string
  /** Base64 of 32 bytes. */
  readonly material: string
}

/** @throws Error that says what is wrong with the content. */
export function parseKeyFile(text: string): KeyFile & { readonly bytes: Buffer } {
  let content: Partial<Record<keyof KeyFile, unknown>>
  try {
    content = JSON.parse(text) as typeof content
  } catch {
    throw new Error('the key file is not JSON')
  }
  const { arn, description, state, created, deletion, material } = content ?? {}
  const bytes = Buffer.from(typeof material === 'string' ? material : '', 'base64')
  if (
    typeof arn !== 'string' ||
    typeof description !== 'string' ||
    typeof created !== 'string' ||
    (state !== 'Enabled' && state !== 'Disabled' && state !== 'PendingDeletion') ||
    (state === 'PendingDeletion' && (typeof deletion !== 'string' || Number.isNaN(Date.parse(deletion)))) ||
    bytes.length !== 32
  ) {
    throw new Error('the key file lacks a member or holds a wrong one')
  }
  const end = typeof deletion === 'string' ? { deletion } : {}
  return { arn, description, state, created, ...end, material: material as string, bytes }
}

/** Durable when it returns: a key that encrypted something must never be lost to a power failure. */
export function writeKeyFile(path: string, key: KeyFile): void {
  const temporary = `${path}.${process.pid}.tmp`
  rmSync(temporary, { force: true })
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      // Not `writeSync`, which may write a part on a disk that is almost full, and say so only in its result.
      writeFileSync(file, `${JSON.stringify(key, undefined, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

export function removeKeyFile(path: string): void {
  rmSync(path, { force: true })
  syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
