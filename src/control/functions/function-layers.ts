/** The Layers of a function: which ones it may name, and what they and its code may weigh together. */
import { accountRefused } from '../../lambda/arn.ts'
import type { FunctionConfiguration, FunctionKey, LayerReference } from '../../lambda/function.ts'
import { LIMITS } from '../../lambda/limits.ts'
import { type LayerVersion, layerArn, parseLayerVersionArn, referenceTo } from '../../lambda/package/layer.ts'
import { refused } from '../../lambda/refusals.ts'
import type { LayerStore } from '../../store/layer-store.ts'
import type { CodeStore } from '../code/code-store.ts'
import { readableLayer } from '../layers.ts'

export class FunctionLayers {
  readonly #layers: LayerStore
  readonly #code: CodeStore

  constructor(layers: LayerStore, code: CodeStore) {
    this.#layers = layers
    this.#code = code
  }

  /** What the ARNs alone tell. @throws LambdaException InvalidParameterValueException, AccessDeniedException */
  checkRegions(key: FunctionKey, arns: readonly string[]): void {
    for (const arn of arns) {
      const named = parseLayerVersionArn(arn)
      if (named === undefined || named.region === key.region) continue
      if (named.account !== key.account) throw accountRefused(key.account, 'lambda:GetLayerVersion', arn)
      throw refused(
        `Layers are not in the same region as the function. Layers are expected to be in region ${key.region}.`,
      )
    }
  }

  /**
   * The layer versions behind ARNs, merged and ready to be mounted.
   * @throws LambdaException InvalidParameterValueException, AccessDeniedException
   */
  async resolve(key: FunctionKey, arns: readonly string[]): Promise<readonly LayerReference[]> {
    if (arns.length > LIMITS.layersPerFunction) {
      throw refused(`Cannot reference more than ${LIMITS.layersPerFunction} layers.`)
    }
    const seen = new Map<string, string>()
    const references: LayerReference[] = []
    for (const arn of arns) {
      const layer = await this.#layer(key, arn)
      const other = seen.get(layerArn(layer))
      if (other !== undefined) {
        throw refused(
          `Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn} are versions of the same layer.`,
        )
      }
      seen.set(layerArn(layer), arn)
      references.push(referenceTo(layer))
    }
    const bytes = sizeOf(references)
    if (bytes > LIMITS.unzippedBytes) {
      throw refused(`Layers consume more than the available size of ${LIMITS.unzippedBytes} bytes`)
    }
    if (references.length > 0) await this.#code.prepareLayers(references.map(({ codeSha256 }) => codeSha256))
    return references
  }

  /**
   * What a change of Layers makes of a configuration; without one nothing.
   * @param current the function as it was when the request came
   */
  async change(
    key: FunctionKey,
    arns: readonly string[] | undefined,
    current: FunctionConfiguration,
  ): Promise<(configuration: FunctionConfiguration) => FunctionConfiguration> {
    if (arns === undefined) return (configuration) => configuration
    const layers = await this.resolve(key, arns)
    const measured = current.unzippedBytes ?? (layers.length === 0 ? 0 : await this.#measure(current.codeSha256))
    return (configuration) => {
      checkUnzippedSize(configuration.unzippedBytes ?? measured, layers)
      return withLayers(configuration, layers)
    }
  }

  async #layer(key: FunctionKey, arn: string): Promise<LayerVersion> {
    const named = parseLayerVersionArn(arn)
    if (named === undefined) throw refused(`Layer version ${arn} does not exist.`)
    this.checkRegions(key, [arn])
    const layer = await readableLayer(this.#layers, key.account, named, named.version)
    if (layer === undefined) throw refused(`Layer version ${arn} does not exist.`)
    return layer
  }

  /** Functions of the first release do not know what their package unpacks to. */
  async #measure(codeSha256: string): Promise<number> {
    const zip = await this.#code.get({ codeSha256 })
    return zip === undefined ? 0 : (await this.#code.put(zip)).unzippedBytes
  }
}

export function withLayers<Before extends object>(
  before: Before,
  layers: readonly LayerReference[],
): Before & Pick<FunctionConfiguration, 'layers'> {
  const { layers: _before, ...rest } = before as Before & Pick<FunctionConfiguration, 'layers'>
  return (layers.length === 0 ? rest : { ...rest, layers }) as Before
}

/** @throws LambdaException InvalidParameterValueException */
export function checkUnzippedSize(codeBytes: number, layers: readonly LayerReference[]): void {
  if (layers.length === 0) return
  const bytes = codeBytes + sizeOf(layers)
  if (bytes <= LIMITS.unzippedBytes) return
  throw refused(
    `Function code combined with layers exceeds the maximum allowed size of ${LIMITS.unzippedBytes} bytes. The actual size is ${bytes} bytes.`,
  )
}

function sizeOf(layers: readonly LayerReference[]): number {
  return layers.reduce((sum, { unzippedBytes }) => sum + unzippedBytes, 0)
}
