/** Which image runs a runtime: pure. Order: the operator's own, AWS's where preferred and to be had, our build, the nearest of the family. */
import type { Architecture } from '../../../lambda/function.ts'
import { RUNTIMES } from '../../../lambda/runtimes.ts'
import { RECIPES } from './catalogue.ts'

export interface ResolveOptions {
  /** Operator's mapping: runtime identifier to image. */
  readonly map: Readonly<Record<string, string>>
  readonly substitute: 'off' | 'nearest'
  /** AWS's image for this runtime, where it is preferred and present or pullable. */
  readonly awsImage?: string
  readonly architecture: Architecture
  readonly engineArchitecture: Architecture
}

export type Resolution =
  /** An image that is not ours to build. */
  | { readonly kind: 'image'; readonly image: string }
  /** Our recipe of this name; `substitute` when it is not the runtime asked for. */
  | { readonly kind: 'recipe'; readonly recipe: string; readonly substitute?: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** A version as one number that grows with it: 3.13 is 3013, 20 is 20000. */
function rank(language: string): number {
  const [major, minor] = language.split('.')
  return Number(major) * 1000 + Number(minor ?? 0)
}

/** The recipe of the same family whose version is nearest; the newer one where two are equally near. */
export function nearestRecipe(runtime: string): string | undefined {
  const wanted = RUNTIMES[runtime]
  if (!wanted) return undefined
  const distance = (name: string): number => {
    if (wanted.family === 'provided') return name === 'provided.al2023' ? 0 : 1
    // A thousandth less for a newer version: it wins where two are equally near.
    const step = rank(RUNTIMES[name]?.language ?? '') - rank(wanted.language)
    return step > 0 ? step - 0.001 : -step
  }
  const family = Object.keys(RECIPES).filter((name) => RUNTIMES[name]?.family === wanted.family)
  return family.sort((a, b) => distance(a) - distance(b))[0]
}

export function resolveImage(runtime: string, options: ResolveOptions): Resolution {
  const mapped = options.map[runtime]
  if (mapped !== undefined) return { kind: 'image', image: mapped }
  if (options.architecture !== options.engineArchitecture) {
    const reason =
      `${runtime} on ${options.architecture} is not available: the container engine of this host runs ${options.engineArchitecture}. ` +
      `Create the function with Architectures ["${options.engineArchitecture}"].`
    return { kind: 'unavailable', reason }
  }
  if (options.awsImage !== undefined) return { kind: 'image', image: options.awsImage }
  if (RECIPES[runtime]) return { kind: 'recipe', recipe: runtime }
  const nearest = options.substitute === 'nearest' ? nearestRecipe(runtime) : undefined
  if (nearest !== undefined) return { kind: 'recipe', recipe: nearest, substitute: nearest }
  return { kind: 'unavailable', reason: unavailableReason(runtime, options.map) }
}

/** One sentence on what is available, and one on how to get this runtime. */
export function unavailableReason(runtime: string, map: Readonly<Record<string, string>>): string {
  const available = [...new Set([...Object.keys(RECIPES), ...Object.keys(map)])].sort().join(', ')
  const nearest = nearestRecipe(runtime)
  const substitute = nearest === undefined ? '' : `, or set HEARTH_RUNTIME_SUBSTITUTE=nearest to run it on ${nearest}`
  return (
    `${runtime} is not available on this host; available are ${available}. To get it, name an image that follows the contract of ` +
    `AWS's base images, HEARTH_RUNTIME_IMAGE_MAP=${runtime}=IMAGE, or set HEARTH_RUNTIME_IMAGES=aws where ` +
    `${awsImageName(runtime)} is present or can be pulled${substitute}.`
  )
}

/** AWS's base image of a runtime, as the engine's default registry names it. */
export function awsImageName(runtime: string): string {
  const { family, tag } = awsImageParts(runtime)
  return `amazon/aws-lambda-${family}:${tag}`
}

/** Whether a tag in the engine is AWS's base image of this runtime, from whichever registry or mirror it came. */
export function isAwsImage(tag: string, runtime: string): boolean {
  const parts = awsImageParts(runtime)
  const name = `${parts.family}:${parts.tag}`
  return tag === awsImageName(runtime) || tag.endsWith(`/aws-lambda-${name}`) || `/${tag}`.endsWith(`/lambda/${name}`)
}

function awsImageParts(runtime: string): { family: string; tag: string } {
  const row = RUNTIMES[runtime]
  const family = row?.family ?? 'provided'
  // java8.al2 -> 8.al2, nodejs22.x -> 22, provided.al2023 -> al2023
  const tag = family === 'java' ? runtime.slice('java'.length) : (row?.language ?? 'al2023')
  return { family, tag }
}
