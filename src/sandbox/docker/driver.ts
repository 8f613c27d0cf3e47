/** Sandboxes as Docker containers. docs/sandbox.md is the page to read first. */
import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import type Dockerode from 'dockerode'
import { type Place, type SandboxDriver, SandboxError, type SandboxObserver, type SandboxSpec } from '../driver.ts'
import { BridgePlace } from './bridge.ts'
import { DockerSandbox } from './container.ts'
import { bounded } from './errors.ts'
import { EngineEvents } from './events.ts'
import { Firewall, helperRunner, hostRunner } from './firewall.ts'
import { digest, type Identity } from './labels.ts'
import { Networks } from './network.ts'
import { removeLeftovers } from './orphans.ts'
import { ownerOf } from './owner.ts'
import { removeContainer } from './removal.ts'
import { Slots } from './slots.ts'
import { containerName, containerOptions } from './spec.ts'
import { type TmpVolume, TmpVolumes } from './tmp-volume.ts'

/** Has sh and iptables; made by runtimes/tools. */
export const TOOLS_IMAGE = 'hearth-tools:latest'

/** A start takes 0.2 s on an idle machine; beyond this the engine is overloaded. */
const CALL_LIMIT_MS = 30_000

export interface DockerDriverOptions {
  readonly docker: Dockerode
  /** Id of this host, unique for each data directory; goes into names and labels. */
  readonly instance: string
  /** Exists. Volumes for /tmp are made below it; no other living host may use it. */
  readonly dataDir: string
  /** Path of the supervisor binary on this machine, built if it has to be. */
  readonly supervisor: () => Promise<string>
  /** TCP ports of this machine that functions may reach as host.docker.internal. */
  readonly functionReach: readonly number[]
  /** IPv4 network, at least a /23, that the networks of functions are cut from. */
  readonly subnetPool?: string
  /** Containers that the engine creates and starts at the same time. */
  readonly maxParallelStarts: number
  readonly log: (message: string, fields?: object) => void
}

export class DockerDriver implements SandboxDriver {
  readonly warnings: string[] = []
  readonly #options: DockerDriverOptions
  readonly #identity: Identity
  readonly #starts: Slots
  readonly #removals: Slots
  readonly #sandboxes = new Map<string, DockerSandbox>()
  readonly #volumes: TmpVolumes
  readonly #events: EngineEvents
  #networks: Networks | undefined
  #supervisorPath = ''
  #closed = false

  constructor(options: DockerDriverOptions) {
    this.#options = options
    this.#identity = {
      instance: options.instance,
      owner: ownerOf(process.pid),
      data: digest(realpathSync(options.dataDir), 16),
    }
    this.#starts = new Slots(options.maxParallelStarts)
    this.#removals = new Slots(options.maxParallelStarts)
    this.#volumes = new TmpVolumes(options.dataDir, this.#identity, options.log)
    this.#events = new EngineEvents(
      options.docker,
      this.#identity,
      (event) => this.#sandboxes.get(event.id)?.event(event),
      options.log,
    )
  }

  async open(): Promise<void> {
    const { docker, functionReach, subnetPool, log } = this.#options
    await bounded(CALL_LIMIT_MS, 'reach the container engine', () => docker.ping())
    this.#supervisorPath = await this.#options.supervisor()
    const { firewall, direct } = await this.#chooseFirewall()
    await removeLeftovers(docker, this.#identity, firewall, log)
    await this.#volumes.open()
    if (this.#volumes.unavailable !== undefined) this.#warnAboutVolumes()
    this.#networks = new Networks({
      docker,
      identity: this.#identity,
      firewall,
      renew: direct,
      pool: subnetPool,
      reach: functionReach,
      log,
    })
    await this.#networks.open()
    this.warnings.push(...this.#networks.warnings)
    await this.#events.open()
  }

  reserve(): Promise<Place> {
    return this.#opened().reserve()
  }

  admit(hostAddress: string, firstPort: number, lastPort: number): Promise<void> {
    return this.#opened().admit(hostAddress, firstPort, lastPort)
  }

  start(spec: SandboxSpec, observer: SandboxObserver): Promise<DockerSandbox> {
    return this.#starts.run(() => this.#start(spec, observer))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#sandboxes.values()].map((sandbox) => sandbox.destroy('the host stops')))
    this.#events.close()
    await this.#networks?.close()
    await this.#volumes.close()
  }

  async #start(spec: SandboxSpec, observer: SandboxObserver): Promise<DockerSandbox> {
    const { place } = spec
    if (!(place instanceof BridgePlace)) throw new TypeError('The place of a sandbox must come from reserve().')
    if (this.#closed) throw stopping()
    const unhold = place.hold()
    const tmp = await this.#volumes.take(spec.ephemeralStorageMb).catch((error) => {
      unhold()
      throw error
    })
    const nonce = randomBytes(4).toString('hex')
    const name = containerName(spec, { identity: this.#identity, nonce })
    let sandbox: DockerSandbox | undefined
    const remove = async () => {
      await this.#remove(name, tmp)
      unhold()
      place.release()
    }
    try {
      sandbox = await this.#run(spec, observer, place, nonce, tmp, async (one) => {
        await remove()
        this.#sandboxes.delete(one.id)
      })
      return sandbox
    } catch (error) {
      // Off the path of the error; the address stays held until the container is gone.
      void this.#remove(name, tmp).then(unhold)
      if (tmp && error instanceof SandboxError && error.message.includes(tmp.path)) {
        // The engine sees another file system than we do, so no volume will ever work.
        this.#volumes.unavailable ??= 'the container engine does not see them'
        this.#warnAboutVolumes()
        return this.#start(spec, observer)
      }
      throw error
    }
  }

  async #run(
    spec: SandboxSpec,
    observer: SandboxObserver,
    place: BridgePlace,
    nonce: string,
    tmp: TmpVolume | undefined,
    remove: (sandbox: DockerSandbox) => Promise<void>,
  ): Promise<DockerSandbox> {
    const { docker, functionReach, log } = this.#options
    const options = containerOptions(spec, {
      identity: this.#identity,
      nonce,
      network: { name: place.bridge.name, gateway: place.hostAddress, address: place.sandboxAddress },
      supervisorPath: this.#supervisorPath,
      tmpPath: tmp?.path,
      reachesHost: functionReach.length > 0,
    })
    const began = performance.now()
    const container = await bounded(CALL_LIMIT_MS, 'create a sandbox', (abortSignal) =>
      docker.createContainer({ ...options, abortSignal }),
    )
    const created = performance.now()
    const sandbox = new DockerSandbox({ container, spec, observer, log, remove })
    this.#sandboxes.set(sandbox.id, sandbox)
    try {
      const stream = await bounded(CALL_LIMIT_MS, 'connect to a sandbox', (abortSignal) =>
        container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true, abortSignal }),
      )
      sandbox.connect(stream as unknown as Duplex)
      const attached = performance.now()
      await bounded(CALL_LIMIT_MS, 'start a sandbox', (abortSignal) => container.start({ abortSignal }))
      const started = performance.now()
      Object.assign(sandbox.phases, {
        createMs: created - began,
        attachMs: attached - created,
        startMs: started - attached,
      })
      if (this.#closed) throw stopping()
      sandbox.started()
      return sandbox
    } catch (error) {
      this.#sandboxes.delete(sandbox.id)
      sandbox.discard()
      throw error
    }
  }

  /** Never throws: what stays is logged, and removed by the next start. */
  async #remove(name: string, tmp: TmpVolume | undefined): Promise<void> {
    await this.#removals
      .run(() => removeContainer(this.#options.docker, name))
      .catch((error) => this.#options.log('A sandbox could not be removed', { container: name, error: String(error) }))
    await tmp?.destroy()
  }

  async #chooseFirewall(): Promise<{ firewall: Firewall | undefined; direct: boolean }> {
    const reasons: string[] = []
    const direct = new Firewall(hostRunner)
    try {
      if (process.getuid?.() !== 0) throw new Error('Hearth does not run as root')
      await direct.interfaces()
      return { firewall: direct, direct: true }
    } catch (error) {
      reasons.push(oneLine(error))
    }
    const helped = new Firewall(helperRunner(this.#options.docker, TOOLS_IMAGE, this.#identity))
    try {
      await helped.interfaces()
      return { firewall: helped, direct: false }
    } catch (error) {
      reasons.push(oneLine(error))
    }
    this.warnings.push(
      'Functions can reach every port of this machine that listens on all addresses, and the cloud metadata service, because iptables ' +
        `could be used neither directly (${reasons[0]}) nor through the image ${TOOLS_IMAGE} (${reasons[1]}).`,
    )
    return { firewall: undefined, direct: false }
  }

  #warnAboutVolumes(): void {
    const text =
      'The /tmp of functions is memory that counts against MemorySize, because volumes on disk cannot be made here ' +
      `(${this.#volumes.unavailable}).`
    if (this.warnings.includes(text)) return
    this.warnings.push(text)
    this.#options.log(text)
  }

  #opened(): Networks {
    if (!this.#networks || this.#closed) throw stopping()
    return this.#networks
  }
}

function stopping(): SandboxError {
  return new SandboxError('unexpected', 'Closed', 'Could not start a sandbox: the host stops.', 'Start Hearth again.')
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\s+/g, ' ').slice(0, 300)
}
