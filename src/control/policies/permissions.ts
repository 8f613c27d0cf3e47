/** AddPermission, RemovePermission, GetPolicy; GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy; and what policies allow. */
import { functionArn, isVersionNumber } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import type { FunctionKey } from '../../lambda/function.ts'
import { type PermissionInput, permissionStatement } from '../../lambda/policy/permission.ts'
import { policyAllows, policyResource, type Statement } from '../../lambda/policy/policy.ts'
import { readPolicy } from '../../lambda/policy/policy-document.ts'
import { aliasNotFound, functionNotFound, refused } from '../../lambda/refusals.ts'
import type { StoredPolicy } from '../../store/policy-store.ts'
import type { Store } from '../../store/store.ts'
import { checkPolicyLength, noPolicy, withoutStatement, withStatement } from './statements.ts'

/** The unqualified function is stored under its `$LATEST`. */
const UNQUALIFIED = '$LATEST'

const ALIAS = /^[a-zA-Z0-9-_]+$/

export class Permissions {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async add(
    key: FunctionKey,
    qualifier: string | undefined,
    input: PermissionInput & { readonly revisionId?: string },
  ): Promise<Statement> {
    refuseLatest(qualifier)
    const statement = permissionStatement(input, functionArn(key, qualifier), key.region)
    const change = (all: readonly Statement[]) => withStatement(all, statement)
    const changed = await this.#store.policies.change(key, qualifier ?? UNQUALIFIED, change, input.revisionId)
    if (changed === undefined) throw await this.#missing(key, qualifier)
    return statement
  }

  async remove(
    key: FunctionKey,
    qualifier: string | undefined,
    sid: string,
    revisionId: string | undefined,
  ): Promise<void> {
    refuseLatest(qualifier)
    const change = (all: readonly Statement[]) => withoutStatement(all, sid)
    const changed = await this.#store.policies.change(key, qualifier ?? UNQUALIFIED, change, revisionId)
    if (changed !== undefined) return
    if (await this.#store.functions.find(key)) throw await this.#missing(key, qualifier)
    throw new LambdaException('ResourceNotFoundException', `No policy found for: ${functionArn(key)}`)
  }

  async get(key: FunctionKey, qualifier: string | undefined): Promise<StoredPolicy> {
    const policy = await this.#store.policies.find(key, qualifier ?? UNQUALIFIED)
    // A policy belongs to the unqualified function; $LATEST by name has none. What is not there gets the same answer (recorded).
    if (policy !== undefined && policy.statements.length > 0 && qualifier !== UNQUALIFIED) return policy
    throw new LambdaException('ResourceNotFoundException', 'The resource you requested does not exist.')
  }

  /** Replaces everything, statements of `add` included. */
  async put(
    key: FunctionKey,
    qualifier: string | undefined,
    document: string,
    revisionId: string | undefined,
  ): Promise<StoredPolicy> {
    refuseLatest(qualifier)
    const statements = checkPolicyLength(readPolicy(document, functionArn(key, qualifier)))
    const changed = await this.#store.policies.change(key, qualifier ?? UNQUALIFIED, () => statements, revisionId)
    if (changed === undefined) throw await this.#missing(key, qualifier)
    return changed
  }

  async delete(key: FunctionKey, qualifier: string | undefined, revisionId: string | undefined): Promise<void> {
    refuseLatest(qualifier)
    const change = (all: readonly Statement[]) => {
      if (all.length === 0) throw noPolicy()
      return []
    }
    const changed = await this.#store.policies.change(key, qualifier ?? UNQUALIFIED, change, revisionId)
    if (changed === undefined) throw await this.#missing(key, qualifier)
  }

  /** Whether the function's policy lets another account do this. */
  async allows(
    key: FunctionKey,
    qualifier: string | undefined,
    { account, action }: { readonly account: string; readonly action: string },
  ): Promise<boolean> {
    const policy = await this.#store.policies.find(key, qualifier ?? UNQUALIFIED)
    const principal = { kind: 'account', account } as const
    return policyAllows(policy?.statements, { principal, action, resource: policyResource(key, qualifier) })
  }

  async #missing(key: FunctionKey, qualifier: string | undefined): Promise<LambdaException> {
    if (qualifier === undefined || !(await this.#store.functions.find(key))) return functionNotFound(key)
    if (isVersionNumber(qualifier) || !ALIAS.test(qualifier)) return functionNotFound(key, qualifier)
    return aliasNotFound(key, qualifier)
  }
}

function refuseLatest(qualifier: string | undefined): void {
  if (qualifier === UNQUALIFIED) throw refused('We currently do not support adding policies for $LATEST.')
}
