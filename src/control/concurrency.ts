/** PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency. A change takes effect with the next invocation. */
import type { FunctionKey } from '../lambda/function.ts'
import { functionNotFound } from '../lambda/refusals.ts'
import type { ConcurrencyBounds } from '../store/provisioned-store.ts'
import type { Store } from '../store/store.ts'
import { refuseAnyQualifier } from './refusals.ts'

export class Concurrency {
  readonly #store: Store
  readonly #bounds: ConcurrencyBounds

  constructor(store: Store, bounds: ConcurrencyBounds) {
    this.#store = store
    this.#bounds = bounds
  }

  async put(key: FunctionKey, qualifier: string | undefined, reserved: number): Promise<void> {
    refuseAnyQualifier(qualifier)
    // AWS appends the qualifier here and nowhere else.
    if (!(await this.#store.functions.find(key))) throw functionNotFound(key, '$LATEST')
    await this.#store.functions.reserveConcurrency(key, reserved, this.#bounds)
  }

  async get(key: FunctionKey, qualifier: string | undefined): Promise<number | undefined> {
    refuseAnyQualifier(qualifier)
    const stored = await this.#store.functions.find(key)
    if (!stored) throw functionNotFound(key)
    return stored.reservedConcurrency
  }

  /** Nothing happens when there is none. */
  async delete(key: FunctionKey, qualifier: string | undefined): Promise<void> {
    refuseAnyQualifier(qualifier)
    await this.#store.functions.reserveConcurrency(key, undefined, this.#bounds)
  }
}
