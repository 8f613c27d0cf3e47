/**
 * Packet filter of a sandbox that joined networks of the machine room (VpcConfig), in the sandbox's own network namespace: it goes with
 * the sandbox, whatever happens to the host, and a function has no capability to change it.
 *
 * On those networks the sandbox may call the other containers, as its security groups say, and nobody may call it, as on AWS. It reaches
 * neither the gateways there, which are this machine, nor anything behind them: its way out is its own network, with the rules of
 * firewall.ts.
 */
import { existsSync } from 'node:fs'
import type Dockerode from 'dockerode'
import type { PortRule } from '../../../lambda/machine-room.ts'
import { SandboxError } from '../../driver.ts'
import { bounded, sentenceOf } from '../engine/errors.ts'
import type { BridgePlace } from './bridge.ts'
import { broadcastOf, type Cidr, contains, formatCidr, parseCidr } from './cidr.ts'
import { ownAddresses } from './routes.ts'
import { namespaceRunner, type Runner } from './script-runner.ts'

const LIMIT_MS = 30_000

export interface JoinedNetwork {
  readonly subnet: Cidr
  /** Where this machine is on it. */
  readonly machine: readonly string[]
}

export interface JoinedRules {
  /** Of the sandbox on its own network. */
  readonly address: string
  readonly gateway: string
  readonly joined: readonly JoinedNetwork[]
  /** `undefined`: every port. */
  readonly reach: readonly PortRule[] | undefined
}

/** Fails in any namespace but that of the sandbox: no other has its address. */
export function joinedScript({ address, gateway, joined, reach }: JoinedRules): string {
  const closed = joined.flatMap(({ subnet, machine }) => [...machine, broadcastOf(subnet)])
  const ports = reach?.map(({ protocol, first, last }) => ` -p ${protocol} --dport ${first}:${last}`) ?? ['']
  const rules = [
    '-A INPUT -i lo -j ACCEPT',
    '-A INPUT -i $own -j ACCEPT',
    '-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    '-A OUTPUT -o lo -j ACCEPT',
    '-A OUTPUT -o $own -j ACCEPT',
    ...closed.map((one) => `-A OUTPUT -d ${one}/32 -j DROP`),
    ...joined.flatMap(({ subnet }) => ports.map((port) => `-A OUTPUT -d ${formatCidr(subnet)}${port} -j ACCEPT`)),
  ]
  return `set -e
set -- $(ip -o -4 addr show to ${address}/32)
own=$2
[ -n "$own" ] || { echo 'this is not the network of the sandbox' >&2; exit 1; }
ip route replace default via ${gateway} dev $own
iptables-restore -w 10 <<RULES
${table(rules)}
RULES
[ -e /proc/net/if_inet6 ] || exit 0
ip6tables-restore -w 10 <<'RULES'
${table(['-A INPUT -i lo -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT'])}
RULES
`
}

function table(rules: readonly string[]): string {
  return ['*filter', ...['INPUT', 'FORWARD', 'OUTPUT'].map((chain) => `:${chain} DROP [0:0]`), ...rules, 'COMMIT'].join(
    '\n',
  )
}

export class JoinedFilter {
  readonly #helper: (network: string) => Runner
  readonly #direct: boolean

  /**
   * @param helper runs scripts in a network of the engine
   * @param direct this process may set packet filters itself
   */
  constructor(helper: (network: string) => Runner, direct: boolean) {
    this.#helper = helper
    this.#direct = direct
  }

  /** Of a container that was started, and runs nothing of the function yet. @throws SandboxError */
  async close(
    container: Dockerode.Container,
    place: BridgePlace,
    reach: readonly PortRule[] | undefined,
  ): Promise<void> {
    const { NetworkSettings: settings } = await bounded(LIMIT_MS, 'look at the networks of a sandbox', (abortSignal) =>
      container.inspect({ abortSignal }),
    )
    const joined = Object.entries(settings.Networks)
      .filter(([name]) => name !== place.bridge.name)
      .map(([name, one]): JoinedNetwork => {
        const subnet = parseCidr(`${one.IPAddress}/${one.IPPrefixLen}`)
        if (subnet === undefined) throw failed(`the engine names no IPv4 address on ${name}`)
        const own = ownAddresses().filter((address) => contains(subnet, address))
        return { subnet, machine: [...new Set(one.Gateway ? [one.Gateway, ...own] : own)] }
      })
    const script = joinedScript({ address: place.sandboxAddress, gateway: place.hostAddress, joined, reach })
    const run = this.#runner(container.id, (settings as { SandboxKey?: string }).SandboxKey)
    await run(script).catch((error: unknown) => {
      throw failed(sentenceOf(error, 500), error)
    })
  }

  /** A host process in a container of its own does not see the engine's file of the namespace. */
  #runner(id: string, path = ''): Runner {
    return this.#direct && existsSync(path) ? namespaceRunner(path) : this.#helper(`container:${id}`)
  }
}

function failed(reason: string, cause?: unknown): SandboxError {
  return new SandboxError(
    'unexpected',
    'PacketFilter',
    `Could not set the packet filter of a sandbox with a VpcConfig: ${reason}`,
    'Install iptables, iproute2 and nsenter (util-linux) on this machine. Without root, or in a container, Hearth uses its image hearth-tools, which it builds itself.',
    cause,
  )
}
