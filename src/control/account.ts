/** GetAccountSettings. */
import { LIMITS } from '../lambda/limits.ts'
import type { Store } from '../store/store.ts'

export interface AccountSettings {
  readonly limit: {
    /** Bytes. */
    readonly totalCodeSize: number
    readonly codeSizeUnzipped: number
    readonly codeSizeZipped: number
    readonly concurrentExecutions: number
    readonly unreservedConcurrentExecutions: number
  }
  readonly usage: { readonly totalCodeSize: number; readonly functionCount: number }
}

export class Account {
  readonly #store: Store
  readonly #concurrency: number

  constructor(store: Store, concurrency: number) {
    this.#store = store
    this.#concurrency = concurrency
  }

  async settings(account: string, region: string): Promise<AccountSettings> {
    const { codeBytes, functions, reserved } = await this.#store.functions.usage(account, region)
    return {
      limit: {
        totalCodeSize: this.#store.codeStorageMaxBytes,
        codeSizeUnzipped: LIMITS.unzippedBytes,
        codeSizeZipped: LIMITS.zipBytes,
        concurrentExecutions: this.#concurrency,
        unreservedConcurrentExecutions: this.#concurrency - reserved,
      },
      usage: { totalCodeSize: codeBytes, functionCount: functions },
    }
  }
}
