/** Customer managed keys as functions use them, and what AWS says when one cannot be used. The keyring itself is `keys/`. */
import { LambdaException } from './errors.ts'
import type { FunctionConfiguration, FunctionKey } from './function.ts'
import type { SealedText } from './package/sealed.ts'
import { refused } from './refusals.ts'

export interface Keys {
  /** @throws KeyProblem when the key cannot be used for new values. */
  check(keyArn: string): void
  /** `context` must be given again to open it. @throws KeyProblem */
  seal(keyArn: string, context: string, text: string): SealedText
  /** @throws KeyProblem */
  open(sealed: SealedText, context: string): string
}

export type KeyProblemKind = 'not-found' | 'disabled' | 'invalid-state' | 'access-denied'

/** Why a key cannot be used. */
export class KeyProblem extends Error {
  override readonly name = 'KeyProblem'
  readonly kind: KeyProblemKind
  /** What the operator can do. */
  readonly remedy: string
  /** Name that KMS gives this, e.g. `NotFoundException`. */
  readonly code: string

  constructor(kind: KeyProblemKind, message: string, remedy: string, code = CODES[kind], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.remedy = remedy
  }
}

const CODES: Readonly<Record<KeyProblemKind, string>> = {
  'not-found': 'NotFoundException',
  disabled: 'DisabledException',
  'invalid-state': 'KMSInvalidStateException',
  'access-denied': 'AccessDeniedException',
}

type Encrypted = 'environment variables' | 'deployment package'

const REASONS = {
  'not-found': ['KMSNotFoundException', 'the KMS key was not found'],
  disabled: ['KMSDisabledException', 'the KMS key used is disabled'],
  'invalid-state': ['KMSInvalidStateException', 'the KMS key used is in an invalid state for Decrypt'],
  'access-denied': ['KMSAccessDeniedException', 'KMS access was denied'],
} as const

/** At invoke, and as Environment.Error and Code.Error where functions are shown (reference: invoke.md 9.2; for packages in the same words). */
export function decryptRefusal(problem: KeyProblem, what: Encrypted): LambdaException {
  const [name, reason] = REASONS[problem.kind]
  // Recorded without a space before "KMS Message".
  const detail =
    problem.kind === 'access-denied' ? ` KMS Exception: ${problem.code}KMS Message: ${problem.message}` : ''
  return new LambdaException(
    name,
    `Lambda was unable to decrypt the ${what} because ${reason}. Please check the function's KMS key settings.${detail}`,
    { cause: problem, remedy: problem.remedy },
  )
}

/** When a function is created or changed. (unverified) beyond the first two sentences */
export function configureRefusal(problem: KeyProblem): LambdaException {
  return refused(
    `Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: ${problem.code} KMS Message: ${problem.message}`,
    { cause: problem },
  )
}

/** Ours: AWS's text for a package's key that cannot be used is not recorded. */
export function packageKeyRefusal(problem: KeyProblem): LambdaException {
  return refused(
    `Lambda was unable to encrypt the deployment package because the KMS key is invalid for GenerateDataKey. Please check your KMS key settings. KMS Exception: ${problem.code} KMS Message: ${problem.message}`,
    { cause: problem },
  )
}

/** The function as its code and its owner see it: values decrypted. @throws KeyProblem */
export function withOpenEnvironment<V extends FunctionConfiguration & FunctionKey>(version: V, keys: Keys): V {
  const { sealedEnvironment } = version
  if (sealedEnvironment === undefined) return version
  const text = keys.open(sealedEnvironment, sealingContext(version))
  return { ...version, environment: JSON.parse(text) as Record<string, string> }
}

/** The function as an environment starts with it. @throws LambdaException KMS…Exception */
export function openedForInvoke<V extends FunctionConfiguration & FunctionKey>(version: V, keys: Keys): V {
  const opened = forInvoke(() => withOpenEnvironment(version, keys), 'environment variables')
  const { sealedPackage, kmsKeyArn } = version
  // The package's own key opens the zip; what is unpacked is under the function's, as on AWS.
  if (sealedPackage !== undefined && kmsKeyArn !== undefined) {
    forInvoke(() => keys.check(kmsKeyArn), 'deployment package')
  }
  return opened
}

/** @throws LambdaException KMS…Exception */
export function forInvoke<T>(work: () => T, what: Encrypted): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof KeyProblem ? decryptRefusal(error, what) : error
  }
}

/** Binds encrypted values to their function, so that one function's values are worth nothing in another's row. */
export function sealingContext({ account, region, name }: FunctionKey): string {
  return `aws:lambda:FunctionArn=arn:aws:lambda:${region}:${account}:function:${name}`
}
