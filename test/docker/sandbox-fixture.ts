/** What the tests of the Docker driver share: a driver on a data directory of its own, functions as shell scripts, and what they said. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { DockerSandbox } from '../../src/sandbox/docker/container.ts'
import { DockerDriver, type DockerDriverOptions } from '../../src/sandbox/docker/driver.ts'
import { connect } from '../../src/sandbox/docker/engine/client.ts'
import { DockerRuntimeImages } from '../../src/sandbox/docker/images/runtime-images.ts'
import type { BridgePlace } from '../../src/sandbox/docker/network/bridge.ts'
import type { CellSpec, LaunchFailure, ProcessExit, SandboxObserver, Workload } from '../../src/sandbox/driver.ts'
import { CACHE } from '../support/host.ts'

export const docker = connect()
export const IMAGE = 'hearth-runtime:provided.al2023'
const SUPERVISOR_SOURCE = fileURLToPath(new URL('../../runtimes/supervisor/supervisor.c', import.meta.url))

export const execute = promisify(execFile)

const images = new DockerRuntimeImages({
  docker,
  cacheDir: CACHE,
  map: {},
  prefer: 'hearth',
  substitute: 'off',
  progress: () => {},
})
export const tools = () => images.toolsImage()

/** Compiled here when there is a compiler, so that the test is of the source in this checkout; in the toolchain's image otherwise. */
async function compileSupervisor(folder: string): Promise<string> {
  const file = join(folder, 'supervisor')
  const arguments_ = ['-O2', '-static', '-Wall', '-Wextra', '-Werror', '-o']
  try {
    await execute('gcc', [...arguments_, file, SUPERVISOR_SOURCE])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const mounts = ['-v', `${SUPERVISOR_SOURCE}:/in/supervisor.c:ro`, '-v', `${folder}:/out`]
    const compile = ['gcc', 'hearth-toolchain:latest', ...arguments_, '/out/supervisor', '/in/supervisor.c']
    await execute('docker', ['run', '--rm', ...mounts, '--entrypoint', ...compile])
  }
  return file
}

/** A folder with a data directory, the supervisor and functions; remove it with `remove`. */
export async function workFolder(): Promise<{ data: string; supervisor: string; remove: () => Promise<void> }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'hearth-sandbox-test-')))
  await chmod(folder, 0o755)
  const data = join(folder, 'data')
  await mkdir(join(data, 'functions'), { recursive: true })
  return {
    data,
    supervisor: await compileSupervisor(folder),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export function newDriver(
  work: { readonly data: string; readonly supervisor: string },
  options: Partial<DockerDriverOptions> = {},
): DockerDriver {
  return new DockerDriver({
    docker,
    instance: 'test',
    dataDir: work.data,
    supervisor: async () => work.supervisor,
    tools,
    functionReach: [],
    maxParallelStarts: 4,
    log: () => undefined,
    ...options,
  })
}

let functions = 0

/** A folder with a `bootstrap` of these shell commands, as an unpacked package. */
export async function functionOf(data: string, script: string): Promise<string> {
  const folder = join(data, 'functions', `${process.pid}-${functions++}`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'bootstrap'), script.startsWith('#!') ? script : `#!/bin/bash\n${script}\n`)
  await chmod(join(folder, 'bootstrap'), 0o755)
  return folder
}

export class Observed implements SandboxObserver {
  readonly exits: ProcessExit[] = []
  readonly failures: LaunchFailure[] = []
  readonly losses: string[] = []
  readonly #chunks: Uint8Array[] = []

  output(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
  }
  exit(exit: ProcessExit): void {
    this.exits.push(exit)
  }
  launchFailure(failure: LaunchFailure): void {
    this.failures.push(failure)
  }
  lost(reason: string): void {
    this.losses.push(reason)
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1')
  }
}

/** Waits until the condition holds; fails after a minute with what it is about. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`Not within a minute: ${what}`)
}

export interface Running {
  readonly sandbox: DockerSandbox
  readonly seen: Observed
  readonly address: string
  readonly place: BridgePlace
}

export async function startFunction(
  driver: DockerDriver,
  data: string,
  script: string,
  given: Partial<CellSpec & Workload> = {},
): Promise<Running> {
  const seen = new Observed()
  const {
    environment = { TEST: 'yes' },
    codePath = await functionOf(data, script),
    layersPath,
    program,
    ...cell
  } = given
  const place = cell.place ?? (await driver.reserve())
  const sandbox = await driver.start(
    {
      image: IMAGE,
      memoryMb: 128,
      ephemeralStorageMb: 512,
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test:$LATEST',
      ...cell,
      place,
    },
    {
      environment,
      codePath,
      ...(layersPath === undefined ? {} : { layersPath }),
      ...(program === undefined ? {} : { program }),
    },
    seen,
  )
  return { sandbox, seen, address: place.sandboxAddress ?? '', place: place as BridgePlace }
}

export async function chains(): Promise<string> {
  return (await execute('iptables', ['-w', '10', '-S'])).stdout
}
