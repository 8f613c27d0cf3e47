/** What a sandbox is for the engine: the create options of its container. Pure, so that every restriction is tested without an engine. */
import type Dockerode from 'dockerode'
import { LIMITS } from '../../lambda/limits.ts'
import type { CellSpec, Workload } from '../driver.ts'
import { digest, type Identity, LABELS, labelsOf, nameable } from './engine/labels.ts'
import { mountSettings } from './files/mounts.ts'

/** Where the supervisor is mounted; the program that it starts comes with the image. */
const SUPERVISOR_TARGET = '/var/hearth/supervisor'
const RUNTIME_ENTRY = '/var/runtime/bootstrap'

/** sbx_user1051. [V] name, uid and gid (unverified) */
const USER = '993:990'
const MIB = 1024 * 1024

export interface SpecOptions {
  readonly identity: Identity
  /** Makes the name unique, e.g. 8 hex digits. */
  readonly nonce: string
  readonly network: { readonly name: string; readonly gateway: string; readonly address: string }
  /** The static supervisor binary on this machine. */
  readonly supervisorPath: string
  /** Folder that becomes /tmp; `undefined`: a tmpfs, whose pages count against MemorySize. */
  readonly tmpPath: string | undefined
  /** Some ports of the host are reachable as host.docker.internal. */
  readonly reachesHost: boolean
}

export function containerName(cell: CellSpec, options: Pick<SpecOptions, 'identity' | 'nonce'>): string {
  const name = cell.functionArn.split(':')[6] ?? 'function'
  return `hearth-${nameable(options.identity.instance)}-${nameable(name)}-${options.nonce}`
}

export function containerOptions(
  cell: CellSpec,
  workload: Workload,
  options: SpecOptions,
): Dockerode.ContainerCreateOptions {
  const { program } = workload
  const mounts = [
    readOnly(options.supervisorPath, SUPERVISOR_TARGET),
    ...(workload.codePath === undefined ? [] : [readOnly(workload.codePath, '/var/task')]),
    ...(workload.layersPath === undefined ? [] : [readOnly(workload.layersPath, '/opt')]),
    ...(cell.mounts ?? []).map(mountSettings),
    // nosuid and nodev come with the mount that is bound here.
    ...(options.tmpPath === undefined ? [] : [{ ...readOnly(options.tmpPath, '/tmp'), ReadOnly: false }]),
    ...volumesOf(program, cell.mounts).map((path) => asInImage(cell.image, path, options.identity.instance)),
  ]
  return {
    name: containerName(cell, options),
    Image: cell.image,
    Entrypoint: [SUPERVISOR_TARGET],
    // The engine would make a working directory that is not there; the supervisor reports it.
    Cmd: commandOf(workload),
    Env: Object.entries(workload.environment).map(([key, value]) => `${key}=${value}`),
    User: USER,
    WorkingDir: program ? '/' : '/var/task',
    Hostname: 'sandbox',
    Labels: { ...labelsOf(options.identity), [LABELS.function]: cell.functionArn, ...securityGroupLabels(cell) },
    // An image's own health check would run processes in the sandbox.
    Healthcheck: { Test: ['NONE'] },
    // One stream for commands, output and reports; when it ends, stdin ends, and with it the supervisor.
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
    HostConfig: { Mounts: mounts, ...restrictions(cell, options) },
    NetworkingConfig: {
      EndpointsConfig: { [options.network.name]: { IPAMConfig: { IPv4Address: options.network.address } } },
    },
  }
}

/** What the kernel holds it to. */
function restrictions(cell: CellSpec, options: SpecOptions): Dockerode.HostConfig {
  return {
    ...(options.tmpPath === undefined ? { Tmpfs: { '/tmp': tmpfs(cell.ephemeralStorageMb) } } : {}),
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
    // AWS's sandboxes have no /dev/shm; here it would be memory that outlives a reset.
    IpcMode: 'none',
    Memory: cell.memoryMb * MIB,
    // Memory and swap together: equal means none on top.
    MemorySwap: cell.memoryMb * MIB,
    PidsLimit: LIMITS.processes,
    // No nproc: the kernel counts it per user over all containers. [V] values recorded from AWS
    Ulimits: [
      { Name: 'nofile', Soft: LIMITS.openFiles, Hard: LIMITS.openFiles },
      { Name: 'memlock', Soft: 65_536, Hard: 65_536 },
      { Name: 'core', Soft: 10_737_418_240, Hard: 10_737_418_240 },
      { Name: 'stack', Soft: 8_388_608, Hard: -1 },
    ],
    LogConfig: { Type: 'none', Config: {} },
    NetworkMode: options.network.name,
    // A search domain of the host's network would send names of functions to its name server.
    DnsSearch: ['.'],
    ExtraHosts: [
      'sandbox.localdomain:127.0.0.1',
      ...(options.reachesHost ? [`host.docker.internal:${options.network.gateway}`] : []),
    ],
  }
}

/** Variables that engines set by themselves and AWS does not have. An image's own HOME would look the same: it stays. */
const ENGINE_VARIABLES = ['HOSTNAME', 'HOME']

/** The supervisor's arguments. */
function commandOf({ program, bootstraps, environment }: Workload): string[] {
  const unwanted = ENGINE_VARIABLES.filter((name) => !(name in environment) && !(program && name === 'HOME'))
  const unset = unwanted.flatMap((name) => ['-u', name])
  if (program) return ['-C', program.workingDirectory, ...unset, '--', ...program.arguments]
  return [...unset, ...(bootstraps ? ['-B', ...bootstraps] : [RUNTIME_ENTRY])]
}

function securityGroupLabels({ securityGroups = {} }: CellSpec): Record<string, string> {
  return Object.fromEntries(Object.entries(securityGroups).map(([id, label]) => [LABELS.securityGroup + id, label]))
}

function readOnly(source: string, target: string): Dockerode.MountSettings {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: true, BindOptions: { Propagation: 'rprivate' } }
}

/** Those that nothing of the operator's is mounted at. */
function volumesOf(program: Workload['program'], mounts: CellSpec['mounts'] = []): string[] {
  return (program?.volumes ?? []).filter((path) => !mounts.some(({ target }) => target === path))
}

/**
 * A declared volume would be a folder on the engine's disk, writable and without a limit. Named and read-only, the engine fills it from the
 * image once, and all sandboxes of the image share it. It goes when no function needs the image (images/function-images.ts).
 */
function asInImage(image: string, target: string, instance: string): Dockerode.MountSettings {
  const Labels = { [LABELS.instance]: instance, [LABELS.functionImage]: image.slice(-64) }
  const Source = `hearth-image-${nameable(instance)}-${digest(`${image} ${target}`, 24)}`
  const VolumeOptions = { NoCopy: false, Labels, DriverConfig: { Name: 'local', Options: {} } }
  return { Type: 'volume', Source, Target: target, ReadOnly: true, VolumeOptions }
}

function tmpfs(sizeMb: number): string {
  return `rw,exec,nosuid,nodev,size=${sizeMb}m,mode=1777`
}
