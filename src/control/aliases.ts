import type { Alias, FunctionKey } from '../lambda/function.ts'
import { aliasNotFound } from '../lambda/refusals.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import { refuseQualifier } from './refusals.ts'
import type { CreateAliasRequest, UpdateAliasRequest } from './requests.ts'

export class Aliases {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async create(key: FunctionKey, qualifier: string | undefined, input: CreateAliasRequest): Promise<Alias> {
    refuseQualifier(qualifier)
    const { name, functionVersion, description = '', routingConfig } = input
    const weights = routingConfig?.additionalVersionWeights
    return this.#store.aliases.create(key, { name, functionVersion, description, weights })
  }

  /** @throws LambdaException ResourceNotFoundException */
  async get(key: FunctionKey, name: string): Promise<Alias> {
    const alias = await this.#store.aliases.find(key, name)
    if (alias === undefined) throw aliasNotFound(key, name)
    return alias
  }

  async update(key: FunctionKey, name: string, input: UpdateAliasRequest): Promise<Alias> {
    const { functionVersion, description, routingConfig, revisionId } = input
    // A RoutingConfig without weights ends the routing: so Terraform ends a canary.
    const weights = routingConfig && (routingConfig.additionalVersionWeights ?? {})
    return this.#store.aliases.update(key, name, { functionVersion, description, weights }, revisionId)
  }

  /** Nothing happens when there is none. */
  async delete(key: FunctionKey, name: string): Promise<void> {
    await this.#store.aliases.delete(key, name)
  }

  list(key: FunctionKey, page: PageRequest & { readonly functionVersion?: string }): Promise<Page<Alias>> {
    return this.#store.aliases.list(key, page)
  }
}
