/** PublishVersion, ListVersionsByFunction. */
import type { FunctionKey, FunctionVersion } from '../lambda/function.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import type { Secrets } from './functions/secrets.ts'
import { refuseUnsupportedPublishing } from './functions/unsupported.ts'
import { refuseQualifier } from './refusals.ts'
import type { PublishVersionRequest } from './requests.ts'

export class Versions {
  readonly #store: Store
  readonly #secrets: Secrets
  readonly #clock: () => number

  constructor(store: Store, secrets: Secrets, clock: () => number) {
    this.#store = store
    this.#secrets = secrets
    this.#clock = clock
  }

  /** A new version, or the last one when neither code nor configuration changed since it was published. */
  async publish(
    key: FunctionKey,
    qualifier: string | undefined,
    request: PublishVersionRequest,
  ): Promise<FunctionVersion> {
    refuseQualifier(qualifier)
    refuseUnsupportedPublishing(request)
    return this.#secrets.shown(await this.#store.versions.publish(key, request, this.#clock()))
  }

  async list(key: FunctionKey, page: PageRequest): Promise<Page<FunctionVersion>> {
    const { items, nextMarker } = await this.#store.versions.list(key, page)
    return { items: items.map((version) => this.#secrets.shown(version)), nextMarker }
  }
}
