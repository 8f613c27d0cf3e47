/**
 * Runs one command in a throw-away container and takes the result out: how everything is compiled and how pip runs. Nothing of it, and
 * nothing of the host's configuration that it was given, ends up in an image.
 */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type Dockerode from 'dockerode'
import { LABELS } from './catalogue.ts'
import type { BuildContext } from './context.ts'
import { engineError } from './engine.ts'
import { ToolFailure } from './tool-failure.ts'

export interface Job {
  readonly image: string
  /** Put into the container's root before the command runs. */
  readonly files: BuildContext
  /** Run with `sh -ec` in /work. */
  readonly command: string
  readonly environment?: Readonly<Record<string, string>>
  /** Path in the container whose content is the result. */
  readonly result: string
  /** File of this machine that takes the result, as a tar. */
  readonly output: string
  readonly remedy: string
}

/** Lines of output that are kept of a failure. */
const KEPT_LINES = 2000

export async function runJob(docker: Dockerode, job: Job): Promise<void> {
  const container = await docker
    .createContainer({
      Image: job.image,
      Entrypoint: ['sh', '-ec'],
      Cmd: [job.command],
      User: '0:0',
      WorkingDir: '/work',
      Env: Object.entries(job.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      Tty: true,
      // `hearth.job` and not the sandbox labels: this container belongs to no instance's sandboxes.
      Labels: { 'hearth.job': 'prepare', [LABELS.kind]: 'toolchain' },
    })
    .catch((error: unknown) => {
      throw engineError(`Creating a container of ${job.image} failed`, error)
    })
  try {
    await job.files.send((files, abortSignal) => container.putArchive(files, { path: '/', abortSignal }))
    await container.start()
    const { StatusCode } = (await container.wait()) as { StatusCode: number }
    if (StatusCode !== 0) {
      const log = await container.logs({ stdout: true, stderr: true, tail: KEPT_LINES })
      throw new ToolFailure(
        `its program ended with status ${StatusCode}`,
        String(StatusCode),
        log.toString(),
        job.remedy,
      )
    }
    await pipeline(await container.getArchive({ path: job.result }), createWriteStream(job.output))
  } catch (error) {
    throw engineError(`Running a preparation step in ${job.image} failed`, error)
  } finally {
    await container.remove({ force: true, v: true }).catch(() => {})
  }
}

/** A file out of an image, as a tar, without running anything in it. */
export async function copyOut(docker: Dockerode, image: string, path: string, output: string): Promise<void> {
  const container = await docker.createContainer({ Image: image, Cmd: [path], Labels: { 'hearth.job': 'copy' } })
  try {
    await pipeline(await container.getArchive({ path }), createWriteStream(output))
  } finally {
    await container.remove({ force: true, v: true }).catch(() => {})
  }
}
