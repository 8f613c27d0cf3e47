/** Put-, Get-, List- and DeleteProvisionedConcurrencyConfig. Environments follow the store; this only writes and reads it. */
import { LambdaException } from '../lambda/errors.ts'
import type { FunctionKey } from '../lambda/function.ts'
import { refused } from '../lambda/refusals.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { ConcurrencyBounds, ProvisionedConfig } from '../store/provisioned-store.ts'
import type { Store } from '../store/store.ts'
import { refuseQualifier } from './refusals.ts'

export type { ProvisionedConfig } from '../store/provisioned-store.ts'

export class ProvisionedConcurrency {
  readonly #store: Store
  readonly #bounds: ConcurrencyBounds
  readonly #clock: () => number

  constructor(store: Store, bounds: ConcurrencyBounds, clock: () => number) {
    this.#store = store
    this.#bounds = bounds
    this.#clock = clock
  }

  /** @throws LambdaException see `ProvisionedStore.put` */
  put(key: FunctionKey, qualifier: string | undefined, requested: number): Promise<ProvisionedConfig> {
    return this.#store.provisioned.put(key, qualifier ?? '$LATEST', requested, this.#bounds, this.#clock())
  }

  /** @throws LambdaException ProvisionedConcurrencyConfigNotFoundException, ResourceNotFoundException */
  async get(key: FunctionKey, qualifier: string | undefined): Promise<ProvisionedConfig> {
    const config = await this.#store.provisioned.find(key, publishedOnly(qualifier))
    if (config !== undefined) return config
    throw new LambdaException(
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    )
  }

  /** Nothing happens when there is none. @throws LambdaException ResourceNotFoundException */
  async delete(key: FunctionKey, qualifier: string | undefined): Promise<void> {
    await this.#store.provisioned.delete(key, publishedOnly(qualifier))
  }

  list(key: FunctionKey, qualifier: string | undefined, page: PageRequest): Promise<Page<ProvisionedConfig>> {
    refuseQualifier(qualifier)
    return this.#store.provisioned.list(key, page)
  }
}

function publishedOnly(qualifier: string | undefined): string {
  if (qualifier !== undefined && qualifier !== '$LATEST') return qualifier
  throw refused('The function resource provided must be an alias or a published version.')
}
