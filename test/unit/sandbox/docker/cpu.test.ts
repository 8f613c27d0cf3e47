import { expect, test } from 'vitest'
import { cpuQuota, usualWrites, writesFor } from '../../../../src/sandbox/docker/cpu.ts'

test('1,769 MB are one core, and the share is proportional', () => {
  expect(cpuQuota(1769)).toEqual({ periodUs: 20_000, quotaUs: 20_000 })
  expect(cpuQuota(128)).toEqual({ periodUs: 20_000, quotaUs: 1447 })
  expect(cpuQuota(10_240).quotaUs).toBe(115_772)
})

test('the smallest function gets no less than the kernel accepts', () => {
  expect(cpuQuota(1).quotaUs).toBe(1000)
})

test('the usual places of both cgroup versions and both cgroup drivers are tried', () => {
  const paths = usualWrites('abc', cpuQuota(1769)).flatMap((writes) => writes.map(([path]) => path))
  expect(paths).toContain('/sys/fs/cgroup/docker/abc/cpu.max')
  expect(paths).toContain('/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us')
  expect(paths).toContain('/sys/fs/cgroup/system.slice/docker-abc.scope/cpu.max')
})

test('the cgroup of a process is found in version 1 and 2', () => {
  const quota = cpuQuota(1769)
  const v1 = '12:memory:/x/abc\n4:cpu,cpuacct:/x/abc\n0::/x/abc\n'
  expect(writesFor(v1, quota)[1]).toEqual([
    ['/sys/fs/cgroup/cpu/x/abc/cpu.cfs_period_us', '20000'],
    ['/sys/fs/cgroup/cpu/x/abc/cpu.cfs_quota_us', '20000'],
  ])
  expect(writesFor('0::/y/abc\n', quota)[0]).toEqual([['/sys/fs/cgroup/y/abc/cpu.max', '20000 20000']])
  expect(writesFor('0::/\n', quota)).toEqual([])
})
