/** The images that functions run in: which one, whether it is there, and how it gets there. */
import type Dockerode from 'dockerode'
import type { Architecture } from '../../../lambda/function.ts'
import { creatableRuntimes } from '../../../lambda/runtimes.ts'
import type { RuntimeAvailability, RuntimeImages } from '../../../ports/runtime-images.ts'
import { SingleFlight } from '../../../promises/single-flight.ts'
import { SandboxError } from '../../driver.ts'
import { exportImages, importImages } from './archive.ts'
import { pullBounded } from './base.ts'
import { ImageBuilder } from './build.ts'
import { Cache } from './cache.ts'
import { RECIPES, TAGS } from './catalogue.ts'
import { engineArchitecture, engineError, inspectImage } from './engine.ts'
import { Identities, runtimesFolder, sha256 } from './identity.ts'
import { KeptImages } from './kept.ts'
import { Once, type Progress, step } from './progress.ts'
import { digestInRegistry } from './registry/registry.ts'
import { awsImageName, isAwsImage, nearestRecipe, type Resolution, resolveImage } from './resolve.ts'

export interface DockerRuntimeImagesOptions {
  readonly docker: Dockerode
  /** Folder of the data directory that keeps downloads and build products. */
  readonly cacheDir: string
  /** Operator's mapping: runtime identifier to image. */
  readonly map: Readonly<Record<string, string>>
  readonly prefer: 'hearth' | 'aws'
  readonly substitute: 'off' | 'nearest'
  readonly progress: Progress
  /** Id of this host: other hosts on the same engine pin their own. */
  readonly instance?: string
  /** The folder `runtimes/`; found beside the program unless given. */
  readonly runtimesFolder?: string
}

export interface RuntimeListing {
  readonly runtime: string
  /** `ready`: the image is there. `buildable`: `prepare` makes it. */
  readonly state: 'ready' | 'buildable' | 'unavailable'
  readonly image?: string
  readonly reason?: string
  readonly sizeBytes?: number
  /** The runtime whose image stands in for this one. */
  readonly substitute?: string
}

export class DockerRuntimeImages implements RuntimeImages {
  readonly #options: DockerRuntimeImagesOptions
  readonly #root: string
  readonly #identities: Identities
  readonly #engine = new Once<Architecture>()
  readonly #builders = new Once<ImageBuilder>()
  readonly #preparing = new SingleFlight<void>()
  /** Digests in hex of the images that runtimes have, or had since the start, the present one last; by runtime and architecture. */
  readonly #versions = new Map<string, Set<string>>()
  readonly #kept: KeptImages
  /** Positive answers of `imageFor`; the driver reports an image that has gone since when it creates a container. */
  readonly #known = new Map<string, string>()

  constructor(options: DockerRuntimeImagesOptions) {
    this.#options = options
    this.#root = options.runtimesFolder ?? runtimesFolder()
    this.#identities = new Identities(this.#root)
    this.#kept = new KeptImages(options.docker, `hearth-version-${options.instance ?? 'host'}`)
  }

  /** Image reference to run. Throws SandboxError `image-missing` when the engine does not have it. */
  async imageFor(runtime: string, architecture: Architecture): Promise<string> {
    const key = `${runtime} ${architecture}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const resolution = await this.#resolve(runtime, architecture, false)
    if (resolution.kind === 'unavailable') {
      throw new SandboxError('image-missing', runtime, resolution.reason, 'See the message.')
    }
    const image = imageOf(resolution)
    const found = await inspectImage(this.#options.docker, image)
    if (!found) {
      const remedy =
        resolution.kind === 'recipe'
          ? `Run "hearth runtimes build ${resolution.recipe}", or update the function's configuration, which builds it.`
          : `Pull or build ${image} on this machine's container engine.`
      throw new SandboxError(
        'image-missing',
        runtime,
        `The image ${image} of ${runtime} is not in the container engine.`,
        remedy,
      )
    }
    this.#learn(key, found.id)
    this.#known.set(key, image)
    return image
  }

  /** The driver found an image gone: the next `imageFor` asks the engine again. */
  forget(): void {
    this.#known.clear()
  }

  async availability(runtime: string, architecture: Architecture): Promise<RuntimeAvailability> {
    const resolution = await this.#resolve(runtime, architecture, true)
    return resolution.kind === 'unavailable' ? { available: false, reason: resolution.reason } : { available: true }
  }

  prepare(runtime: string, architecture: Architecture): Promise<void> {
    return this.#preparing.run(`${runtime} ${architecture}`, async () => {
      await this.#prepare(runtime, architecture)
      await this.#recall(runtime, architecture)
    })
  }

  versionHash(runtime: string, architecture: Architecture): string {
    const present = this.#present(runtime, architecture)
    if (present !== undefined) return present
    const { map, substitute, prefer } = this.#options
    const awsImage = prefer === 'aws' ? awsImageName(runtime) : undefined
    // The engine's architecture decides whether a runtime is available, not what it is.
    const options = { map, substitute, awsImage, architecture, engineArchitecture: architecture }
    const resolution = resolveImage(runtime, options)
    // Else the version would change with the first function that is updated.
    const standIn = resolution.kind === 'recipe' ? this.#present(resolution.recipe, architecture) : undefined
    if (standIn !== undefined) return standIn
    const recipe = resolution.kind === 'recipe' ? this.#identities.runtime(resolution.recipe, architecture) : undefined
    return sha256(runtime, architecture, recipe ?? (resolution.kind === 'image' ? resolution.image : ''))
  }

  isVersionOf(hash: string, runtime: string): boolean {
    const { map, substitute } = this.#options
    const substituted = substitute === 'nearest' && map[runtime] === undefined && RECIPES[runtime] === undefined
    const names = [runtime, ...(substituted ? [nearestRecipe(runtime)] : [])]
    return [...this.#versions].some(([key, hashes]) => names.includes(key.split(' ')[0]) && hashes.has(hash))
  }

  #present(runtime: string, architecture: Architecture): string | undefined {
    return [...(this.#versions.get(`${runtime} ${architecture}`) ?? [])].at(-1)
  }

  async keepVersion(hash: string): Promise<boolean> {
    const id = `sha256:${hash}`
    if ((await inspectImage(this.#options.docker, id)) === undefined) return false
    await this.#kept.keep(id, hash)
    return true
  }

  /** Gives up pinned images that are not in `wanted`. Returns their number. */
  giveUpVersions(wanted: ReadonlySet<string>): Promise<number> {
    return this.#kept.giveUp(wanted)
  }

  /** The image of a runtime version. Throws SandboxError `image-missing` when the engine does not have it any more. */
  async pinnedImage(runtime: string, hash: string): Promise<string> {
    const key = `pinned ${hash}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const id = `sha256:${hash}`
    if ((await inspectImage(this.#options.docker, id)) === undefined) {
      const message = `The container engine no longer has the image ${id}, which ${runtime} is pinned to.`
      const remedy = "Set the function's UpdateRuntimeOn to Auto (PutRuntimeManagementConfig), or load the image again."
      throw new SandboxError('image-missing', runtime, message, remedy)
    }
    this.#known.set(key, id)
    return id
  }

  /** Looks which images are there, so that runtime versions have their names from the start. */
  async recall(): Promise<void> {
    const architecture = await this.architecture()
    const names = new Set([...Object.keys(RECIPES), ...Object.keys(this.#options.map)])
    await Promise.all([...names].map((runtime) => this.#recall(runtime, architecture)))
  }

  /** Path on this machine of the static supervisor, mode 0755; compiled again when its source has changed. */
  async supervisorPath(): Promise<string> {
    return (await this.#builder()).supervisorFile()
  }

  /** Reference of the image with iptables and iproute2, built if needed. */
  async toolsImage(): Promise<string> {
    await (await this.#builder()).tools()
    return TAGS.tools
  }

  async list(): Promise<RuntimeListing[]> {
    const architecture = await this.architecture()
    const names = [...new Set([...creatableRuntimes(), ...Object.keys(this.#options.map)])]
    return Promise.all(names.map((runtime) => this.#listing(runtime, architecture)))
  }

  /** Builds these runtimes, and the supervisor with them. Tries all before it reports the first failure. */
  async build(runtimes: readonly string[]): Promise<void> {
    const architecture = await this.architecture()
    const builder = await this.#builder()
    const work = [builder.supervisor(), ...runtimes.map((runtime) => this.prepare(runtime, architecture))]
    const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Writes every image of ours that the engine has, with supervisor and network tools. */
  async exportTo(file: string): Promise<void> {
    const builder = await this.#builder()
    await Promise.all([builder.supervisor(), builder.tools()])
    const present: string[] = []
    for (const runtime of Object.keys(RECIPES)) {
      const tag = TAGS.runtime(runtime)
      if (await inspectImage(this.#options.docker, tag)) present.push(tag)
    }
    if (present.length === 0) {
      const remedy = 'Build some first: hearth runtimes build.'
      throw new SandboxError('image-missing', 'export', 'There is no runtime image to export.', remedy)
    }
    const tags = [...present, TAGS.supervisor, TAGS.tools]
    await step(this.#options.progress, `exporting ${tags.length} images`, () =>
      exportImages(this.#options.docker, tags, file),
    )
  }

  async importFrom(file: string): Promise<void> {
    const { docker, progress } = this.#options
    await step(progress, `importing ${file}`, () => importImages(docker, file, progress))
    this.forget()
  }

  async #recall(runtime: string, architecture: Architecture): Promise<void> {
    const resolution = await this.#resolve(runtime, architecture, false)
    if (resolution.kind === 'unavailable') return
    const found = await inspectImage(this.#options.docker, imageOf(resolution))
    if (found !== undefined) this.#learn(`${runtime} ${architecture}`, found.id)
  }

  #learn(key: string, id: string): void {
    const hashes = this.#versions.get(key) ?? new Set()
    const hash = id.replace(/^sha256:/, '')
    // The present one is the last.
    hashes.delete(hash)
    hashes.add(hash)
    this.#versions.set(key, hashes)
  }

  async #prepare(runtime: string, architecture: Architecture): Promise<void> {
    const resolution = await this.#resolve(runtime, architecture, true)
    const { docker, progress } = this.#options
    if (resolution.kind === 'unavailable') {
      throw new SandboxError('image-missing', runtime, resolution.reason, 'See the message.')
    }
    const image = imageOf(resolution)
    if (resolution.kind === 'image') {
      if (await inspectImage(docker, image)) return
      if (await step(progress, `pulling ${image}`, () => pullBounded(docker, image))) return
      const remedy = `Build or import ${image} on this engine, or correct HEARTH_RUNTIME_IMAGE_MAP.`
      throw new SandboxError('image-missing', runtime, `The image ${image} of ${runtime} cannot be pulled.`, remedy)
    }
    if (resolution.substitute !== undefined) progress(`${runtime} runs on the image of ${resolution.substitute}`)
    try {
      await (await this.#builder()).runtime(resolution.recipe)
    } catch (error) {
      // An image of an older recipe still runs functions: better than none where nothing can be downloaded.
      if (!(await inspectImage(docker, image))) throw error
      progress(`${image} has an older recipe and could not be rebuilt; Hearth uses the old image: ${String(error)}`)
    }
  }

  async #resolve(runtime: string, architecture: Architecture, askRegistry: boolean): Promise<Resolution> {
    const { map, substitute } = this.#options
    const awsImage = map[runtime] === undefined ? await this.#awsImage(runtime, askRegistry) : undefined
    const engine = await this.architecture()
    return resolveImage(runtime, { map, substitute, awsImage, architecture, engineArchitecture: engine })
  }

  /** AWS's image, where it is preferred and the engine has it, or (if asked) a registry would give it. */
  async #awsImage(runtime: string, askRegistry: boolean): Promise<string | undefined> {
    const { docker, prefer } = this.#options
    if (prefer !== 'aws') return undefined
    try {
      const images = await docker.listImages()
      const present = images.flatMap((image) => image.RepoTags ?? []).find((tag) => isAwsImage(tag, runtime))
      if (present !== undefined || !askRegistry) return present
    } catch (error) {
      throw engineError('Listing images', error)
    }
    const name = awsImageName(runtime)
    return digestInRegistry(docker, name).then(
      () => name,
      () => undefined,
    )
  }

  async #listing(runtime: string, architecture: Architecture): Promise<RuntimeListing> {
    const resolution = await this.#resolve(runtime, architecture, false)
    if (resolution.kind === 'unavailable') return { runtime, state: 'unavailable', reason: resolution.reason }
    const image = imageOf(resolution)
    const found = await inspectImage(this.#options.docker, image)
    const substitute = resolution.kind === 'recipe' ? resolution.substitute : undefined
    if (!found) return { runtime, state: 'buildable', image, substitute }
    return { runtime, state: 'ready', image, sizeBytes: found.sizeBytes, substitute }
  }

  /** What the engine runs natively. */
  architecture(): Promise<Architecture> {
    return this.#engine.run('architecture', () => engineArchitecture(this.#options.docker))
  }

  #builder(): Promise<ImageBuilder> {
    return this.#builders.run('builder', async () => {
      const { docker, cacheDir, progress } = this.#options
      const architecture = await this.architecture()
      const cache = new Cache(cacheDir)
      return new ImageBuilder({ docker, cache, identities: this.#identities, root: this.#root, architecture }, progress)
    })
  }
}

function imageOf(resolution: Exclude<Resolution, { kind: 'unavailable' }>): string {
  return resolution.kind === 'image' ? resolution.image : TAGS.runtime(resolution.recipe)
}
