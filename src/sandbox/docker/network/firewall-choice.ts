/** Which way of setting packet filters works on this machine. */
import type Dockerode from 'dockerode'
import { sentenceOf } from '../engine/errors.ts'
import type { Identity } from '../engine/labels.ts'
import { Firewall } from './firewall.ts'
import { JoinedFilter } from './joined-filter.ts'
import { helperRunner, hostRunner } from './script-runner.ts'

export type FirewallChoice =
  /** `direct`: by this process, which costs milliseconds; otherwise by a helper container each time. */
  | { readonly firewall: Firewall; readonly joined: JoinedFilter; readonly direct: boolean }
  | { readonly firewall: undefined; readonly joined: undefined; readonly warning: string }

/** @param tools the image with iptables and iproute2, built if needed */
export async function chooseFirewall(
  docker: Dockerode,
  identity: Identity,
  tools: () => Promise<string>,
): Promise<FirewallChoice> {
  const helper = (network?: string) => helperRunner({ docker, image: tools, identity, network })
  const firewall = new Firewall(hostRunner)
  const notDirect = process.getuid?.() === 0 ? await problemOf(firewall) : 'Hearth does not run as root'
  if (notDirect === undefined) return { firewall, joined: new JoinedFilter(helper, true), direct: true }
  const helped = new Firewall(helper())
  const notHelped = await problemOf(helped)
  if (notHelped === undefined) return { firewall: helped, joined: new JoinedFilter(helper, false), direct: false }
  const warning =
    'Functions can reach every port of this machine that listens on all addresses, and the cloud metadata service, and those with a VpcConfig ' +
    'everything on its networks, because iptables ' +
    `could be used neither directly (${notDirect}) nor through the image hearth-tools (${notHelped}).`
  return { firewall: undefined, joined: undefined, warning }
}

async function problemOf(firewall: Firewall): Promise<string | undefined> {
  try {
    await firewall.interfaces()
    return undefined
  } catch (error) {
    return sentenceOf(error, 300)
  }
}
