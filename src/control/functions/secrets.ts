/** KMSKeyArn: environment variables are encrypted before they reach the store, and decrypted where a function is shown. Packages: `code-source.ts`. */
import type { DecryptionError, FunctionConfiguration, FunctionKey, FunctionVersion } from '../../lambda/function.ts'
import {
  configureRefusal,
  decryptRefusal,
  KeyProblem,
  type Keys,
  sealingContext,
  withOpenEnvironment,
} from '../../lambda/keys.ts'
import { packageOf } from '../../lambda/package/package.ts'
import type { SettingsInput } from './function-input.ts'
import { checkKey } from './key-check.ts'

export class Secrets {
  readonly #keys: Keys

  constructor(keys: Keys) {
    this.#keys = keys
  }

  /**
   * The configuration as it may be stored.
   * @param key of the function
   * @param current what the function has now; absent for a new one
   * @throws LambdaException InvalidParameterValueException when a key cannot be used
   */
  sealed(
    key: FunctionKey,
    input: Pick<SettingsInput, 'environment' | 'kmsKeyArn'>,
    changed: FunctionConfiguration,
    current?: FunctionVersion,
  ): FunctionConfiguration {
    if (input.environment === undefined && input.kmsKeyArn === undefined) return changed
    const kmsKeyArn = (input.kmsKeyArn ?? current?.kmsKeyArn) || undefined
    const { sealedEnvironment: before, ...rest } = changed
    this.check(key, kmsKeyArn)
    // What stays is read only now: to change the key of variables, the old key must be usable.
    const variables = input.environment ? given(input.environment.variables, current) : this.#current(current)
    if (kmsKeyArn === undefined || variables === undefined) return { ...rest, environment: variables, kmsKeyArn }
    const text = JSON.stringify(variables)
    // Sealing gives another ciphertext each time: what did not change stays as it is, or publishing would see a change.
    const same = before?.key === kmsKeyArn && this.#reads(key, before) === text
    const sealedEnvironment = same ? before : this.#seal(key, kmsKeyArn, text)
    return { ...rest, environment: undefined, kmsKeyArn, sealedEnvironment }
  }

  /** @throws LambdaException InvalidParameterValueException when the key cannot be used for new values */
  check(key: FunctionKey, kmsKeyArn: string | undefined): void {
    if (kmsKeyArn) this.#guarded(() => checkKey(this.#keys, key, kmsKeyArn))
  }

  /** A version as its owner may see it. Never throws: a key that cannot be used is part of what is shown. */
  shown<V extends FunctionVersion | undefined>(version: V): V {
    if (version?.sealedEnvironment === undefined) return version
    try {
      return withOpenEnvironment(version, this.#keys)
    } catch (error) {
      if (!(error instanceof KeyProblem)) throw error
      const { name, message } = decryptRefusal(error, 'environment variables')
      return { ...version, environmentError: { errorCode: name, message } }
    }
  }

  /** Why the version's package cannot be handed out; `undefined`: it can. */
  packageError(version: FunctionVersion): DecryptionError | undefined {
    const { sealed } = packageOf(version)
    if (sealed === undefined) return undefined
    try {
      this.#keys.open(sealed.dataKey, sealed.context)
      return undefined
    } catch (error) {
      if (!(error instanceof KeyProblem)) throw error
      const { name, message } = decryptRefusal(error, 'deployment package')
      return { errorCode: name, message }
    }
  }

  #current(current: FunctionVersion | undefined) {
    if (current === undefined) return undefined
    return this.#guarded(() => withOpenEnvironment(current, this.#keys).environment)
  }

  #seal(key: FunctionKey, kmsKeyArn: string, text: string) {
    return this.#guarded(() => this.#keys.seal(kmsKeyArn, sealingContext(key), text))
  }

  #reads(key: FunctionKey, sealed: NonNullable<FunctionConfiguration['sealedEnvironment']>): string | undefined {
    try {
      return this.#keys.open(sealed, sealingContext(key))
    } catch (error) {
      if (error instanceof KeyProblem) return undefined
      throw error
    }
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw error instanceof KeyProblem ? configureRefusal(error) : error
    }
  }
}

/** No variables are shown as an empty map by a new function, and not at all after an update, as on AWS. */
function given(variables: Readonly<Record<string, string>> = {}, current: FunctionVersion | undefined) {
  return current !== undefined && Object.keys(variables).length === 0 ? undefined : variables
}
