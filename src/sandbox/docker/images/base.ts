/** Debian file systems to start from: the official image where a registry has it, otherwise assembled from Debian's archive. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type Dockerode from 'dockerode'
import { SandboxError } from '../../driver.ts'
import { type Cache, named } from './cache.ts'
import type { Suite } from './catalogue.ts'
import { engineError, inspectImage, readToEnd } from './engine.ts'
import { sha256 } from './identity.ts'
import { installPackage } from './machine/apt.ts'
import { isInstalled, runCommand } from './machine/command.ts'
import { type Progress, step } from './progress.ts'
import { pullImage } from './registry/registry.ts'

/** Milliseconds without a word from the registry, and in all, after which pulling is given up and the file system assembled here. */
const PULL_SILENCE_MS = 20_000
const PULL_TOTAL_MS = 180_000

/** Pulls an image in bounded time. `false`: it cannot be had that way. */
export async function pullBounded(docker: Dockerode, name: string): Promise<boolean> {
  return pullImage(docker, name, { silenceMs: PULL_SILENCE_MS, totalMs: PULL_TOTAL_MS }).then(
    () => true,
    () => false,
  )
}

const EXCLUDED = ['man', 'locale', 'doc', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)
const INCLUDED = ['ca-certificates', 'libgcc-s1', 'libstdc++6', 'tzdata']

/** Arguments that make an 81–83 MB system of each suite; see docs/adr/0002-runtime-images.md. */
export function mmdebstrapArguments(suite: Suite): string[] {
  const include = suite === 'bookworm' ? [...INCLUDED, 'usr-is-merged'] : INCLUDED
  return [
    '--variant=minbase',
    `--include=${include.join(',')}`,
    ...EXCLUDED,
    // bookworm's `usrmerge` needs a complete perl (48 MB); merged from the start, the empty `usr-is-merged` takes its place.
    ...(suite === 'bookworm' ? ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'] : []),
    // The rolling suite's index may be older than it claims to be valid.
    ...(suite === 'sid' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    suite,
    '-',
  ]
}

async function haveMmdebstrap(suite: Suite, progress: Progress): Promise<void> {
  if (await isInstalled('mmdebstrap')) return
  const remedy =
    `Do one of these: run "docker pull debian:${suite}-slim" where a registry can be reached; ` +
    'install the Debian package mmdebstrap on this machine; or import an archive of runtime images made elsewhere.'
  if (process.getuid?.() !== 0 || !(await isInstalled('apt-get'))) {
    const message = `debian:${suite}-slim cannot be pulled, and mmdebstrap, which assembles it from Debian's archive, is not installed.`
    throw new SandboxError('unexpected', 'no-base', message, remedy)
  }
  await installPackage('mmdebstrap', { progress, remedy })
}

/** Name of an image with a plain Debian of this suite: `debian:<suite>-slim`, or one that was assembled here. */
export async function debianImage(docker: Dockerode, cache: Cache, suite: Suite, progress: Progress): Promise<string> {
  const official = `debian:${suite}-slim`
  if (await inspectImage(docker, official)) return official
  progress(`pulling ${official} …`)
  if (await pullBounded(docker, official)) return official
  progress(`${official} cannot be pulled: assembling the file system from Debian's archive`)
  await haveMmdebstrap(suite, progress)

  const args = mmdebstrapArguments(suite)
  const folder = await step(progress, `debian ${suite}`, () =>
    cache.folder(named(`debian-${suite}`, sha256(process.arch, ...args)), (partial) =>
      runCommand('mmdebstrap', args, {
        output: join(partial, 'root.tar'),
        remedy: 'Check that this machine reaches Debian’s archive (apt-get update), then try again.',
      }),
    ),
  )
  const name = `hearth-debian:${suite}`
  try {
    const options = { repo: 'hearth-debian', tag: suite }
    await readToEnd(await docker.importImage(createReadStream(join(folder, 'root.tar')), options), () => {})
  } catch (error) {
    throw engineError(`Importing the file system of Debian ${suite} failed`, error)
  }
  return name
}
