/** What the control plane asks of the store about layers. Each write is one transaction, its guards included. */
import type { LayerContent, LayerKey, LayerVersion } from '../lambda/package/layer.ts'
import type { Page, PageRequest } from './page.ts'
import type { PolicyChange, StoredPolicy } from './policy-store.ts'

export interface LayerFilter {
  /** Keeps only versions that name this runtime among their compatible ones. */
  readonly runtime?: string
  readonly architecture?: string
}

export interface LayerStore {
  /** Numbers are never used again, not even after all versions were deleted. @throws CodeStorageExceededException */
  publish(key: LayerKey, content: LayerContent, now: number): Promise<LayerVersion>
  find(key: LayerKey, version: number): Promise<LayerVersion | undefined>
  /** Newest first; empty for a layer that does not exist. */
  versions(key: LayerKey, page: PageRequest & LayerFilter): Promise<Page<LayerVersion>>
  /** The newest matching version of each layer, by the layer's name. */
  list(account: string, region: string, page: PageRequest & LayerFilter): Promise<Page<LayerVersion>>
  /** Nothing happens when there is none. Functions that use it keep what they need of it. */
  delete(key: LayerKey, version: number): Promise<void>
  /** `undefined`: the layer version does not exist. */
  policy(key: LayerKey, version: number): Promise<StoredPolicy | undefined>
  /** `undefined`: the layer version does not exist. @throws PreconditionFailedException and what `change` throws */
  changePolicy(
    key: LayerKey,
    version: number,
    change: PolicyChange,
    revisionId?: string,
  ): Promise<StoredPolicy | undefined>
  /** CodeSha256 of every layer version's package and of every layer that a function still uses. */
  codeInUse(): Promise<ReadonlySet<string>>
  /** The layers of every deployment that has some, in order, as CodeSha256. */
  combinations(): Promise<readonly (readonly string[])[]>
}
