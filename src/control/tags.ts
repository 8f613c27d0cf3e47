/** ListTags, TagResource, UntagResource on functions. Tags belong to the function, never to a version or an alias. */

import type { FunctionKey } from '../lambda/function.ts'
import { LIMITS } from '../lambda/limits.ts'
import { functionNotFound, refused } from '../lambda/refusals.ts'
import type { Store } from '../store/store.ts'

export class Tags {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async list(key: FunctionKey, qualifier: string | undefined): Promise<Readonly<Record<string, string>>> {
    refuseQualified(qualifier)
    const stored = await this.#store.functions.find(key)
    if (!stored) throw functionNotFound(key)
    return stored.tags
  }

  async add(key: FunctionKey, qualifier: string | undefined, tags: Readonly<Record<string, string>>): Promise<void> {
    refuseQualified(qualifier)
    await this.#store.functions.changeTags(key, tagsWith(tags))
  }

  /** Keys that are not there are passed over. */
  async remove(key: FunctionKey, qualifier: string | undefined, keys: readonly string[]): Promise<void> {
    refuseQualified(qualifier)
    await this.#store.functions.changeTags(key, tagsWithout(keys))
  }
}

type TagChange = (current: Readonly<Record<string, string>>) => Record<string, string>

/** @throws LambdaException InvalidParameterValueException: none, or too many together, then within the change */
export function tagsWith(tags: Readonly<Record<string, string>>): TagChange {
  if (Object.keys(tags).length === 0) throw refused('An error occurred and the request cannot be processed.')
  return (current) => {
    const all = { ...current, ...tags }
    checkTags(all)
    return all
  }
}

export function tagsWithout(keys: readonly string[]): TagChange {
  return (current) => Object.fromEntries(Object.entries(current).filter(([name]) => !keys.includes(name)))
}

/** @throws LambdaException InvalidParameterValueException */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > LIMITS.tags) throw refused('Number of tags exceeds resource tag limit.')
}

function refuseQualified(qualifier: string | undefined): void {
  if (qualifier === undefined) return
  throw refused('Tags on function aliases and versions are not supported. Please specify a function ARN.')
}
