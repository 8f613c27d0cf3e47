/** The few engine calls that preparing images needs; errors come out as SandboxError. */
import type Dockerode from 'dockerode'
import type { Architecture } from '../../../lambda/function.ts'
import { SandboxError } from '../../driver.ts'
import { sandboxError, statusOf } from '../engine/errors.ts'
import { type ImageKind, LABELS } from './catalogue.ts'
import type { BuildContext } from './context.ts'
import { ToolFailure } from './tool-failure.ts'

/** As `sandboxError`, with the whole text: it ends with what a build printed. */
export function engineError(doing: string, error: unknown): SandboxError {
  if (error instanceof SandboxError) return error
  const { kind, code, remedy } = sandboxError(error, doing)
  const text = error instanceof Error ? error.message : String(error)
  return new SandboxError(kind, code, `${doing}: ${text}`, remedy, error)
}

export interface ImageFacts {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly sizeBytes: number
  readonly architecture: string
}

/** `undefined`: the engine does not have it. */
export async function inspectImage(docker: Dockerode, name: string): Promise<ImageFacts | undefined> {
  try {
    const image = await docker.getImage(name).inspect()
    const labels = image.Config?.Labels ?? {}
    return { id: image.Id, labels, sizeBytes: image.Size, architecture: image.Architecture }
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw engineError(`Looking for the image ${name}`, error)
  }
}

export async function engineArchitecture(docker: Dockerode): Promise<Architecture> {
  try {
    const { Arch } = await docker.version()
    return Arch === 'arm64' || Arch === 'aarch64' ? 'arm64' : 'x86_64'
  } catch (error) {
    throw engineError('Asking the container engine for its version', error)
  }
}

interface StreamEvent {
  readonly stream?: string
  readonly status?: string
  readonly error?: string
}

/** Lines of a stream that are kept for its failure, and how many of them an error shows. */
const KEPT_LINES = 2000
const SHOWN_LINES = 15

class StreamFailure extends Error {
  /** All lines, the failure as the last one. */
  readonly output: string

  constructor(failure: string, lines: readonly string[]) {
    super(`${failure}\n${lines.slice(-SHOWN_LINES).join('\n')}`)
    this.output = [...lines, failure].join('\n')
  }
}

/** Reads an engine's progress stream to its end; failures arrive inside a 200 answer, as the last event. */
export async function readToEnd(stream: NodeJS.ReadableStream, line: (text: string) => void): Promise<void> {
  let rest = ''
  let failure: string | undefined
  const tail: string[] = []
  const take = (text: string): void => {
    if (text.trim() === '') return
    const event = JSON.parse(text) as StreamEvent
    if (event.error) failure = event.error
    const said = (event.stream ?? event.status)?.trim()
    if (!said) return
    tail.push(said)
    if (tail.length > KEPT_LINES) tail.shift()
    line(said)
  }
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) take(text)
  }
  take(rest)
  if (failure !== undefined) throw new StreamFailure(failure, tail)
}

export interface ImageBuild {
  readonly tag: string
  readonly kind: ImageKind
  /** Recipe hash for the label. */
  readonly recipe: string
  readonly context: BuildContext
  /** Build arguments end up in the image's history: nothing secret. */
  readonly args?: Readonly<Record<string, string>>
}

/** Proxy settings are passed on: the engine knows these arguments and keeps them out of the image's history. */
function proxyArguments(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']) {
    const value = environment[name]
    if (value) found[name] = value
  }
  return found
}

export async function buildImage(docker: Dockerode, build: ImageBuild, line: (text: string) => void): Promise<void> {
  const previous = await inspectImage(docker, build.tag)
  try {
    const stream = await build.context.send((file, abortSignal) =>
      docker.buildImage(file, {
        t: build.tag,
        buildargs: { ...proxyArguments(process.env), ...build.args },
        labels: { [LABELS.kind]: build.kind, [LABELS.recipe]: build.recipe },
        rm: true,
        forcerm: true,
        abortSignal,
      }),
    )
    await readToEnd(stream, line)
    if (previous) await removeUntagged(docker, previous.id)
  } catch (error) {
    if (error instanceof StreamFailure) {
      const remedy =
        'Check that the engine reaches Debian’s archive, or your mirror of it, and prepare the image again.'
      throw new ToolFailure('the build ended with an error', 'build', error.output, remedy)
    }
    throw engineError(`Building the image ${build.tag} failed`, error)
  }
}

/** The image that a new build took the tag from, unless another tag or a container still needs it. */
async function removeUntagged(docker: Dockerode, id: string): Promise<void> {
  try {
    const image = docker.getImage(id)
    const { RepoTags } = await image.inspect()
    if ((RepoTags ?? []).length === 0) await image.remove()
  } catch {
    // Still in use: it goes with the containers' next cleaning, and costs only disk until then.
  }
}
