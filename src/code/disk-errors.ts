/** The disk's own errors are the operator's: logged with their remedy, a ServiceException for the caller. */
import type { Logger } from 'pino'
import { LambdaException } from '../lambda/errors.ts'

const DISK_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Its disk is full: free space in the data directory, then try again.',
  EDQUOT: 'The disk quota of its user is used up: raise it or free space in the data directory, then try again.',
  EROFS: 'Its data directory is read-only: mount it writable.',
  EACCES: 'Its data directory is not writable: give the user that Hearth runs as write permission.',
  EPERM: 'Its data directory is not writable: give the user that Hearth runs as write permission.',
  EMFILE: 'It has too many open files: raise the limit (ulimit -n) of the process.',
  ENFILE: 'The machine has too many open files: raise fs.file-max.',
  EIO: 'Its disk reports an error: check the disk that holds the data directory.',
}

/** @returns the error itself when it is an answer already, or none of the disk's. */
export function explainDiskError(error: unknown, log: Pick<Logger, 'error'>, directory: string): Error {
  if (error instanceof LambdaException) return error
  const code = codeOf(error)
  const remedy = DISK_REMEDIES[code]
  if (remedy === undefined) return error instanceof Error ? error : new Error(String(error))
  log.error({ error, directory }, remedy)
  return new LambdaException('ServiceException', `The host cannot store function code (${code}). ${remedy}`, {
    cause: error,
  })
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
