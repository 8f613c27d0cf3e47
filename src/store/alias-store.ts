/** What the control plane asks of the store about aliases. Each write is one transaction, its guards included. */
import type { VersionWeights } from '../lambda/alias.ts'
import type { Alias, FunctionKey } from '../lambda/function.ts'
import type { Page, PageRequest } from './page.ts'

export interface NewAlias extends Pick<Alias, 'name' | 'functionVersion' | 'description'> {
  readonly weights?: VersionWeights
}

/** What is absent stays; empty weights remove the additional version. */
export type AliasChange = Partial<Omit<NewAlias, 'name'>>

export interface AliasStore {
  /** @throws ResourceNotFoundException (function or versions), ResourceConflictException, InvalidParameterValueException */
  create(key: FunctionKey, alias: NewAlias): Promise<Alias>
  find(key: FunctionKey, name: string): Promise<Alias | undefined>
  /** @throws ResourceNotFoundException, PreconditionFailedException, InvalidParameterValueException */
  update(key: FunctionKey, name: string, change: AliasChange, revisionId?: string): Promise<Alias>
  /** `false`: there was none. */
  delete(key: FunctionKey, name: string): Promise<boolean>
  /** By name; `functionVersion` keeps only the aliases that point to it. @throws ResourceNotFoundException */
  list(key: FunctionKey, page: PageRequest & { functionVersion?: string }): Promise<Page<Alias>>
}
