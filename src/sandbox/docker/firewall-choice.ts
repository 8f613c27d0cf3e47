/** Which way of setting the packet filter works on this machine. */
import type Dockerode from 'dockerode'
import { Firewall, helperRunner, hostRunner } from './firewall.ts'
import type { Identity } from './labels.ts'

/** Has sh and iptables; made from runtimes/tools. */
export const TOOLS_IMAGE = 'hearth-tools:latest'

export type FirewallChoice =
  /** `direct`: by this process, which costs milliseconds; otherwise by a helper container each time. */
  { readonly firewall: Firewall; readonly direct: boolean } | { readonly firewall: undefined; readonly warning: string }

export async function chooseFirewall(docker: Dockerode, identity: Identity): Promise<FirewallChoice> {
  const direct = new Firewall(hostRunner)
  const helped = new Firewall(helperRunner(docker, TOOLS_IMAGE, identity))
  const notDirect = process.getuid?.() === 0 ? await problemOf(direct) : 'Hearth does not run as root'
  if (notDirect === undefined) return { firewall: direct, direct: true }
  const notHelped = await problemOf(helped)
  if (notHelped === undefined) return { firewall: helped, direct: false }
  const warning =
    'Functions can reach every port of this machine that listens on all addresses, and the cloud metadata service, because iptables ' +
    `could be used neither directly (${notDirect}) nor through the image ${TOOLS_IMAGE} (${notHelped}).`
  return { firewall: undefined, warning }
}

async function problemOf(firewall: Firewall): Promise<string | undefined> {
  try {
    await firewall.interfaces()
    return undefined
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).trim().replace(/\s+/g, ' ').slice(0, 300)
  }
}
