/**
 * The seam between the host and whatever isolates code: today Docker containers.
 *
 * A Sandbox is what one execution environment lives in. What a function does inside it is never an error here: a process that exits is
 * reported as a fact. Errors (SandboxError) are the platform's own: no engine, no image, no room.
 */
import type { FileSystemSource, PortRule } from '../lambda/machine-room.ts'

/** A place in the network for one sandbox, known before it starts so that its listener can check who calls. */
export interface Place {
  /** Address on which the host listens for this sandbox, IPv4. */
  readonly hostAddress: string
  /** The sandbox's own address, IPv4: calls from any other address are refused. `undefined`: the engine hides it. */
  readonly sandboxAddress: string | undefined
  /** Gives the place back. Called by `Sandbox.destroy`; call it yourself only if no sandbox was started. */
  release(): void
}

/** A file system of the machine room, mounted read-write. */
export interface SandboxMount {
  /** ARN, for messages. */
  readonly accessPoint: string
  readonly target: string
  readonly source: FileSystemSource
}

/** A network of the machine room that a sandbox joins besides its own. */
export interface SandboxNetwork {
  readonly kind: 'subnet' | 'security-group'
  /** `subnet-…` or `sg-…`, for messages. */
  readonly id: string
  /** As the engine knows it. */
  readonly name: string
}

/** What a sandbox is, whatever will run in it. */
export interface CellSpec {
  readonly place: Place
  /** Image to run, as the engine knows it. */
  readonly image: string
  readonly mounts?: readonly SandboxMount[]
  readonly networks?: readonly SandboxNetwork[]
  /** What it may reach on those; `undefined`: every port. */
  readonly reach?: readonly PortRule[]
  /** Labels by id of the security group, for the site's own rules. */
  readonly securityGroups?: Readonly<Record<string, string>>
  readonly memoryMb: number
  /** Size of /tmp. */
  readonly ephemeralStorageMb: number
  /** For labels and messages only. */
  readonly functionArn: string
}

/** What a sandbox runs. A driver may give it to a sandbox that runs already. */
export interface Workload {
  /** Environment of the runtime process. */
  readonly environment: Readonly<Record<string, string>>
  /** Folder with the unpacked package, mounted read-only at /var/task; `undefined`: the code is part of the image. */
  readonly codePath: string | undefined
  /** Folder with the merged layers, mounted read-only at /opt. */
  readonly layersPath?: string
  /** What runs in an image that a function brings along; `undefined`: the bootstrap of a runtime's image. */
  readonly program?: ImageProgram
  /** The function brings the bootstrap: what runs is the first of these files that can be executed. */
  readonly bootstraps?: readonly string[]
}

export interface ImageProgram {
  /** Program and arguments, at least the program: a path, or a name that is looked for in PATH. */
  readonly arguments: readonly string[]
  /** Where it starts. Reported as a launch failure when it is not there. */
  readonly workingDirectory: string
  /** Paths that the image declares as volumes; they stay as the image has them, read-only. */
  readonly volumes: readonly string[]
}

/** How a process inside the sandbox ended, as the kernel told the supervisor. */
export interface ProcessExit {
  /** `runtime`, or the name of the extension. */
  readonly process: string
  /** Exit status 0–255; absent when a signal ended it. */
  readonly code?: number
  /** Signal number, e.g. 11. */
  readonly signal?: number
  /** The kernel's out-of-memory killer was at work in this sandbox since the runtime started. */
  readonly outOfMemory: boolean
}

/** A process could not be started at all. */
export interface LaunchFailure {
  /**
   * `runtime`; `folder` where not the program but its working directory was the trouble; `bootstrap` where none of the workload's bootstraps
   * exists; or the name of the extension.
   */
  readonly process: string
  /** errno name, e.g. `ENOENT`, `EACCES`, `ENOEXEC`. */
  readonly errno: string
  /** What was tried, e.g. `/var/runtime/bootstrap`; several with blanks between them. */
  readonly path: string
}

export interface SandboxObserver {
  /** Bytes that the function's processes wrote to stdout and stderr, in order. Never blocks the function. */
  output(chunk: Uint8Array): void
  exit(exit: ProcessExit): void
  launchFailure(failure: LaunchFailure): void
  /** The sandbox itself is gone (container removed, engine died, supervisor killed). Called once; nothing is called after it. */
  lost(reason: string): void
}

export interface Sandbox {
  readonly id: string
  /** Resolves when everything written so far has been given to `output`, or after `timeoutMs`, whichever is first. */
  flush(timeoutMs: number): Promise<void>
  /** Kills every process of the function; /tmp and the sandbox stay. Resolves when they are gone. Their exits are not reported. */
  stop(): Promise<void>
  /** Starts the runtime again after `stop` or after its exit. The first start is part of `SandboxDriver.start`. */
  boot(): void
  /** Limits CPU to the share of MemorySize; until then the sandbox has the full CPU, as AWS gives Init. Never throws. */
  limitCpu(): Promise<void>
  /** Peak memory of the function's processes since the runtime started, bytes. Never throws; 0 when it cannot be known. */
  maxMemoryBytes(): Promise<number>
  /** Removes it with everything it had. Safe to call at any time and more than once; never throws. */
  destroy(reason: string): Promise<void>
}

export interface SandboxDriver {
  /** Makes ready what all sandboxes share (networks, isolation) and removes what an earlier, crashed instance left behind. */
  open(): Promise<void>
  /** A free place in the network. */
  reserve(): Promise<Place>
  /** Lets sandboxes reach these ports of `hostAddress`; every other port of the host stays closed to them. */
  admit(hostAddress: string, firstPort: number, lastPort: number): Promise<void>
  start(cell: CellSpec, workload: Workload, observer: SandboxObserver): Promise<Sandbox>
  /** Removes everything of this instance. */
  close(): Promise<void>
  /** What is not isolated on this machine, one plain sentence each; empty when everything is. */
  readonly warnings: readonly string[]
}

/** Why the platform could not run a sandbox. `invoke/` turns each kind into its Lambda exception. */
export type SandboxErrorKind =
  /** The engine's socket refuses us (EACCES). -> EC2AccessDeniedException */
  | 'access-denied'
  /** The engine is overloaded, refuses for lack of room, or does not answer in time. -> EC2ThrottledException */
  | 'throttled'
  /** The image is not there any more. -> InvalidRuntimeException */
  | 'image-missing'
  /** The unpacked package is not there or cannot be read. -> InvalidZipFileException */
  | 'code-missing'
  /** A network that the function joins is not there. -> InvalidSubnetIDException, InvalidSecurityGroupIDException */
  | 'subnet-missing'
  | 'security-group-missing'
  /** Such a network has no address left. -> SubnetIPAddressLimitReachedException */
  | 'addresses-exhausted'
  /** Too many sandboxes are on such networks. -> ENILimitReachedException */
  | 'attachments-exhausted'
  /** A file system is not there or may not be used. -> EFSMountFailureException */
  | 'mount-failed'
  /** Its server cannot be reached. -> EFSMountConnectivityException */
  | 'mount-unreachable'
  /** Its server does not answer. -> EFSMountTimeoutException */
  | 'mount-timeout'
  /** It is there and broken. -> EFSIOException */
  | 'mount-io'
  /** Anything else; `code` says what. -> EC2UnexpectedException */
  | 'unexpected'

export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  readonly kind: SandboxErrorKind
  /** The engine's HTTP status or errno, e.g. `500`, `ECONNREFUSED`. */
  readonly code: string
  /** What the operator can do about it. */
  readonly remedy: string
  /** What the caller named and it was about: an access point, a subnet, a security group. */
  readonly subject: string | undefined

  constructor(
    kind: SandboxErrorKind,
    code: string,
    message: string,
    remedy: string,
    cause?: unknown,
    subject?: string,
  ) {
    super(message, { cause })
    this.kind = kind
    this.code = code
    this.remedy = remedy
    this.subject = subject
  }
}
