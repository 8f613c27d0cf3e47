/** The networks of the sandboxes: bridges of ours, made as they fill up, each closed by the packet filter before anybody is on it. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type Dockerode from 'dockerode'
import { SingleFlight } from '../../../promises/single-flight.ts'
import { SandboxError } from '../../driver.ts'
import { bounded } from '../engine/errors.ts'
import { digest, type Identity, labelsOf, nameable } from '../engine/labels.ts'
import { BRIDGE_PREFIX, Bridge, type BridgePlace } from './bridge.ts'
import { type Cidr, formatCidr, overlap, parseCidr, subnets } from './cidr.ts'
import type { Firewall } from './firewall.ts'
import { removeNetwork } from './network-removal.ts'
import { openRelay } from './relay.ts'
import { networksInUse, ownNameServers } from './routes.ts'

/** Private networks that are rarely in use; the first with room is taken. */
const DEFAULT_POOLS = ['10.213.0.0/16', '172.29.0.0/16', '192.168.192.0/18']

const LIMIT_MS = 30_000
/** How often the rules are set again, in case that something else on the machine rebuilt its packet filter. Milliseconds. */
const RENEW_MS = 60_000
const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables'

export interface NetworksOptions {
  readonly docker: Dockerode
  readonly identity: Identity
  /** Packet filter; `undefined`: this machine lets us set none. */
  readonly firewall: Firewall | undefined
  /** The rules cost little to set, so they are renewed regularly. */
  readonly renew: boolean
  /** IPv4 network that the bridges are cut from; `undefined`: DEFAULT_POOLS. */
  readonly pool: string | undefined
  /** TCP ports of this machine that sandboxes may reach as host.docker.internal. */
  readonly reach: readonly number[]
  readonly log: (message: string, fields?: object) => void
}

export class Networks {
  readonly warnings: string[] = []
  readonly #options: NetworksOptions
  readonly #pools: readonly Cidr[]
  readonly #bridges: Bridge[] = []
  readonly #restoring = new SingleFlight<void, Bridge>()
  #growing: Promise<void> | undefined
  #number = 0
  /** Rules of all bridges are set one after the other. */
  #filtering: Promise<void> = Promise.resolve()
  #renewal: NodeJS.Timeout | undefined

  constructor(options: NetworksOptions) {
    this.#options = options
    this.#pools = (options.pool === undefined ? DEFAULT_POOLS : [options.pool]).map((text) => {
      const cidr = parseCidr(text)
      if (!cidr || cidr.prefix > BRIDGE_PREFIX) {
        throw new Error(`The subnet pool is '${text}'. It must be an IPv4 network of at least a /${BRIDGE_PREFIX}.`)
      }
      return cidr
    })
  }

  async open(): Promise<void> {
    await this.#grow()
    await this.#checkIsolation()
    if (!this.#options.firewall || !this.#options.renew) return
    this.#renewal = setInterval(() => {
      for (const bridge of this.#bridges) {
        this.#filter(bridge).catch((error) =>
          this.#options.log('The packet filter of a function network could not be renewed', { error: String(error) }),
        )
      }
    }, RENEW_MS)
    this.#renewal.unref()
  }

  async reserve(): Promise<BridgePlace> {
    for (;;) {
      const place = this.#bridges.find((bridge) => bridge.free > 0)?.take()
      if (place) return place
      await this.#grow()
    }
  }

  /** Whether it is the address of a sandbox. The gateway's is this machine's own. */
  isSandbox(address: string): boolean {
    return this.#bridges.some((bridge) => bridge.contains(address) && bridge.gateway !== address)
  }

  async admit(hostAddress: string, first: number, last: number): Promise<void> {
    const bridge = this.#bridges.find((one) => one.gateway === hostAddress)
    if (!bridge || !(first >= 1 && last <= 65_535 && first <= last)) {
      throw new SandboxError(
        'unexpected',
        'Unknown',
        `Ports ${first}–${last} of ${hostAddress} cannot be admitted: not an address and port range of a function network.`,
        'Restart Hearth.',
      )
    }
    if (bridge.admits({ first, last })) return this.#filtering
    const range = { first, last }
    bridge.admitted.push(range)
    await this.#filter(bridge).catch((error: unknown) => {
      // Its ports are given up, and must not be opened with the next ones.
      bridge.admitted.splice(bridge.admitted.indexOf(range), 1)
      throw error
    })
  }

  /**
   * Makes a network again that somebody removed while no container was on it (`docker system prune` does), with the same addresses:
   * listeners on its gateway go on working.
   */
  restore(bridge: Bridge): Promise<void> {
    return this.#restoring.run(bridge, async () => {
      await this.#createNetwork(bridge).catch((error) => {
        if (!/already exists/i.test(String(error))) throw error
      })
      await this.#filter(bridge)
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal)
    await this.#growing?.catch(() => undefined)
    for (const bridge of this.#bridges.splice(0)) await this.#remove(bridge)
  }

  /** One bridge more; calls meanwhile wait for the same one. */
  #grow(): Promise<void> {
    this.#growing ??= this.#create().finally(() => {
      this.#growing = undefined
    })
    return this.#growing
  }

  async #create(): Promise<void> {
    const { identity } = this.#options
    const used = [...(await networksInUse()), ...(await this.#engineNetworks())]
    for (const pool of this.#pools) {
      for (const subnet of subnets(pool, BRIDGE_PREFIX)) {
        if (used.some((one) => overlap(one, subnet))) continue
        const number = this.#number++
        // Interface names have at most 15 characters.
        const interfaceName = `hth${digest(Object.values(identity).join(' '), 7)}-${number}`
        const bridge = new Bridge(`hearth-net-${nameable(identity.instance)}-${number}`, interfaceName, subnet)
        try {
          await this.#createNetwork(bridge)
        } catch (error) {
          // Somebody else took that subnet, or the name is still there: the next one.
          if (error instanceof Error && /overlap|already exists|same bridge name/i.test(error.message)) continue
          throw error
        }
        await this.#ready(bridge)
        return
      }
    }
    throw new SandboxError(
      'throttled',
      'NoSubnet',
      `Could not create a function network: no free subnet in ${this.#pools.map(formatCidr).join(', ')}.`,
      'Remove networks that nobody uses (docker network prune) or give Hearth another subnet pool.',
    )
  }

  async #createNetwork(bridge: Bridge): Promise<void> {
    const { docker, identity } = this.#options
    await bounded(LIMIT_MS, 'create a function network', (abortSignal) =>
      docker.createNetwork({
        Name: bridge.name,
        CheckDuplicate: true,
        Driver: 'bridge',
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [{ Subnet: formatCidr(bridge.subnet), Gateway: bridge.gateway }] },
        Options: {
          'com.docker.network.bridge.name': bridge.interfaceName,
          'com.docker.network.bridge.enable_icc': 'false',
        },
        Labels: labelsOf(identity),
        abortSignal,
      }),
    )
  }

  async #ready(bridge: Bridge): Promise<void> {
    try {
      await this.#checkLocal(bridge)
      for (const port of this.#options.reach) {
        const relay = await openRelay(bridge.gateway, port, (address) => bridge.contains(address))
        if (relay) bridge.relays.push(relay)
        bridge.admitted.push({ first: port, last: port })
      }
      await this.#filter(bridge)
      this.#bridges.push(bridge)
    } catch (error) {
      await this.#remove(bridge)
      throw error
    }
  }

  #filter(bridge: Bridge): Promise<void> {
    const { firewall } = this.#options
    if (!firewall) return Promise.resolve()
    const done = this.#filtering.then(async () => {
      const { interfaceName, gateway, admitted } = bridge
      await firewall.apply({ interfaceName, gateway, admitted, nameServers: await ownNameServers() })
    })
    this.#filtering = done.catch(() => undefined)
    return done
  }

  async #remove(bridge: Bridge): Promise<void> {
    const { docker, firewall, log } = this.#options
    for (const relay of bridge.relays) relay.close()
    await removeNetwork(docker, bridge.name).catch((error: SandboxError) =>
      log('A function network could not be removed; the next start tries again', {
        error: error.message,
        remedy: error.remedy,
      }),
    )
    await this.#filtering
    await firewall
      ?.remove(bridge.interfaceName)
      .catch((error) => log('Packet filter chains could not be removed', { error: String(error) }))
  }

  async #engineNetworks(): Promise<Cidr[]> {
    const networks = await bounded(LIMIT_MS, 'list networks', (abortSignal) =>
      this.#options.docker.listNetworks({ abortSignal }),
    )
    return networks
      .flatMap((network) => network.IPAM?.Config ?? [])
      .map((config) => parseCidr(config.Subnet ?? ''))
      .filter((cidr): cidr is Cidr => cidr !== undefined)
  }

  /** Where the engine runs in another machine or network namespace, its gateway addresses are not ours to listen on. */
  async #checkLocal(bridge: Bridge): Promise<void> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: bridge.gateway, port: 0 }, () => server.close(() => resolve()))
    }).catch((error: NodeJS.ErrnoException) => {
      throw new SandboxError(
        'unexpected',
        error.code ?? 'Unknown',
        `Could not listen on ${bridge.gateway}, the gateway of a function network (${error.message}).`,
        'Run Hearth on the machine of the container engine, and if in a container, with its network (docker run --network host).',
        error,
      )
    })
  }

  async #checkIsolation(): Promise<void> {
    const filtersBridges = await readFile(BRIDGE_FILTER, 'utf8').catch(() => '')
    if (filtersBridges.trim() !== '1') {
      this.warnings.push(
        'Functions can reach each other over the network, because the packet filter of this machine does not see bridged traffic: ' +
          'load the kernel module br_netfilter and set net.bridge.bridge-nf-call-iptables=1.',
      )
    }
  }
}
