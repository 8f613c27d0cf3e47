/** What the engine's kernel cannot limit or isolate, as it says itself: one sentence each. */

/** The parts of the engine's /info that matter here. */
export interface EngineInfo {
  readonly OSType?: string
  readonly MemoryLimit?: boolean
  readonly SwapLimit?: boolean
  readonly PidsLimit?: boolean
  readonly CpuCfsQuota?: boolean
  readonly SecurityOptions?: readonly string[] | null
}

/** `swaps`: text of /proc/swaps; a machine without swap needs no limit of it. */
export function missingCapabilities(info: EngineInfo, swaps: string): string[] {
  const missing: string[] = []
  if (info.MemoryLimit === false) {
    missing.push(
      'Functions can use all memory of this machine: its kernel has no memory cgroup. Set the kernel parameter cgroup_enable=memory.',
    )
  } else if (info.SwapLimit === false && swaps.trim().split('\n').length > 1) {
    missing.push(
      'Functions can use swap beyond MemorySize: the kernel does not count it. Set the kernel parameter swapaccount=1, or turn swap off.',
    )
  }
  if (info.PidsLimit === false)
    missing.push('Functions can start any number of processes: the kernel has no pids cgroup.')
  if (info.CpuCfsQuota === false) {
    missing.push('The CPU of functions is not limited by MemorySize: the kernel has no CFS bandwidth control.')
  }
  const seccomp = info.SecurityOptions?.find((option) => option.startsWith('name=seccomp'))
  if (seccomp === undefined || seccomp.includes('unconfined')) {
    missing.push('Functions can use every system call of the kernel: the engine has no seccomp profile.')
  }
  return missing
}
