/** What an environment gets of the machine room: file systems, networks and labels. Pure, from the function's settings and the operator's. */
import type { FunctionVersion } from '../lambda/function.ts'
import {
  fileSystemSource,
  type MachineRoom,
  type PortRule,
  type SecurityGroup,
  securityGroup,
} from '../lambda/machine-room.ts'
import { type CellSpec, SandboxError, type SandboxMount, type SandboxNetwork } from '../sandbox/driver.ts'

/** @throws SandboxError for what the operator's settings do not name any more. */
export function roomOf(
  version: Pick<FunctionVersion, 'vpc' | 'fileSystems'>,
  room: MachineRoom,
): Pick<CellSpec, 'mounts' | 'networks' | 'reach' | 'securityGroups'> {
  const mounts = (version.fileSystems ?? []).map(({ arn, localMountPath }): SandboxMount => {
    const source = room.fileSystems[arn]
    if (source === undefined) throw unnamed('mount-failed', 'access point', arn, 'HEARTH_FILE_SYSTEMS')
    return { accessPoint: arn, target: localMountPath, source: fileSystemSource(source) }
  })
  const subnets = (version.vpc?.subnetIds ?? []).map((id): SandboxNetwork => {
    const name = room.subnets[id]
    if (name === undefined) throw unnamed('subnet-missing', 'subnet', id, 'HEARTH_SUBNETS')
    return { kind: 'subnet', id, name }
  })
  const groups = (version.vpc?.securityGroupIds ?? []).map((id) => {
    const text = room.securityGroups[id]
    if (text === undefined) throw unnamed('security-group-missing', 'security group', id, 'HEARTH_SECURITY_GROUPS')
    return { id, group: securityGroup(text) }
  })
  const joined = groups.flatMap(({ id, group }): SandboxNetwork[] =>
    'network' in group ? [{ kind: 'security-group', id, name: group.network }] : [],
  )
  const labels = groups.flatMap(({ id, group }) => ('label' in group ? [[id, group.label] as const] : []))
  return {
    mounts,
    networks: once([...subnets, ...joined]),
    reach: reachOf(groups.map(({ group }) => group)),
    securityGroups: Object.fromEntries(labels),
  }
}

/** The rules of all groups together, as on AWS. A group that names no ports allows every one, as a new group on AWS does. */
function reachOf(groups: readonly SecurityGroup[]): readonly PortRule[] | undefined {
  const rules = groups.flatMap((group) => ('ports' in group ? group.ports : []))
  return groups.length > 0 && groups.every((group) => 'ports' in group) ? rules : undefined
}

/** Several names may stand for one network, which can be joined once only. */
function once(networks: readonly SandboxNetwork[]): SandboxNetwork[] {
  return networks.filter(({ name }, i) => networks.findIndex((other) => other.name === name) === i)
}

function unnamed(
  kind: 'mount-failed' | 'subnet-missing' | 'security-group-missing',
  what: string,
  id: string,
  setting: string,
): SandboxError {
  return new SandboxError(
    kind,
    'NotConfigured',
    `The ${what} ${id} is not in this host's settings.`,
    `Name it in ${setting} and restart the host, or remove it from the function.`,
    undefined,
    id,
  )
}
