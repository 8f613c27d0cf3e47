/** PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions, DeleteLayerVersion. */
import { accountRefused, type RequestScope } from '../lambda/arn.ts'
import {
  type LayerKey,
  type LayerVersion,
  layerArn,
  layerKeyOf,
  layerVersionArn,
  parseLayerVersionArn,
} from '../lambda/package/layer.ts'
import { policyAllows } from '../lambda/policy/policy.ts'
import { refused, resourceNotFound } from '../lambda/refusals.ts'
import type { LayerFilter, LayerStore } from '../store/layer-store.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { CodeSource } from './code/code-source.ts'
import type { CodeVerification } from './code/code-verification.ts'
import { refuseUnsupportedCode } from './functions/unsupported.ts'
import type { PublishLayerVersionRequest } from './requests.ts'

/** A list of layers or their versions, for one caller. */
export type LayerListRequest = PageRequest & LayerFilter

export class Layers {
  readonly #store: LayerStore
  readonly #source: CodeSource
  readonly #verification: CodeVerification
  readonly #clock: () => number

  constructor(store: LayerStore, source: CodeSource, verification: CodeVerification, clock: () => number) {
    this.#store = store
    this.#source = source
    this.#verification = verification
    this.#clock = clock
  }

  /** @param name of the layer, or its ARN */
  async publish(caller: RequestScope, name: string, input: PublishLayerVersionRequest): Promise<LayerVersion> {
    const key = ownLayer(caller, name, 'lambda:PublishLayerVersion')
    const { content, description = '', compatibleRuntimes, compatibleArchitectures, licenseInfo } = input
    refuseUnsupportedCode(content)
    if (content.zipFile === undefined && content.s3Bucket === undefined && content.s3Key === undefined) {
      throw refused('Please provide a source for layer content.')
    }
    const kept = await this.#source.package(content, key.region)
    const { sha256Base64: codeSha256, size: codeSize, unzippedBytes } = kept
    const signing = await this.#verification.signer({ codeSha256 })
    const compatible = { compatibleRuntimes, compatibleArchitectures }
    return this.#store.publish(
      key,
      { description, codeSha256, codeSize, unzippedBytes, ...compatible, licenseInfo, signing },
      this.#clock(),
    )
  }

  /** @throws LambdaException InvalidParameterValueException, ResourceNotFoundException, AccessDeniedException */
  async get(caller: RequestScope, name: string, version: number): Promise<LayerVersion> {
    checkNumber(version)
    return this.#get(caller, layerKeyOf(name, caller), version)
  }

  /** @param arn of a layer version; the model's pattern was checked before */
  async getByArn(caller: RequestScope, arn: string): Promise<LayerVersion> {
    const named = parseLayerVersionArn(arn)
    if (named === undefined) throw resourceNotFound()
    checkNumber(named.version)
    return this.#get(caller, named, named.version)
  }

  /** The newest matching version of each of the caller's layers. */
  list(caller: RequestScope, request: LayerListRequest): Promise<Page<LayerVersion>> {
    return this.#store.list(caller.account, caller.region, request)
  }

  /** Newest first. */
  async listVersions(caller: RequestScope, name: string, request: LayerListRequest): Promise<Page<LayerVersion>> {
    return this.#store.versions(ownLayer(caller, name, 'lambda:ListLayerVersions'), request)
  }

  /** Nothing happens when there is none. Functions that use it go on as before. */
  async delete(caller: RequestScope, name: string, version: number): Promise<void> {
    checkNumber(version)
    await this.#store.delete(ownLayer(caller, name, 'lambda:DeleteLayerVersion'), version)
  }

  async #get(caller: RequestScope, key: LayerKey, version: number): Promise<LayerVersion> {
    if (key.region !== caller.region) throw resourceNotFound()
    const layer = await readableLayer(this.#store, caller.account, key, version)
    if (layer === undefined) throw resourceNotFound()
    return layer
  }
}

/** The layer that a caller may change: one of its own account, in the region that it asks. */
export function ownLayer(caller: RequestScope, name: string, action: string): LayerKey {
  const key = layerKeyOf(name, caller)
  if (key.account !== caller.account) throw accountRefused(caller.account, action, layerArn(key))
  if (key.region !== caller.region) throw resourceNotFound()
  return key
}

/**
 * `undefined`: there is none.
 * @throws LambdaException AccessDeniedException for other accounts; whether it exists is nobody's business who may not read it
 */
export async function readableLayer(
  store: LayerStore,
  account: string,
  key: LayerKey,
  version: number,
): Promise<LayerVersion | undefined> {
  if (key.account !== account) {
    const policy = await store.policy(key, version)
    const [action, resource] = ['lambda:GetLayerVersion', layerVersionArn(key, version)]
    const request = { principal: { kind: 'account', account }, action, resource } as const
    if (!policyAllows(policy?.statements, request)) throw accountRefused(account, action, resource)
  }
  return store.find(key, version)
}

export function checkNumber(version: number): void {
  if (version < 1) throw refused('Layer Version Cannot be less than 1')
}
