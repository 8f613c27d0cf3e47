/** PutFunctionRecursionConfig, GetFunctionRecursionConfig. */
import type { FunctionKey, RecursiveLoop } from '../lambda/function.ts'
import { functionNotFound } from '../lambda/refusals.ts'
import type { Store } from '../store/store.ts'
import { refuseQualifier } from './refusals.ts'

export class Recursion {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async put(key: FunctionKey, qualifier: string | undefined, recursiveLoop: RecursiveLoop): Promise<void> {
    refuseQualifier(qualifier)
    await this.#store.functions.setRecursiveLoop(key, recursiveLoop)
  }

  async get(key: FunctionKey, qualifier: string | undefined): Promise<RecursiveLoop> {
    refuseQualifier(qualifier)
    const stored = await this.#store.functions.find(key)
    if (stored === undefined) throw functionNotFound(key)
    return stored.recursiveLoop
  }
}
