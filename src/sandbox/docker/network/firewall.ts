/**
 * Packet filter of one bridge: which addresses of this machine, and which beyond it, its sandboxes may not reach.
 *
 * Two chains of ours for each bridge, rebuilt whole at every change (iptables-restore replaces a chain at once), and one jump to each:
 * from INPUT for packets to this machine, whatever the address, and from DOCKER-USER (FORWARD where that is missing) for those through it.
 */
import type { Runner } from './script-runner.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface BridgeRules {
  /** Name of the bridge's interface; the chains are named after it. */
  readonly interfaceName: string
  readonly gateway: string
  /** TCP ports of the gateway address that sandboxes may reach. */
  readonly admitted: readonly PortRange[]
  /** Addresses of this machine that answer DNS. */
  readonly nameServers: readonly string[]
}

/** Cloud metadata (EC2 and most others; ECS and EKS credentials; Alibaba), which would hand the machine's own role to functions. */
const METADATA_NETWORKS = ['169.254.169.254/32', '169.254.170.0/24', '100.100.100.200/32']

const IPTABLES = 'iptables -w 10'
const inbound = (interfaceName: string) => `HEARTH-IN-${interfaceName}`
const outbound = (interfaceName: string) => `HEARTH-OUT-${interfaceName}`

export function applyScript(rules: BridgeRules): string {
  const name = rules.interfaceName
  const chains = [
    ...rules.nameServers.flatMap((address) =>
      ['udp', 'tcp'].map((protocol) => `-A ${inbound(name)} -d ${address}/32 -p ${protocol} --dport 53 -j ACCEPT`),
    ),
    ...merged(rules.admitted).map(
      ({ first, last }) => `-A ${inbound(name)} -d ${rules.gateway}/32 -p tcp --dport ${first}:${last} -j ACCEPT`,
    ),
    `-A ${inbound(name)} -j DROP`,
    ...METADATA_NETWORKS.map((network) => `-A ${outbound(name)} -d ${network} -j DROP`),
  ]
  return `set -e
iptables-restore -w 10 --noflush <<'RULES'
*filter
:${inbound(name)} - [0:0]
:${outbound(name)} - [0:0]
${chains.join('\n')}
COMMIT
RULES
jump() { ${IPTABLES} -C "$1" -i ${name} -j "$2" 2>/dev/null || ${IPTABLES} -I "$1" 1 -i ${name} -j "$2"; }
jump INPUT ${inbound(name)}
if ${IPTABLES} -n -L DOCKER-USER >/dev/null 2>&1; then jump DOCKER-USER ${outbound(name)}; else jump FORWARD ${outbound(name)}; fi
`
}

export function removeScript(interfaceName: string): string {
  const jumps = ['INPUT', 'DOCKER-USER', 'FORWARD'].flatMap((chain) =>
    [inbound(interfaceName), outbound(interfaceName)].map(
      (target) => `while ${IPTABLES} -D ${chain} -i ${interfaceName} -j ${target} 2>/dev/null; do :; done`,
    ),
  )
  const chains = [inbound(interfaceName), outbound(interfaceName)].map(
    (chain) => `${IPTABLES} -F ${chain} 2>/dev/null && ${IPTABLES} -X ${chain} || true`,
  )
  return [...jumps, ...chains, ''].join('\n')
}

/** Interfaces for which `iptables -S` shows a chain of ours. */
export function chainsIn(listing: string): string[] {
  return listing
    .split('\n')
    .map((line) => /^-N HEARTH-IN-(\S+)$/.exec(line)?.[1])
    .filter((name): name is string => name !== undefined)
}

/** Ranges in order, those that touch or overlap made one: as few rules as possible for every packet. */
export function merged(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = []
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const previous = result.at(-1)
    if (previous && range.first <= previous.last + 1) {
      result[result.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) }
    } else result.push(range)
  }
  return result
}

export class Firewall {
  readonly #run: Runner

  constructor(run: Runner) {
    this.#run = run
  }

  async apply(rules: BridgeRules): Promise<void> {
    await this.#run(applyScript(rules))
  }

  async remove(interfaceName: string): Promise<void> {
    await this.#run(removeScript(interfaceName))
  }

  /** Interfaces that have chains of ours. */
  async interfaces(): Promise<string[]> {
    return chainsIn(await this.#run(`${IPTABLES} -S`))
  }
}
