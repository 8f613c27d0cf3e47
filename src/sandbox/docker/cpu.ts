/** CPU share of a sandbox: MemorySize / 1769 MB of a core. */
import { readFile, writeFile } from 'node:fs/promises'
import type Dockerode from 'dockerode'
import { LIMITS } from '../../lambda/limits.ts'
import { bounded } from './engine/errors.ts'

/**
 * Microseconds. The kernel's default of 100 ms would stop a 128 MB function for 92 ms at a stretch; AWS uses 20 ms (unverified, measured
 * from inside functions).
 */
const PERIOD_US = 20_000
/** The kernel refuses less. */
const MINIMUM_QUOTA_US = 1000
const LIMIT_MS = 10_000

export interface CpuQuota {
  readonly periodUs: number
  readonly quotaUs: number
}

export function cpuQuota(memoryMb: number): CpuQuota {
  const quotaUs = Math.max(MINIMUM_QUOTA_US, Math.round((memoryMb / LIMITS.memoryMbPerCore) * PERIOD_US))
  return { periodUs: PERIOD_US, quotaUs }
}

/** Files to write, in order. */
type Writes = readonly (readonly [path: string, text: string])[]

/** Where the cgroup of a container is, without asking the engine: cgroupfs and systemd drivers, cgroup v1 and v2. */
export function usualWrites(containerId: string, quota: CpuQuota): Writes[] {
  const folders = [`docker/${containerId}`, `system.slice/docker-${containerId}.scope`]
  return folders.flatMap((folder) => writesIn(`/${folder}`, quota))
}

/** The same from the text of /proc/<pid>/cgroup of a process in the container. */
export function writesFor(procCgroup: string, quota: CpuQuota): Writes[] {
  for (const line of procCgroup.split('\n')) {
    const [, controllers, ...path] = line.split(':')
    const folder = path.join(':')
    if (controllers === '' || controllers?.split(',').includes('cpu')) {
      if (folder.length > 1) return writesIn(folder, quota)
    }
  }
  return []
}

function writesIn(folder: string, quota: CpuQuota): Writes[] {
  const v1 = (mount: string): Writes => [
    [`${mount}${folder}/cpu.cfs_period_us`, String(quota.periodUs)],
    [`${mount}${folder}/cpu.cfs_quota_us`, String(quota.quotaUs)],
  ]
  return [
    [[`/sys/fs/cgroup${folder}/cpu.max`, `${quota.quotaUs} ${quota.periodUs}`]],
    v1('/sys/fs/cgroup/cpu'),
    v1('/sys/fs/cgroup/cpu,cpuacct'),
  ]
}

/** Writes the cgroup where this process may (0.1 ms), else asks the engine (24–58 ms). Rejects when neither works. */
export async function limitCpu(container: Dockerode.Container, memoryMb: number): Promise<void> {
  const quota = cpuQuota(memoryMb)
  if (await writeFirst(usualWrites(container.id, quota))) return
  const pid = (await bounded(LIMIT_MS, 'look at a sandbox', (abortSignal) => container.inspect({ abortSignal }))).State
    .Pid
  const procCgroup = pid > 0 ? await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '') : ''
  // On a remote engine the process id means nothing here; only a path with the container's id is that container's.
  if (procCgroup.includes(container.id) && (await writeFirst(writesFor(procCgroup, quota)))) return
  await bounded(LIMIT_MS, 'limit the CPU of a sandbox', (abortSignal) =>
    container.update({ CpuPeriod: quota.periodUs, CpuQuota: quota.quotaUs, abortSignal }),
  )
}

async function writeFirst(candidates: readonly Writes[]): Promise<boolean> {
  for (const writes of candidates) {
    try {
      // r+: a file that is not there must not be made.
      for (const [path, text] of writes) await writeFile(path, text, { flag: 'r+' })
      return true
    } catch {}
  }
  return false
}
