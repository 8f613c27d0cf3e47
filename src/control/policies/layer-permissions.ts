/** AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy. */
import type { RequestScope } from '../../lambda/arn.ts'
import { LambdaException } from '../../lambda/errors.ts'
import { type LayerKey, layerVersionArn } from '../../lambda/package/layer.ts'
import { accountPrincipal, type Statement } from '../../lambda/policy/policy.ts'
import type { LayerStore } from '../../store/layer-store.ts'
import type { StoredPolicy } from '../../store/policy-store.ts'
import { checkNumber, ownLayer } from '../layers.ts'
import type { AddLayerVersionPermissionRequest } from '../requests.ts'
import { noPolicy, withoutStatement, withStatement } from './statements.ts'

export class LayerPermissions {
  readonly #layers: LayerStore

  constructor(layers: LayerStore) {
    this.#layers = layers
  }

  /** @param name of the layer, or its ARN */
  async add(
    caller: RequestScope,
    name: string,
    version: number,
    input: AddLayerVersionPermissionRequest,
    revisionId?: string,
  ): Promise<{ readonly statement: Statement; readonly revisionId: string }> {
    checkNumber(version)
    const key = ownLayer(caller, name, 'lambda:AddLayerVersionPermission')
    const statement = layerStatement(key, version, input)
    const changed = await this.#layers.changePolicy(key, version, (all) => withStatement(all, statement), revisionId)
    if (changed === undefined) throw missing(key, version)
    return { statement, revisionId: changed.revisionId }
  }

  async remove(
    caller: RequestScope,
    name: string,
    version: number,
    sid: string,
    revisionId: string | undefined,
  ): Promise<void> {
    checkNumber(version)
    const key = ownLayer(caller, name, 'lambda:RemoveLayerVersionPermission')
    const changed = await this.#layers.changePolicy(key, version, (all) => withoutStatement(all, sid), revisionId)
    if (changed === undefined) throw missing(key, version)
  }

  async get(caller: RequestScope, name: string, version: number): Promise<StoredPolicy> {
    checkNumber(version)
    const key = ownLayer(caller, name, 'lambda:GetLayerVersionPolicy')
    const policy = await this.#layers.policy(key, version)
    if (policy === undefined) throw missing(key, version)
    if (policy.statements.length === 0) throw noPolicy()
    return policy
  }
}

function layerStatement(key: LayerKey, version: number, input: AddLayerVersionPermissionRequest): Statement {
  const { statementId, action, principal, organizationId } = input
  return {
    Sid: statementId,
    Effect: 'Allow',
    Principal:
      principal === '*'
        ? '*'
        : { AWS: principal.startsWith('arn:') ? principal : accountPrincipal(principal, key.region) },
    Action: action,
    Resource: layerVersionArn(key, version),
    ...(organizationId ? { Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } } : {}),
  }
}

function missing(key: LayerKey, version: number): LambdaException {
  return new LambdaException(
    'ResourceNotFoundException',
    `Layer version ${layerVersionArn(key, version)} does not exist.`,
  )
}
