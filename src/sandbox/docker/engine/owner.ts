/**
 * Who made a container, network or volume, so that a later start can tell what a crashed host left behind from what a living one uses.
 *
 * An owner is `<boot id>.<pid namespace>.<pid>.<start time>`: as long as boot and namespace are ours, it is known for certain whether that
 * process lives (a process id alone may have been given to another process since).
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export type OwnerState = 'alive' | 'dead' | 'unknown'

/** The kernel's view that decides; a parameter for tests. */
export interface ProcessTable {
  /** `<boot id>.<pid namespace>` */
  readonly machine: string
  /** Start time of a process in clock ticks since boot; `undefined` when there is none. */
  startTime(pid: number): string | undefined
}

export const processTable: ProcessTable = {
  machine: machine(),
  startTime(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // Field 22; the second field is the name in parentheses and may contain anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' ? undefined : fields[19]
    } catch {
      return undefined
    }
  },
}

export function ownerOf(pid: number, table: ProcessTable = processTable): string {
  return `${table.machine}.${pid}.${table.startTime(pid) ?? 0}`
}

export function stateOf(owner: string, table: ProcessTable = processTable): OwnerState {
  const match = /^(.+)\.(\d+)\.(\d+)$/.exec(owner)
  if (!match || match[1] !== table.machine) return 'unknown'
  return table.startTime(Number(match[2])) === match[3] ? 'alive' : 'dead'
}

/**
 * Whether something may be removed. Dead owner: yes. Living owner: never. Owner of another boot or another machine: only if it worked
 * on the same data directory, which one host uses at a time; what hosts with other data directories made is theirs.
 */
export function isLeftover(
  found: { readonly owner: string; readonly data: string },
  ours: { readonly data: string },
  table: ProcessTable = processTable,
): boolean {
  const state = stateOf(found.owner, table)
  return state === 'dead' || (state === 'unknown' && found.data === ours.data)
}

function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
    return `${boot}.${namespace}`
  } catch {
    // Not Linux: the name of the machine stays the same over restarts of it, so an owner can look alive that is not, never the reverse.
    return `${hostname().replaceAll('.', '-')}.0`
  }
}
