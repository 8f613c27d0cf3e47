/**
 * Which image a function's runtime is: Auto takes the host's current one for each new environment, FunctionUpdate the one of the last
 * change of the function, Manual the one that is named. A runtime version is an image, and its ARN ends in the image's digest.
 */
import { isVersion, partitionOf } from '../lambda/arn.ts'
import type { FunctionKey, FunctionVersion } from '../lambda/function.ts'
import { functionNotFound, refused } from '../lambda/refusals.ts'
import type { RuntimeImages } from '../ports/runtime-images.ts'
import type { Store } from '../store/store.ts'
import type { Functions } from './functions/functions.ts'
import type { PutRuntimeManagementConfigRequest } from './requests.ts'

export class RuntimeManagement {
  readonly #store: Store
  readonly #images: RuntimeImages
  readonly #functions: Pick<Functions, 'get'>

  constructor(store: Store, images: RuntimeImages, functions: Pick<Functions, 'get'>) {
    this.#store = store
    this.#images = images
    this.#functions = functions
  }

  /** @throws LambdaException ResourceNotFoundException, InvalidParameterValueException (image functions) */
  async get(key: FunctionKey, qualifier: string | undefined): Promise<FunctionVersion> {
    const { version } = await this.#functions.get(key, qualifier)
    runtimeOf(version)
    return version
  }

  /** @throws LambdaException ResourceNotFoundException, ResourceConflictException, InvalidParameterValueException */
  async put(
    key: FunctionKey,
    qualifier: string | undefined,
    input: PutRuntimeManagementConfigRequest,
  ): Promise<FunctionVersion> {
    const version = qualifier ?? '$LATEST'
    if (!isVersion(version)) {
      throw refused('Runtime management is configured for $LATEST and for versions, not for aliases.')
    }
    const current = await this.#store.versions.find(key, version)
    if (current === undefined) throw functionNotFound(key, qualifier)
    const { architecture } = current
    const runtime = runtimeOf(current)
    const { updateRuntimeOn, runtimeVersionArn } = input
    if (updateRuntimeOn !== 'Manual') {
      if (runtimeVersionArn) throw refused('RuntimeVersionArn is only used with UpdateRuntimeOn set to Manual.')
      // What it runs with now; the next change of the function may bring another one.
      const runtimeVersion = current.runtimePin ?? this.#images.versionHash(runtime, architecture)
      if (updateRuntimeOn === 'FunctionUpdate') await this.#keep(runtimeVersion, key.region)
      return this.#store.functions.manageRuntime(key, version, { runtime, updateRuntimeOn, runtimeVersion })
    }
    if (!runtimeVersionArn) throw refused('RuntimeVersionArn is mandatory with UpdateRuntimeOn set to Manual.')
    const hash = await this.#known(current, runtime, runtimeVersionArn)
    await this.#keep(hash, key.region)
    return this.#store.functions.manageRuntime(key, version, { runtime, updateRuntimeOn, runtimeVersion: hash })
  }

  /** The image of an ARN that this host gave out for the same runtime. */
  async #known({ region }: FunctionVersion, runtime: string, arn: string): Promise<string> {
    const prefix = runtimeVersionArnOf(region, '')
    const hash = arn.startsWith(prefix) ? arn.slice(prefix.length) : ''
    const given =
      /^[0-9a-f]{64}$/.test(hash) &&
      (this.#images.isVersionOf(hash, runtime) || (await this.#store.functions.knowsRuntimeVersion(runtime, hash)))
    if (given) return hash
    throw refused(
      `The runtime version ${arn} is not one of ${runtime} on this host. GetFunctionConfiguration shows the present one in RuntimeVersionConfig.`,
    )
  }

  async #keep(hash: string, region: string): Promise<void> {
    if (await this.#images.keepVersion(hash)) return
    throw refused(
      `The image of the runtime version ${runtimeVersionArnOf(region, hash)} is not in this host's container engine any more.`,
    )
  }
}

function runtimeOf({ runtime }: FunctionVersion): string {
  if (runtime !== undefined) return runtime
  throw refused('Runtime management is not supported for functions created with container images.')
}

export function runtimeVersionArnOf(region: string, hash: string): string {
  return `arn:${partitionOf(region)}:lambda:${region}::runtime:${hash}`
}
