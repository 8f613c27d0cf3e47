/** PublishVersion, ListVersionsByFunction. */
import type { FunctionKey, FunctionVersion } from '../lambda/function.ts'
import type { PublishRequest } from '../store/function-store.ts'
import type { Store } from '../store/open.ts'
import type { Page, PageRequest } from '../store/page.ts'
import { refuseQualifier } from './refusals.ts'
import { unsupported } from './unsupported.ts'

export class Versions {
  readonly #store: Store
  readonly #clock: () => number

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /** A new version, or the last one when neither code nor configuration changed since it was published. */
  async publish(
    key: FunctionKey,
    qualifier: string | undefined,
    request: PublishRequest & { readonly publishTo?: string },
  ): Promise<FunctionVersion> {
    refuseQualifier(qualifier)
    if (request.publishTo !== undefined) throw unsupported('PublishTo')
    return this.#store.versions.publish(key, request, this.#clock())
  }

  list(key: FunctionKey, page: PageRequest): Promise<Page<FunctionVersion>> {
    return this.#store.versions.list(key, page)
  }
}
