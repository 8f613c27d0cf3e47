/**
 * Resources of kinds that cannot exist here yet: event source mappings, function URLs, capacity providers, durable executions. Reads and deletions
 * answer as AWS does when there are none, because tools ask for them beside every function. The operations that would make one are refused.
 */
import { functionArn, isVersion } from '../lambda/arn.ts'
import { LambdaException } from '../lambda/errors.ts'
import type { FunctionKey } from '../lambda/function.ts'
import { functionNotFound } from '../lambda/refusals.ts'
import type { Store } from '../store/store.ts'

const notFound = (message: string) => new LambdaException('ResourceNotFoundException', message)

export const mappingNotFound = (arn: string) => notFound(`Event source mapping not found: ${arn}`)
export const capacityProviderNotFound = (arn: string) => notFound(`Capacity provider not found: ${arn}`)
/** No text of AWS is recorded for these. */
export const durableExecutionNotFound = (arn: string) => notFound(`Durable execution not found: ${arn}`)

export class Absent {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** @throws LambdaException ResourceNotFoundException: there is no such function */
  async functionUrls({ account, region, name }: FunctionKey): Promise<readonly never[]> {
    if ((await this.#store.functions.find({ account, region, name })) === undefined) {
      throw notFound('Function does not exist')
    }
    return []
  }

  /** @throws LambdaException ResourceNotFoundException: there is no such function, version or alias */
  async durableExecutions(key: FunctionKey, qualifier: string | undefined): Promise<readonly never[]> {
    await this.#mustExist(key, qualifier)
    return []
  }

  /** A version that is on no capacity provider has nothing but its name. @throws LambdaException ResourceNotFoundException */
  async scaling(key: FunctionKey, qualifier: string | undefined): Promise<{ readonly functionArn: string }> {
    await this.#mustExist(key, qualifier)
    return { functionArn: functionArn(key, qualifier) }
  }

  async #mustExist(key: FunctionKey, qualifier = '$LATEST'): Promise<void> {
    const { versions, aliases } = this.#store
    const found = isVersion(qualifier) ? await versions.find(key, qualifier) : await aliases.find(key, qualifier)
    if (found === undefined) throw functionNotFound(key, qualifier)
  }
}
