/**
 * File systems of functions: what is mounted, and looking at it before a container is made, because the engine's own words for a
 * mount that does not work are few, and a mount of a dead server keeps it waiting.
 */
import { opendir, stat } from 'node:fs/promises'
import type Dockerode from 'dockerode'
import { SingleFlight } from '../../../promises/single-flight.ts'
import { SandboxError, type SandboxErrorKind, type SandboxMount } from '../../driver.ts'
import { bounded, statusOf } from '../engine/errors.ts'
import { probeNfs } from './nfs-probe.ts'

const VOLUME_LIMIT_MS = 10_000
const UID = 993
const GID = 990

export interface FileSystemsOptions {
  readonly docker: Pick<Dockerode, 'getVolume'>
  /** How long a file system may take to answer, milliseconds. */
  readonly limitMs: number
  /** Reads a folder; for tests. */
  readonly look?: (path: string) => Promise<FolderFacts>
}

export interface FolderFacts {
  readonly folder: boolean
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export function mountSettings({ source, target }: SandboxMount): Dockerode.MountSettings {
  switch (source.kind) {
    case 'folder':
      return { Type: 'bind', Source: source.path, Target: target, BindOptions: { Propagation: 'rprivate' } }
    case 'volume':
      return { Type: 'volume', Source: source.name, Target: target, VolumeOptions: volume() }
    case 'nfs': {
      // Anonymous, so that it goes with its container. Soft: a server that dies must not leave a process that nobody can kill.
      const options = `addr=${source.host},port=${source.port},rw,nfsvers=4,soft,timeo=100,retrans=2,noresvport,nosuid,nodev`
      const driver = { Name: 'local', Options: { type: 'nfs', o: options, device: `:${source.path}` } }
      // The type of the engine's client asks for a name; without one the engine makes the volume anonymous.
      return { Type: 'volume', Target: target, VolumeOptions: { ...volume(), DriverConfig: driver } } as never
    }
  }
}

function volume() {
  // What the image has at that path must not be copied into the operator's volume.
  return { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } }
}

export class FileSystems {
  readonly #options: FileSystemsOptions
  /** A look at a dead file system may never end, and occupies a thread of Node.js: at most one for each folder. */
  readonly #looking = new SingleFlight<FolderFacts>()

  constructor(options: FileSystemsOptions) {
    this.#options = options
  }

  /** @throws SandboxError of a `mount-…` kind */
  async check(mounts: readonly SandboxMount[]): Promise<void> {
    await Promise.all(mounts.map((mount) => this.#check(mount)))
  }

  async #check(mount: SandboxMount): Promise<void> {
    const { source } = mount
    const { docker, limitMs } = this.#options
    if (source.kind === 'folder') return this.#checkFolder(mount, source.path)
    if (source.kind === 'nfs') {
      const problem = await probeNfs(source.host, source.port, limitMs)
      if (problem === undefined) return
      const where = `${source.host}:${source.port}`
      throw problem.kind === 'timeout'
        ? failure(mount, 'mount-timeout', problem.code, `${where} does not answer NFS calls.`, NFS_REMEDY)
        : failure(mount, 'mount-unreachable', problem.code, `${where} cannot be reached: ${problem.code}.`, NFS_REMEDY)
    }
    try {
      await bounded(VOLUME_LIMIT_MS, 'look at a volume', (abortSignal) =>
        docker.getVolume(source.name).inspect({ abortSignal }),
      )
    } catch (error) {
      if (statusOf((error as Error).cause) !== 404) throw error
      // Or the engine would make an empty one without a word.
      const remedy = `docker volume create ${source.name}, or change HEARTH_FILE_SYSTEMS.`
      throw failure(mount, 'mount-failed', '404', `The engine has no volume ${source.name}.`, remedy, error)
    }
  }

  async #checkFolder(mount: SandboxMount, path: string): Promise<void> {
    let facts: FolderFacts
    try {
      facts = await this.#look(path)
    } catch (error) {
      const { code = 'Unknown', message } = error as NodeJS.ErrnoException
      // What this process may not see, the engine may.
      if ((code === 'EACCES' || code === 'EPERM') && process.getuid?.() !== 0) return
      const kind = KINDS[code] ?? 'mount-failed'
      throw failure(mount, kind, code, message, REMEDIES[kind](path), error)
    }
    if (!facts.folder) {
      throw failure(mount, 'mount-failed', 'ENOTDIR', `${path} is not a folder.`, REMEDIES['mount-failed'](path))
    }
    if (!mayEnter(facts)) {
      throw failure(
        mount,
        'mount-failed',
        'EACCES',
        `${UID}:${GID} may not enter ${path}.`,
        REMEDIES['mount-failed'](path),
      )
    }
  }

  async #look(path: string): Promise<FolderFacts> {
    const { limitMs, look = lookAt } = this.#options
    const looking = this.#looking.run(path, () => look(path))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(Object.assign(new Error(`${path} does not answer within ${limitMs} ms`), { code: 'ETIMEDOUT' }))
      }, limitMs)
    })
    return Promise.race([looking, late]).finally(() => clearTimeout(timer))
  }
}

/** The engine could not make or start a container: whether one of its file systems was the reason. */
export function mountFailure(error: SandboxError, mounts: readonly SandboxMount[]): SandboxError | undefined {
  const mount = mounts.find(({ source }) => concerns(error, source))
  if (mount === undefined) return undefined
  const kind = ENGINE_ROWS.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'mount-failed'
  const remedy = mount.source.kind === 'folder' ? REMEDIES[kind](mount.source.path) : NFS_REMEDY
  return failure(mount, kind, error.code, error.message, remedy, error)
}

function concerns({ code, message }: SandboxError, source: SandboxMount['source']): boolean {
  switch (source.kind) {
    case 'folder':
      return (
        message.endsWith(`path does not exist: ${source.path}`) ||
        message.includes(`"${source.path}"`) ||
        message.includes(`'${source.path}'`)
      )
    case 'volume':
      return /mount/i.test(message) && message.includes(source.name)
    case 'nfs':
      return /failed to mount local volume/i.test(message) || code === 'ETIMEDOUT'
  }
}

type MountKind = Extract<SandboxErrorKind, `mount-${string}`>

const ENGINE_ROWS: readonly (readonly [RegExp, MountKind])[] = [
  [/input\/output error|stale/i, 'mount-io'],
  [/connection refused|no route to host|unreachable|connection reset/i, 'mount-unreachable'],
  [/timed out|no answer within/i, 'mount-timeout'],
]

/** What the kernel says of a folder. Everything else is a failure to mount. */
const KINDS: Readonly<Record<string, MountKind>> = {
  EIO: 'mount-io',
  ESTALE: 'mount-io',
  ENOTCONN: 'mount-io',
  EREMOTEIO: 'mount-io',
  EUCLEAN: 'mount-io',
  ENXIO: 'mount-io',
  ETIMEDOUT: 'mount-timeout',
  EHOSTDOWN: 'mount-unreachable',
  EHOSTUNREACH: 'mount-unreachable',
  ENETUNREACH: 'mount-unreachable',
}

const NFS_REMEDY =
  'Check the NFS server, its export and the network. This machine needs the kernel module nfs. Run `mount -t nfs` by hand to see more.'

const REMEDIES: Readonly<Record<MountKind, (path: string) => string>> = {
  'mount-failed': (path) =>
    `Create the folder and let functions use it: mkdir -p ${path} && chown ${UID}:${GID} ${path}`,
  'mount-io': (path) => `Check the disk or mount at ${path} (dmesg), and mount it again.`,
  'mount-timeout': (path) => `Check the mount at ${path}: its server does not answer.`,
  'mount-unreachable': (path) => `Check the mount at ${path}: its server cannot be reached.`,
}

function failure(
  mount: SandboxMount,
  kind: MountKind,
  code: string,
  message: string,
  remedy: string,
  cause?: unknown,
): SandboxError {
  return new SandboxError(
    kind,
    code,
    `Could not mount ${mount.accessPoint}: ${message}`,
    remedy,
    cause,
    mount.accessPoint,
  )
}

/** By the bits of the mode, as the kernel decides: the first of owner, group and others that fits. */
function mayEnter({ mode, uid, gid }: FolderFacts): boolean {
  const bits = uid === UID ? mode >> 6 : gid === GID ? mode >> 3 : mode
  return (bits & 0o5) === 0o5
}

async function lookAt(path: string): Promise<FolderFacts> {
  const found = await stat(path)
  const folder = found.isDirectory()
  if (folder) {
    // The entries come from the disk, the folder itself perhaps from a cache.
    const entries = await opendir(path)
    await entries.read().finally(() => entries.close())
  }
  return { folder, mode: found.mode, uid: found.uid, gid: found.gid }
}
