/** Sandboxes as Docker containers. docs/sandbox.md is the page to read first. */
import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import type Dockerode from 'dockerode'
import pLimit, { type LimitFunction } from 'p-limit'
import { LIMITS } from '../../lambda/limits.ts'
import {
  type CellSpec,
  type Place,
  type SandboxDriver,
  SandboxError,
  type SandboxObserver,
  type Workload,
} from '../driver.ts'
import { DockerSandbox } from './container.ts'
import { missingCapabilities } from './engine/capabilities.ts'
import { bounded, isAnswer } from './engine/errors.ts'
import { EngineEvents } from './engine/events.ts'
import { digest, type Identity } from './engine/labels.ts'
import { ownerOf } from './engine/owner.ts'
import { Removals } from './engine/removal.ts'
import { FileSystems, mountFailure } from './files/mounts.ts'
import { type TmpVolume, TmpVolumes } from './files/tmp-volume.ts'
import { Attachments } from './network/attachments.ts'
import { BridgePlace } from './network/bridge.ts'
import { chooseFirewall } from './network/firewall-choice.ts'
import type { JoinedFilter } from './network/joined-filter.ts'
import { Networks } from './network/network.ts'
import { removeLeftovers } from './orphans.ts'
import { containerName, containerOptions } from './spec.ts'

/** A start takes 0.2 s on an idle machine; beyond this the engine is overloaded. */
const CALL_LIMIT_MS = 30_000
/** How long a file system may take to answer; a healthy one needs milliseconds. */
const MOUNT_LIMIT_MS = 5000
/** One for each thing that may have been taken away from under a running host: network, supervisor, volumes. */
const REPAIRS_PER_START = 3

export interface DockerDriverOptions {
  readonly docker: Dockerode
  /** Id of this host, unique for each data directory; goes into names and labels. */
  readonly instance: string
  /** Exists. Volumes for /tmp are made below it; no other living host may use it. */
  readonly dataDir: string
  /** Path of the supervisor binary on this machine, built if it has to be. */
  readonly supervisor: () => Promise<string>
  /** Image with iptables and iproute2, built if it has to be: for a host that may not set packet filters itself. */
  readonly tools: () => Promise<string>
  /** TCP ports of this machine that functions may reach as host.docker.internal. */
  readonly functionReach: readonly number[]
  /** IPv4 network, at least a /23, that the networks of functions are cut from. */
  readonly subnetPool?: string
  /** Containers that the engine creates and starts at the same time. */
  readonly maxParallelStarts: number
  /** Connections of sandboxes to networks of subnets and security groups. */
  readonly maxAttachments?: number
  readonly log: (message: string, fields?: object) => void
}

/** What is to be started, and who is told of it. */
interface Order {
  readonly cell: CellSpec
  readonly workload: Workload
  readonly observer: SandboxObserver
}

/** One try of a start: what it needs besides the order, and how to give that back. */
interface Attempt {
  readonly place: BridgePlace
  readonly nonce: string
  readonly tmp: TmpVolume | undefined
  /** The engine was asked to create the container and has not answered. */
  unanswered: boolean
  /** Removes the container and everything that came with it; never throws. */
  readonly cleanUp: () => Promise<void>
}

export class DockerDriver implements SandboxDriver {
  readonly warnings: string[] = []
  readonly #options: DockerDriverOptions
  readonly #identity: Identity
  readonly #starts: LimitFunction
  readonly #removals: Removals
  readonly #sandboxes = new Map<string, DockerSandbox>()
  /** Starts, and cleaning up after those that failed: what `close` waits for. */
  readonly #busy = new Set<Promise<unknown>>()
  readonly #volumes: TmpVolumes
  readonly #attachments: Attachments
  readonly #fileSystems: FileSystems
  readonly #events: EngineEvents
  #networks: Networks | undefined
  #joinedFilter: JoinedFilter | undefined
  #supervisorPath = ''
  #closed: Promise<void> | undefined

  constructor(options: DockerDriverOptions) {
    // Resolved, because the kernel's list of mounts has no symbolic links.
    const dataDir = realpathSync(options.dataDir)
    this.#options = options
    this.#identity = { instance: options.instance, owner: ownerOf(process.pid), data: digest(dataDir, 16) }
    this.#starts = pLimit(options.maxParallelStarts)
    this.#removals = new Removals(options.docker, options.maxParallelStarts, options.log)
    this.#volumes = new TmpVolumes(dataDir, this.#identity, options.log)
    this.#attachments = new Attachments(options.docker, options.maxAttachments ?? LIMITS.networkInterfaces)
    this.#fileSystems = new FileSystems({ docker: options.docker, limitMs: MOUNT_LIMIT_MS })
    this.#events = new EngineEvents(
      options.docker,
      this.#identity,
      (event) => this.#sandboxes.get(event.id)?.event(event),
      options.log,
    )
  }

  async open(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  reserve(): Promise<Place> {
    return this.#opened().reserve()
  }

  /** Whether a connection from this address comes out of a sandbox. */
  isSandbox(address: string): boolean {
    return this.#networks?.isSandbox(address) ?? false
  }

  admit(hostAddress: string, firstPort: number, lastPort: number): Promise<void> {
    return this.#opened().admit(hostAddress, firstPort, lastPort)
  }

  start(cell: CellSpec, workload: Workload, observer: SandboxObserver): Promise<DockerSandbox> {
    return this.#track(this.#starts(() => this.#start({ cell, workload, observer })))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #open(): Promise<void> {
    const { docker, functionReach, subnetPool, log } = this.#options
    const info = await bounded(CALL_LIMIT_MS, 'reach the container engine', () => docker.info())
    this.warnings.push(...missingCapabilities(info, await readFile('/proc/swaps', 'utf8').catch(() => '')))
    this.#supervisorPath = await this.#options.supervisor()
    const choice = await chooseFirewall(docker, this.#identity, this.#options.tools)
    if (choice.firewall === undefined) this.warnings.push(choice.warning)
    this.#joinedFilter = choice.joined
    await removeLeftovers(docker, this.#identity, choice.firewall, log)
    await this.#volumes.open()
    if (this.#volumes.unavailable !== undefined) this.warnings.push(this.#withoutVolumes())
    this.#networks = new Networks({
      docker,
      identity: this.#identity,
      firewall: choice.firewall,
      renew: choice.firewall !== undefined && choice.direct,
      pool: subnetPool,
      reach: functionReach,
      log,
    })
    await this.#networks.open()
    this.warnings.push(...this.#networks.warnings)
    await this.#events.open()
  }

  async #close(): Promise<void> {
    // A start that is under way sees `#closed` when it ends, and is removed then.
    await Promise.resolve()
    await Promise.all([...this.#sandboxes.values()].map((sandbox) => sandbox.destroy('the host stops')))
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy)
    this.#events.close()
    this.#removals.close()
    await this.#networks?.close()
    await this.#volumes.close()
  }

  async #start(order: Order, repairs = REPAIRS_PER_START): Promise<DockerSandbox> {
    this.#opened()
    const { networks = [], mounts = [] } = order.cell
    const attempt = await this.#prepare(order.cell)
    try {
      return await this.#run(order, attempt)
    } catch (error) {
      // Off the path of the error.
      this.#track(attempt.cleanUp())
      if (!(error instanceof SandboxError)) throw error
      const failure = (await this.#attachments.explain(error, networks)) ?? error
      if (failure === error && repairs > 0 && (await this.#repair(error, attempt, repairs))) {
        return this.#start(order, repairs - 1)
      }
      throw mountFailure(failure, mounts) ?? failure
    }
  }

  async #prepare(cell: CellSpec): Promise<Attempt> {
    const { place } = cell
    if (!(place instanceof BridgePlace)) throw new TypeError('The place of a sandbox must come from reserve().')
    await this.#fileSystems.check(cell.mounts ?? [])
    const leave = this.#attachments.take(cell.networks ?? [])
    const tmp = await this.#volumes.take(cell.ephemeralStorageMb).catch((error: unknown) => {
      leave()
      throw error
    })
    const nonce = randomBytes(4).toString('hex')
    const name = containerName(cell, { identity: this.#identity, nonce })
    const unhold = place.hold()
    // The address is free when the container is gone for certain, which may be later than `cleanUp` returns.
    const gone = () => {
      unhold()
      leave()
    }
    const attempt: Attempt = {
      place,
      nonce,
      tmp,
      unanswered: false,
      cleanUp: async () => {
        const { unanswered } = attempt
        await this.#removals.remove(name, () => (unanswered ? this.#removals.removeLate(name, gone) : gone()))
        await tmp?.destroy()
      },
    }
    return attempt
  }

  async #run({ cell, workload, observer }: Order, attempt: Attempt): Promise<DockerSandbox> {
    const { docker, functionReach, log } = this.#options
    const { place, nonce, tmp, cleanUp } = attempt
    const options = containerOptions(cell, workload, {
      identity: this.#identity,
      nonce,
      network: { name: place.bridge.name, gateway: place.hostAddress, address: place.sandboxAddress },
      supervisorPath: this.#supervisorPath,
      tmpPath: tmp?.path,
      reachesHost: functionReach.length > 0,
    })
    const remove = async (one: DockerSandbox) => {
      await cleanUp()
      place.release()
      this.#sandboxes.delete(one.id)
    }
    const began = performance.now()
    attempt.unanswered = true
    const container = await bounded(CALL_LIMIT_MS, 'create a sandbox', (abortSignal) =>
      docker.createContainer({ ...options, abortSignal }),
    ).catch((error: unknown) => {
      attempt.unanswered = !isAnswer(error)
      throw error
    })
    attempt.unanswered = false
    await this.#attachments.join(container.id, cell.networks ?? [])
    const created = performance.now()
    const sandbox = new DockerSandbox({ container, cell, observer, log, remove })
    this.#sandboxes.set(sandbox.id, sandbox)
    try {
      const stream = await bounded(CALL_LIMIT_MS, 'connect to a sandbox', (abortSignal) =>
        container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true, abortSignal }),
      )
      sandbox.connect(stream as unknown as Duplex)
      // The command waits in the pipe, unless there are networks to close first.
      const joins = (cell.networks ?? []).length > 0
      if (!joins) sandbox.boot()
      const attached = performance.now()
      await bounded(CALL_LIMIT_MS, 'start a sandbox', (abortSignal) => container.start({ abortSignal }))
      if (joins) {
        await this.#joinedFilter?.close(container, place, cell.reach)
        sandbox.boot()
      }
      const started = performance.now()
      Object.assign(sandbox.phases, {
        createMs: created - began,
        attachMs: attached - created,
        startMs: started - attached,
      })
      this.#opened()
      sandbox.started()
      return sandbox
    } catch (error) {
      this.#sandboxes.delete(sandbox.id)
      sandbox.discard()
      throw error
    }
  }

  /** Whether the reason of a failed start is out of the world now, so that it may be tried again. */
  async #repair(error: SandboxError, { place, tmp }: Attempt, repairs: number): Promise<boolean> {
    if (this.#closed) return false
    if (tmp && error.message.includes(tmp.path)) {
      // The engine sees another file system than we do, so no volume will ever work.
      this.#volumes.unavailable ??= 'the container engine does not see them'
      const warning = this.#withoutVolumes()
      if (!this.warnings.includes(warning)) {
        this.warnings.push(warning)
        this.#options.log(warning)
      }
      return true
    }
    if (error.code === '404' && /network \S+ not found/i.test(error.message)) {
      this.#options.log('Something removed a function network; the host creates it again', {
        network: place.bridge.name,
      })
      await this.#opened().restore(place.bridge)
      return true
    }
    if (error.message.includes(this.#supervisorPath)) {
      this.#supervisorPath = await this.#options.supervisor()
      if (repairs > 1) return true
      throw new SandboxError(
        'unexpected',
        error.code,
        error.message,
        'The engine cannot find the supervisor. The engine must see the data directory under the same path as Hearth. If the cache was deleted, restart Hearth.',
        error,
      )
    }
    return false
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work)
    const done = () => this.#busy.delete(work)
    work.then(done, done)
    return work
  }

  #withoutVolumes(): string {
    return (
      'The /tmp of functions is memory that counts against MemorySize, because volumes on disk cannot be made here ' +
      `(${this.#volumes.unavailable}).`
    )
  }

  #opened(): Networks {
    if (this.#networks && !this.#closed) return this.#networks
    const why = this.#closed ? 'the host stops' : 'the driver is not open'
    throw new SandboxError('unexpected', 'Closed', `Could not start a sandbox: ${why}.`, 'Start Hearth again.')
  }
}
