/** Resource policies of functions: one for the unqualified function, each version and each alias. */
import type { FunctionKey } from '../lambda/function.ts'
import type { Statement } from '../lambda/policy/policy.ts'

/** The policy of a layer version or of a function's qualifier, with the RevisionId that guards it. */
export interface StoredPolicy {
  /** Empty: there is no policy. */
  readonly statements: readonly Statement[]
  readonly revisionId: string
}

/** Makes new statements of those that are there, within the transaction; may refuse with a LambdaException. Must not do I/O. */
export type PolicyChange = (statements: readonly Statement[]) => readonly Statement[]

export interface PolicyStore {
  /**
   * @param qualifier `$LATEST` stands for the unqualified function
   * @returns `undefined`: the function, version or alias does not exist. The RevisionId is the one that the function, version or alias got
   * with the last change of the policy; where there is none, its present one.
   */
  find(key: FunctionKey, qualifier: string): Promise<StoredPolicy | undefined>
  /**
   * Replaces the statements by what `change` makes of them and renews the RevisionId of the function, version or alias.
   * `undefined`: it does not exist.
   * @throws PreconditionFailedException and what `change` throws
   */
  change(
    key: FunctionKey,
    qualifier: string,
    change: PolicyChange,
    revisionId?: string,
  ): Promise<StoredPolicy | undefined>
}
