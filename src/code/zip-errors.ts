/** The refusals of a deployment package, with AWS's texts; `cause` says for the operator's log what was really wrong. */
import { LambdaException } from '../lambda/errors.ts'
import { LIMITS } from '../lambda/limits.ts'
import { refused } from '../lambda/refusals.ts'

export function emptyZip(): LambdaException {
  return refused('Uploaded file must be a non-empty zip')
}

export function corruptZip(cause: unknown): LambdaException {
  return refused('Could not unzip uploaded file. Please check your file, then try to upload again.', {
    cause: typeof cause === 'string' ? new Error(cause) : cause,
  })
}

export function unzippedTooLarge(): LambdaException {
  return refused(`Unzipped size must be smaller than ${LIMITS.unzippedBytes} bytes`)
}

/** What was kept cannot be used any more. */
export function damagedPackage(cause: unknown): LambdaException {
  return new LambdaException('InvalidZipFileException', 'Lambda could not unzip the deployment package.', { cause })
}

/** Ours: AWS documents no such limit. */
export function tooManyEntries(): LambdaException {
  return refused(`The uploaded file must have at most ${LIMITS.zipEntries} entries`)
}
