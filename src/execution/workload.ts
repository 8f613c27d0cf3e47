/** From a version of a function to what its sandboxes are made of and what runs in them. Nothing else knows how. */
import type { PackageFolder } from '../code/sealed-packages.ts'
import { functionArn } from '../lambda/arn.ts'
import type { Architecture, FunctionVersion } from '../lambda/function.ts'
import { type Keys, openedForInvoke } from '../lambda/keys.ts'
import type { MachineRoom } from '../lambda/machine-room.ts'
import { layerHashes } from '../lambda/package/layer.ts'
import { type PackageReference, packageOf } from '../lambda/package/package.ts'
import { bootstrapsOf } from '../lambda/runtimes.ts'
import type { CellSpec, ImageProgram, Workload } from '../sandbox/driver.ts'
import { roomOf } from './room.ts'
import { environmentVariables, type VariableContext } from './variables.ts'

/** What differs between the environments of one version. */
export type EnvironmentIdentity = Omit<VariableContext, 'version' | 'defaults'>

/** A version that is ready to be started in a sandbox. */
export interface OpenWorkload {
  /** The sandbox, without its place in the network. */
  readonly cell: Omit<CellSpec, 'place'>
  /** What runs in it. */
  workload(identity: EnvironmentIdentity): Workload
  /** The sandbox is gone, or was never made: its package may be removed. */
  release(): Promise<void>
}

export interface Workloads {
  /** @throws LambdaException (keys, package), SandboxError (image, machine room) */
  open(version: FunctionVersion): Promise<OpenWorkload>
  /** The engine did not have an image: what was remembered of images is worth nothing. */
  forgetImages(): void
  /** 64 hex digits that name the runtime's image in its ARN. */
  runtimeVersionHash(version: FunctionVersion): string
}

/** Where the parts of a workload come from. */
export interface WorkloadSources {
  readonly runtimeImages: {
    imageFor(runtime: string, architecture: Architecture): Promise<string>
    pinnedImage(runtime: string, hash: string): Promise<string>
    versionHash(runtime: string, architecture: Architecture): string
    forget(): void
  }
  readonly functionImages: {
    forVersion(version: FunctionVersion): Promise<{ readonly reference: string; readonly program: ImageProgram }>
    forget(): void
  }
  readonly packages: { folder(reference: PackageReference): Promise<PackageFolder> }
  /** `undefined`: there are no layers. */
  readonly layers: { folder(hashes: readonly string[]): Promise<string | undefined> }
  readonly keys: Keys
  /** What subnets, security groups and access points are here. */
  readonly room: MachineRoom
  /** Defaults that the operator puts into every function (HEARTH_FUNCTION_ENV_*). */
  readonly functionEnv: Readonly<Record<string, string>>
}

/** What runs, without its environment variables, and the image that it runs in. */
interface Source {
  readonly image: string
  readonly workload: Omit<Workload, 'environment'>
  release(): Promise<void>
}

export class FunctionWorkloads implements Workloads {
  readonly #sources: WorkloadSources

  constructor(sources: WorkloadSources) {
    this.#sources = sources
  }

  async open(version: FunctionVersion): Promise<OpenWorkload> {
    const { keys, room, functionEnv } = this.#sources
    // At every start, so that a key that was disabled or deleted has its effect on the next environment.
    const opened = openedForInvoke(version, keys)
    const shared = roomOf(version, room)
    const { image, workload, release } = await (version.packageType === 'Image'
      ? this.#image(version)
      : this.#package(version))
    return {
      cell: {
        image,
        ...shared,
        memoryMb: version.memorySize,
        ephemeralStorageMb: version.ephemeralStorage,
        functionArn: functionArn(version, version.version),
      },
      workload: (identity) => ({
        ...workload,
        environment: environmentVariables({ ...identity, version: opened, defaults: functionEnv }),
      }),
      release,
    }
  }

  forgetImages(): void {
    this.#sources.runtimeImages.forget()
    this.#sources.functionImages.forget()
  }

  runtimeVersionHash({ runtime, architecture, runtimePin }: FunctionVersion): string {
    return runtimePin ?? this.#sources.runtimeImages.versionHash(runtime!, architecture)
  }

  async #image(version: FunctionVersion): Promise<Source> {
    const { reference, program } = await this.#sources.functionImages.forVersion(version)
    return { image: reference, workload: { codePath: undefined, program }, release: async () => {} }
  }

  async #package(version: FunctionVersion): Promise<Source> {
    const { packages, layers } = this.#sources
    const code = packages.folder(packageOf(version))
    try {
      const [image, folder, layersPath] = await Promise.all([
        this.#runtimeImage(version),
        code,
        layers.folder(layerHashes(version)),
      ])
      const bootstraps = bootstrapsOf(version.runtime!)
      return {
        image,
        workload: {
          codePath: folder.path,
          ...(layersPath === undefined ? {} : { layersPath }),
          ...(bootstraps === undefined ? {} : { bootstraps }),
        },
        release: () => folder.release(),
      }
    } catch (error) {
      // It may still be on its way, and nobody will want it.
      code.then(
        (folder) => folder.release(),
        () => {},
      )
      throw error
    }
  }

  #runtimeImage({ runtime, architecture, runtimePin }: FunctionVersion): Promise<string> {
    const { runtimeImages } = this.#sources
    return runtimePin === undefined
      ? runtimeImages.imageFor(runtime!, architecture)
      : runtimeImages.pinnedImage(runtime!, runtimePin)
  }
}
