/** Images that functions bring along: found on this machine or in their registry, pinned by digest, pulled, and kept (kept.ts). */
import type Dockerode from 'dockerode'
import { LambdaException } from '../../../lambda/errors.ts'
import type { Architecture, FunctionVersion, ImageConfig, PinnedImage } from '../../../lambda/function.ts'
import type { FunctionImages, ImageReadiness } from '../../../ports/function-images.ts'
import { SingleFlight } from '../../../promises/single-flight.ts'
import { type ImageProgram, SandboxError } from '../../driver.ts'
import { bounded, sentenceOf, statusOf } from '../engine/errors.ts'
import { LABELS } from '../engine/labels.ts'
import { refusedDevice } from './device-files.ts'
import { engineError } from './engine.ts'
import { type ImageDescription, programOf } from './function-image.ts'
import { KeptImages } from './kept.ts'
import { Once, type Progress } from './progress.ts'
import { parseImageReference } from './registry/reference.ts'
import { digestInRegistry, isRefusal, pullImage } from './registry/registry.ts'
import { registryOf } from './registry/registry-credentials.ts'

/** Large images over slow lines; while the registry sends something, it is waited for. */
const PULL = { silenceMs: 60_000, totalMs: 30 * 60_000 }
const REGISTRY_LIMIT_MS = 30_000
const PATIENCE_MS = 60_000

export interface FunctionImagesOptions {
  readonly docker: Dockerode
  /** Id of this host: other hosts on the same engine keep their own images. */
  readonly instance: string
  readonly progress: Progress
  /** Milliseconds for which an image is never given up: its function may not be written yet. */
  readonly graceMs?: number
  /** Milliseconds that an invocation waits for an image that has to be pulled again. */
  readonly patienceMs?: number
}

type Found = ImageDescription & { readonly id: string; readonly repoDigests: readonly string[] }

export class DockerFunctionImages implements FunctionImages {
  readonly #docker: Dockerode
  readonly #kept: KeptImages
  readonly #instance: string
  readonly #progress: Progress
  readonly #patienceMs: number
  readonly #pulls = new SingleFlight<void>()
  /** Images that were there when an environment was last started with them. */
  readonly #known = new Once<Found>()
  readonly #knownReferences = new Set<string>()
  /** Why images are refused for what is in them, by their ids; each is read once. */
  readonly #refusals = new Once<string | undefined>()

  constructor({ docker, instance, progress, graceMs, patienceMs = PATIENCE_MS }: FunctionImagesOptions) {
    this.#patienceMs = patienceMs
    this.#docker = docker
    this.#kept = new KeptImages(docker, `hearth-function-${instance}`, graceMs)
    this.#instance = instance
    this.#progress = progress
  }

  async resolve(uri: string): Promise<{ readonly image: PinnedImage; readonly digestHex: string }> {
    const named = parseImageReference(uri)
    if (named === undefined) throw refused(`Source image ${uri} is not valid. Provide a valid source image.`)
    const local = await this.#inspect(uri)
    const pinned = (digest: string, reference?: string) => {
      const resolvedUri = `${named.repository}@${digest}`
      return { image: { uri, resolvedUri, reference: reference ?? resolvedUri }, digestHex: digest.slice(7) }
    }
    if (local === undefined) return pinned(await this.#digestInRegistry(uri))
    // Without a digest from a registry it was made here, and its id is its only lasting name.
    const ofRepository = local.repoDigests.find((one) => one.startsWith(`${named.repository}@`))
    const digest = named.digest ?? ofRepository?.slice(named.repository.length + 1)
    return digest === undefined ? pinned(local.id, local.id) : pinned(digest)
  }

  async prepare(
    image: PinnedImage,
    config: ImageConfig | undefined,
    architecture: Architecture,
  ): Promise<ImageReadiness> {
    const found = await this.#present(image.reference)
    if (typeof found === 'string') {
      const code = isRemote(image) ? 'ImageAccessDenied' : 'ImageDeleted'
      return { ready: false, code, reason: found }
    }
    const program = programOf(found, config, architecture)
    if (typeof program === 'string') return { ready: false, code: 'InvalidImage', reason: program }
    const refusal = await this.#refusals.run(found.id, () => this.#read(image.uri, found.id))
    if (refusal !== undefined) return { ready: false, code: 'InvalidImage', reason: refusal }
    await this.#keep(image, found.id)
    return { ready: true }
  }

  /** Once for each image. @returns why functions cannot have it */
  #read(uri: string, id: string): Promise<string | undefined> {
    const extension = (name: string) =>
      this.#progress(
        `${uri} contains the external extension ${name}, which Hearth does not start: this version does not support external extensions`,
      )
    return refusedDevice(this.#docker, id, { extension })
  }

  /** What to run for a version. @throws SandboxError `image-missing` when the engine does not have it and cannot get it. */
  async forVersion({ image, imageConfig, architecture }: FunctionVersion): Promise<{
    readonly reference: string
    readonly program: ImageProgram
  }> {
    if (image === undefined) throw new TypeError('The function has no image.')
    const { reference } = image
    this.#knownReferences.add(reference)
    const found = await this.#known.run(reference, async () => {
      const present = await this.#soon(reference)
      if (typeof present === 'string') throw missing(image, present)
      return present
    })
    const program = programOf(found, imageConfig, architecture)
    if (typeof program === 'string') throw missing(image, program)
    return { reference, program }
  }

  /** The driver found an image gone: the next environments ask the engine again. */
  forget(): void {
    for (const reference of this.#knownReferences) this.#known.forget(reference)
    this.#knownReferences.clear()
  }

  /** Gives up the images that are not in `keep` (digests in hex, as CodeSha256). Returns their number. */
  async collect(keep: ReadonlySet<string>): Promise<number> {
    const removed = await this.#kept.giveUp(keep)
    await this.#collectVolumes(keep)
    return removed
  }

  /** What images declare as volumes (spec.ts). Those that are mounted are left alone by the engine. */
  async #collectVolumes(keep: ReadonlySet<string>): Promise<void> {
    const label = [`${LABELS.instance}=${this.#instance}`, LABELS.functionImage]
    const { Volumes } = await this.#docker.listVolumes({ filters: JSON.stringify({ label }) })
    for (const { Name, Labels } of Volumes ?? []) {
      if (keep.has(Labels?.[LABELS.functionImage] ?? '')) continue
      await this.#docker
        .getVolume(Name)
        .remove()
        .catch((error: unknown) => this.#progress(`the volume ${Name} stays for now: ${sentenceOf(error, 500)}`))
    }
  }

  /** As `#present`, but an invocation waits: a long pull goes on without it, for the next one. */
  async #soon(reference: string): Promise<Found | string> {
    const found = this.#present(reference)
    found.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`The image ${reference} is still being pulled.`), this.#patienceMs)
    })
    return Promise.race([found, late]).finally(() => clearTimeout(timer))
  }

  /** The image, pulled if need be, or why it is not to be had. */
  async #present(reference: string): Promise<Found | string> {
    const found = await this.#inspect(reference)
    if (found !== undefined) return found
    if (!reference.includes('@')) {
      return `The image ${reference}  was built on this machine, and its container engine no longer has it. Build it again and call UpdateFunctionCode.`
    }
    try {
      await this.#pull(reference)
    } catch (error) {
      if (isRefusal(error)) return noAccess(reference)
      return `The image ${reference} is not in the container engine and cannot be pulled: ${sentenceOf(error, 500)}`
    }
    return (await this.#inspect(reference)) ?? `The image ${reference} was pulled and is gone again.`
  }

  #pull(reference: string): Promise<void> {
    return this.#pulls.run(reference, () => {
      this.#progress(`pulling ${reference}`)
      return pullImage(this.#docker, reference, PULL)
    })
  }

  async #keep(image: PinnedImage, id: string): Promise<void> {
    try {
      await this.#kept.keep(id, image.resolvedUri.slice(-64))
    } catch (error) {
      // It runs all the same, until somebody tidies up.
      this.#progress(`${image.uri} could not be marked as used: ${sentenceOf(error, 500)}`)
    }
  }

  async #digestInRegistry(uri: string): Promise<string> {
    try {
      return await bounded(REGISTRY_LIMIT_MS, 'ask the registry', (signal) =>
        digestInRegistry(this.#docker, uri, signal),
      )
    } catch (error) {
      if (isRefusal((error as SandboxError).cause)) {
        throw new LambdaException('AccessDeniedException', noAccess(uri), { cause: error })
      }
      throw refused(
        `Source image ${uri} does not exist. Provide a valid source image. It is not in this host's container engine, and its registry did not give it: ${sentenceOf(error, 500)}`,
        error,
      )
    }
  }

  async #inspect(name: string): Promise<Found | undefined> {
    try {
      const image = await this.#docker.getImage(name).inspect()
      const config = image.Config
      return {
        id: image.Id,
        repoDigests: image.RepoDigests ?? [],
        architecture: image.Architecture,
        os: image.Os,
        entryPoint: texts(config?.Entrypoint),
        command: texts(config?.Cmd),
        workingDirectory: config?.WorkingDir ?? '',
        environment: config?.Env ?? [],
        volumes: Object.keys(config?.Volumes ?? {}),
        sizeBytes: image.Size,
      }
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw engineError(`Looking for the image ${name}`, error)
    }
  }
}

function isRemote({ reference }: PinnedImage): boolean {
  return reference.includes('@')
}

function texts(given: string | readonly string[] | null | undefined): readonly string[] {
  return typeof given === 'string' ? [given] : (given ?? [])
}

/** AWS's sentences [V] (unverified), and what to do here. */
function noAccess(image: string): string {
  const registry = registryOf(image)
  return `Lambda does not have permission to access the ECR image. Check the ECR permissions. The registry ${registry} refuses ${image} to this host: run docker login ${registry} as the user that Hearth runs as, or set DOCKER_CONFIG.`
}

function refused(message: string, cause?: unknown): LambdaException {
  return new LambdaException('InvalidParameterValueException', message, cause === undefined ? {} : { cause })
}

function missing(image: PinnedImage, reason: string): SandboxError {
  const remedy = `Pull or build ${image.uri} on this machine's container engine, or call UpdateFunctionCode with another ImageUri.`
  return new SandboxError('image-missing', image.uri, reason, remedy)
}
