/** Whether an image that somebody built can run as a function here: pure, from what the engine says of it. */
import type { Architecture, ImageConfig } from '../../../lambda/function.ts'
import { LIMITS } from '../../../lambda/limits.ts'
import type { ImageProgram } from '../../driver.ts'

export interface ImageDescription {
  readonly architecture: string
  readonly os: string
  readonly entryPoint: readonly string[]
  readonly command: readonly string[]
  readonly workingDirectory: string
  /** `NAME=value` */
  readonly environment: readonly string[]
  readonly volumes: readonly string[]
  /** All layers, uncompressed. */
  readonly sizeBytes: number
}

/** Bytes of an image's own variables; ours. The kernel refuses to start programs with some more. */
const ENVIRONMENT_BYTES = 65_536
const VOLUMES = 16
/** What the sandbox mounts, or the engine must find as it is. A volume on the way to it, or within it, would be in the way. */
const TAKEN = ['/var/hearth', '/proc', '/sys', '/dev', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf']

/** @returns the program, or the sentence that says why the image cannot run */
export function programOf(
  image: ImageDescription,
  config: ImageConfig | undefined,
  architecture: Architecture,
): ImageProgram | string {
  const engine = architecture === 'arm64' ? 'arm64' : 'amd64'
  if (image.os !== 'linux' || image.architecture !== engine) {
    return `The image is for ${image.os}/${image.architecture}; the function runs on linux/${engine}. Build it for that platform.`
  }
  if (image.sizeBytes > LIMITS.imageBytes) {
    return `The image has ${image.sizeBytes} bytes; the limit is ${LIMITS.imageBytes}.`
  }
  const environmentBytes = Buffer.byteLength(image.environment.join('\0'))
  if (environmentBytes > ENVIRONMENT_BYTES) {
    return `The image's environment variables have ${environmentBytes} bytes; the limit is ${ENVIRONMENT_BYTES}.`
  }
  const volumes = image.volumes.map(normalized).filter((path) => path !== '/tmp')
  if (volumes.length > VOLUMES) return `The image declares ${volumes.length} volumes; the limit is ${VOLUMES}.`
  const blocked = volumes.find((path) => TAKEN.some((taken) => within(taken, path) || within(path, taken)))
  if (blocked !== undefined) return `The image declares ${blocked} as a volume, which a function cannot have.`
  const program = [...(config?.entryPoint ?? image.entryPoint), ...(config?.command ?? image.command)]
  if (program[0] === undefined || program[0] === '') {
    return 'The image has neither ENTRYPOINT nor CMD. Set one of them, or EntryPoint in ImageConfig.'
  }
  const workingDirectory = config?.workingDirectory ?? (image.workingDirectory || '/')
  return { arguments: program, workingDirectory, volumes }
}

function normalized(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** Whether `path` is `folder` or below it. */
function within(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}
