/** What the control plane asks of the store about code-signing configurations. Each write is one transaction, its guards included. */

import type { FunctionKey } from '../lambda/function.ts'
import type { CodeSigningConfig, CodeSigningKey } from '../lambda/package/code-signing.ts'
import type { Page, PageRequest } from './page.ts'

export type CodeSigningChange = Partial<Pick<CodeSigningConfig, 'description' | 'publishers' | 'policy'>>

/** The configuration that code was verified under: what is deployed must not have been verified under another one. */
export interface VerifiedUnder {
  /** `undefined`: the function had none. */
  readonly config: CodeSigningConfig | undefined
}

export interface CodeSigningStore {
  create(
    config: Omit<CodeSigningConfig, 'revision'>,
    tags: Readonly<Record<string, string>>,
  ): Promise<CodeSigningConfig>
  find(key: CodeSigningKey): Promise<CodeSigningConfig | undefined>
  /** @throws ResourceNotFoundException */
  update(key: CodeSigningKey, change: CodeSigningChange, now: number): Promise<CodeSigningConfig>
  /** @throws ResourceNotFoundException, ResourceConflictException (functions use it) */
  delete(key: CodeSigningKey): Promise<void>
  /** By id. */
  list(account: string, region: string, page: PageRequest): Promise<Page<CodeSigningConfig>>
  /** By name. @throws ResourceNotFoundException */
  functions(key: CodeSigningKey, page: PageRequest): Promise<Page<FunctionKey>>
  /** @throws ResourceNotFoundException */
  tags(key: CodeSigningKey): Promise<Readonly<Record<string, string>>>
  /** @throws ResourceNotFoundException and what `change` throws */
  changeTags(key: CodeSigningKey, change: (tags: Record<string, string>) => Record<string, string>): Promise<void>
  /** That of a function; `undefined`: it has none, or does not exist. */
  ofFunction(key: FunctionKey): Promise<CodeSigningConfig | undefined>
  /**
   * Of the function's account and region. Code that is deployed already stays.
   * @throws CodeSigningConfigNotFoundException, ResourceNotFoundException (function), InvalidParameterValueException (image)
   */
  attach(key: FunctionKey, id: string): Promise<void>
  /** Nothing happens when it has none. @throws ResourceNotFoundException */
  detach(key: FunctionKey): Promise<void>
}
