/**
 * What a machine room has in place of a cloud's file systems and networks, as the operator named it: access points are folders, volumes
 * or NFS exports; subnets and security groups are networks of the container engine. The same names are there for every account.
 */
import { REGION } from './arn.ts'

/** HEARTH_FILE_SYSTEMS, HEARTH_SUBNETS, HEARTH_SECURITY_GROUPS: texts that were checked against the patterns below. */
export interface MachineRoom {
  /** By ARN of the access point. */
  readonly fileSystems: Readonly<Record<string, string>>
  /** Network by subnet id. */
  readonly subnets: Readonly<Record<string, string>>
  /** `network:NAME`, ports, or a label, by id of the security group. */
  readonly securityGroups: Readonly<Record<string, string>>
}

export const EMPTY_ROOM: MachineRoom = { fileSystems: {}, subnets: {}, securityGroups: {} }

/** Of the service model, S3 Files aside. */
export const ACCESS_POINT = new RegExp(
  `^arn:aws[a-zA-Z-]*:elasticfilesystem:${REGION}:\\d{12}:access-point/fsap-[a-f0-9]{17}$`,
)
export const SUBNET_ID = /^subnet-[0-9a-z]+$/
export const SECURITY_GROUP_ID = /^sg-[0-9a-zA-Z]+$/

const ENGINE_NAME = '[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}'
/** Those two are no networks that a container could join beside its own. */
export const NETWORK = new RegExp(`^(?!(host|none)$)${ENGINE_NAME}$`)
const PORT = '(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])'
const PORTS = `(tcp|udp):${PORT}(-${PORT})?`
export const SECURITY_GROUP = new RegExp(
  `^(network:(?!(host|none)$)${ENGINE_NAME}|${PORTS}(\\+${PORTS}){0,59}|[^\\s:,][^\\0\\n,:]{0,254})$`,
)
export const FILE_SYSTEM = new RegExp(
  `^(/[^\\0,]{0,4000}|volume:${ENGINE_NAME}|nfs:[a-zA-Z0-9.-]{1,253}(:\\d{1,5})?:/[^\\0\\s,]{0,1000})$`,
)

export type FileSystemSource =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'volume'; readonly name: string }
  | { readonly kind: 'nfs'; readonly host: string; readonly port: number; readonly path: string }

const NFS_PORT = 2049

/** @param text matches FILE_SYSTEM */
export function fileSystemSource(text: string): FileSystemSource {
  if (text.startsWith('volume:')) return { kind: 'volume', name: text.slice('volume:'.length) }
  const nfs = /^nfs:([^:]+)(?::(\d+))?:(\/.*)$/.exec(text)
  if (nfs === null) return { kind: 'folder', path: text }
  return { kind: 'nfs', host: nfs[1]!, port: nfs[2] === undefined ? NFS_PORT : Number(nfs[2]), path: nfs[3]! }
}

/** Ports of other machines that a function may connect to. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp'
  readonly first: number
  readonly last: number
}

export type SecurityGroup =
  | { readonly network: string }
  | { readonly ports: readonly PortRule[] }
  | { readonly label: string }

/** @param text matches SECURITY_GROUP */
export function securityGroup(text: string): SecurityGroup {
  if (text.startsWith('network:')) return { network: text.slice('network:'.length) }
  if (!text.includes(':')) return { label: text }
  const ports = text.split('+').map((rule): PortRule => {
    const [protocol, range = ''] = rule.split(':')
    const ends = range.split('-').map(Number)
    return { protocol: protocol === 'udp' ? 'udp' : 'tcp', first: Math.min(...ends), last: Math.max(...ends) }
  })
  return { ports }
}
