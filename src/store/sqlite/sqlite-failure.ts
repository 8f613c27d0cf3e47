/** What the operator can do about a failure of the database or its folder. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { OperatorError } from '../../telemetry/operator-error.ts'

export class DatabaseDamaged extends Error {}

/** Says beside the database which process has it open. */
export const ownerFile = (path: string): string => `${path}.owner`

/** Result codes of SQLite by the number that node:sqlite gives and the name that better-sqlite3 gives. */
const CODES: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
}

/**
 * Milliseconds after which trouble that nobody met again is over. No success ends it: a transaction that changes nothing commits on a full
 * disk too, and a host that gets no requests because of it must get well all the same.
 */
const FORGET_MS = 15_000

/** What keeps the database from being written, for whoever asks how the host is. */
export class DatabaseTrouble {
  readonly #clock: () => number
  #text: string | undefined
  #metAt = 0

  /** @param clock milliseconds */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  /** With what to do about it; `undefined` while all is well. */
  get text(): string | undefined {
    return this.#clock() - this.#metAt < FORGET_MS ? this.#text : undefined
  }

  met(error: unknown): void {
    if (!(error instanceof OperatorError)) return
    this.#text = `${error.message} ${error.remedy}`
    this.#metAt = this.#clock()
  }
}

/** @returns an OperatorError, or the error itself where there is nothing to say */
export function explainSqlite(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error
  const { code, errcode } = error as { code?: string; errcode?: number }
  const name = errcode === undefined ? code : CODES[errcode & 0xff]
  const folder = dirname(path)
  const fail = (message: string, remedy: string) => new OperatorError(message, remedy, { cause: error })
  if (name?.startsWith('SQLITE_BUSY')) {
    return fail(
      `The data folder ${folder} is in use by another Hearth host${describeOwner(path)}.`,
      'Stop that host, or start this one with another data folder (--data, HEARTH_DATA).',
    )
  }
  if (error instanceof DatabaseDamaged || name === 'SQLITE_NOTADB' || name?.startsWith('SQLITE_CORRUPT')) {
    return fail(
      `The database ${path} is damaged (${error.message}).`,
      `Restore it from a backup. To start with an empty database, move it and the files beside it (${path}-wal) away.`,
    )
  }
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'ENOENT') {
    return fail(
      `${folder} is not a folder, and Hearth cannot create one there (${code}).`,
      'Choose another data folder (--data, HEARTH_DATA).',
    )
  }
  if (
    name?.startsWith('SQLITE_READONLY') ||
    name?.startsWith('SQLITE_CANTOPEN') ||
    ['EACCES', 'EROFS', 'EPERM'].includes(code ?? '')
  ) {
    return fail(
      `The database ${path} cannot be opened for writing.`,
      `Check the owner and the permissions of ${folder}.`,
    )
  }
  if (name?.startsWith('SQLITE_FULL') || code === 'ENOSPC') {
    return fail(`The disk that holds ${folder} is full.`, 'Free some space and try again.')
  }
  return error
}

function describeOwner(path: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(ownerFile(path), 'utf8')) as Record<string, unknown>
    return ` (process ${pid} on ${host}, since ${since})`
  } catch {
    return ''
  }
}
