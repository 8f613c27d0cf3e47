import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pack } from 'tar-stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DockerDriver } from '../../src/sandbox/docker/driver.ts'
import { removeNetwork } from '../../src/sandbox/docker/network/network-removal.ts'
import {
  chains,
  docker,
  execute,
  functionOf,
  IMAGE,
  newDriver,
  Observed,
  type Running,
  startFunction,
  until,
  workFolder,
} from './sandbox-fixture.ts'

const MIB = 1024 * 1024
let work: Awaited<ReturnType<typeof workFolder>>
let driver: DockerDriver
const running: Running[] = []

beforeAll(async () => {
  work = await workFolder()
  driver = newDriver(work)
  await driver.open()
})

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ sandbox }) => sandbox.destroy('the test is over')))
})

afterAll(async () => {
  await driver?.close()
  await work?.remove()
})

async function start(script: string, spec: Parameters<typeof startFunction>[3] = {}): Promise<Running> {
  const one = await startFunction(driver, work.data, script, spec)
  running.push(one)
  return one
}

async function exitOf(script: string) {
  const { seen, sandbox } = await start(script)
  await until('the runtime exits', () => seen.exits.length > 0)
  await sandbox.flush(30_000)
  return { exit: seen.exits[0], output: seen.text }
}

const gone = (id: string) =>
  docker
    .getContainer(id)
    .inspect()
    .then(
      () => false,
      (error) => error.statusCode === 404,
    )

const mounted = async (folder: string) => (await readFile('/proc/self/mountinfo', 'utf8')).includes(folder)

test('everything is isolated on the machine that runs these tests', () => {
  expect(driver.warnings).toEqual([])
})

describe('how the runtime ends', () => {
  test.each([
    ['exit 0', { code: 0 }],
    ['exit 3', { code: 3 }],
    ['exit 139', { code: 139 }],
    ['kill -SEGV $$', { signal: 11 }],
    ['kill -KILL $$', { signal: 9 }],
    ['kill -TERM $$', { signal: 15 }],
  ])('`%s` is reported exactly', async (script, how) => {
    expect((await exitOf(script)).exit).toEqual({ process: 'runtime', outOfMemory: false, ...how })
  })

  test('the out-of-memory killer is reported when it kills the runtime', async () => {
    const { exit } = await exitOf('exec dd if=/dev/zero of=/dev/null bs=300M count=1')
    expect(exit).toEqual({ process: 'runtime', signal: 9, outOfMemory: true })
  })

  test('the out-of-memory killer is reported when it kills a child and the runtime gives up', async () => {
    const { exit } = await exitOf('dd if=/dev/zero of=/dev/null bs=300M count=1; exit 7')
    expect(exit).toEqual({ process: 'runtime', code: 7, outOfMemory: true })
  })

  test('what the out-of-memory killer did before a new boot is not told again', async () => {
    const { seen, sandbox } = await start(
      '[ -e /tmp/second ] && exit 5; touch /tmp/second; exec dd if=/dev/zero of=/dev/null bs=300M count=1',
    )
    await until('the first exit', () => seen.exits.length === 1)
    sandbox.boot()
    await until('the second exit', () => seen.exits.length === 2)
    expect(seen.exits[0]).toMatchObject({ signal: 9, outOfMemory: true })
    expect(seen.exits[1]).toEqual({ process: 'runtime', code: 5, outOfMemory: false })
  })

  test('processes that the runtime left behind are killed before its exit is reported', async () => {
    const { seen, sandbox } = await start(
      'if [ -e /tmp/second ]; then cat /proc/[0-9]*/comm | grep -c sleep; exit 0; fi; touch /tmp/second; setsid sleep 1000 & sleep 0.1; exit 4',
    )
    await until('the first exit', () => seen.exits.length === 1)
    sandbox.boot()
    await until('the second exit', () => seen.exits.length === 2)
    await sandbox.flush(30_000)
    expect(seen.text).toBe('0\n')
  })
})

describe('a runtime that cannot be started', () => {
  const TAG = 'hearth-test-launch'

  async function image(tag: string, entry: { mode: number; text: string } | undefined): Promise<string> {
    const archive = pack()
    archive.entry({ name: 'var/task', type: 'directory', mode: 0o755 })
    if (entry) archive.entry({ name: 'var/runtime/bootstrap', mode: entry.mode }, entry.text)
    else archive.entry({ name: 'var/runtime', type: 'directory', mode: 0o755 })
    archive.finalize()
    const progress = (await docker.importImage(archive as unknown as NodeJS.ReadableStream, {
      repo: TAG,
      tag,
    })) as unknown as NodeJS.ReadableStream
    await new Promise((resolve, reject) => progress.on('end', resolve).on('error', reject).resume())
    return `${TAG}:${tag}`
  }

  test.each([
    ['ENOENT', undefined],
    ['EACCES', { mode: 0o644, text: '#!/bin/sh\n' }],
    ['ENOEXEC', { mode: 0o755, text: 'no program at all\n' }],
    ['ENOENT', { mode: 0o755, text: '#!/bin/missing\n' }],
  ])('is reported with %s and the path, and the sandbox stays', async (errno, entry) => {
    const name = await image('case', entry)
    try {
      const { seen, sandbox } = await start('', { image: name })
      await until('the failure is reported', () => seen.failures.length === 1)
      expect(seen.failures[0]).toEqual({ process: 'runtime', errno, path: '/var/runtime/bootstrap' })
      sandbox.boot()
      await until('it is reported again', () => seen.failures.length === 2)
      expect(seen.exits).toEqual([])
      expect(seen.losses).toEqual([])
      await sandbox.destroy('the test is over')
    } finally {
      await docker.getImage(name).remove({ force: true })
    }
  })
})

describe('output', () => {
  test('five megabytes arrive undisturbed while markers pass through them', async () => {
    const { seen, sandbox } = await start('seq 1 700000; seq 700001 750000 >&2; exit 0')
    while (seen.exits.length === 0) await sandbox.flush(1000)
    await sandbox.flush(30_000)
    const lines = seen.text.split('\n')
    expect(lines).toHaveLength(750_001)
    expect(lines.findIndex((line, index) => line !== String(index + 1) && index < 750_000)).toBe(-1)
  })

  test('what was written before a flush has arrived after it', async () => {
    const { seen, sandbox } = await start('head -c 300000 /dev/zero | tr "\\0" x; exit 0')
    await until('the runtime exits', () => seen.exits.length > 0)
    await sandbox.flush(30_000)
    expect(seen.text).toBe('x'.repeat(300_000))
  })

  test('a flush ends after its time when the function steals the marker, and the next one works', async () => {
    const { seen, sandbox } = await start(
      'echo thief; timeout 2 dd if=/proc/self/fd/1 of=/tmp/stolen bs=1 2>/dev/null; echo back; exec sleep 1000',
    )
    await until('the function runs', () => seen.text.includes('thief') || seen.text.includes('back'))
    await sandbox.flush(50)
    await until('it stopped stealing', () => seen.text.includes('back'))
    await sandbox.flush(30_000)
    expect(seen.losses).toEqual([])
  })
})

describe('stop and boot', () => {
  test('stop kills every process, daemons too, keeps /tmp and reports no exit', async () => {
    const { seen, sandbox } = await start(
      'echo x >> /tmp/boots; echo "boots=$(wc -l < /tmp/boots) sleepers=$(cat /proc/[0-9]*/comm | grep -c sleep)"\n' +
        '(setsid sleep 1000 &); (trap "" TERM INT HUP; exec setsid sleep 1000) & echo ready; exec sleep 1000',
    )
    await until('the first boot is ready', () => seen.text.includes('ready'))
    await sandbox.stop()
    sandbox.boot()
    await until('the second boot is ready', () => seen.text.split('ready').length === 3)
    expect(seen.text).toBe('boots=1 sleepers=0\nready\nboots=2 sleepers=0\nready\n')
    expect(seen.exits).toEqual([])
  })

  test('a fork bomb is stopped', async () => {
    const { seen, sandbox } = await start(
      '[ -e /tmp/b ] && exit 6; touch /tmp/b; f() { f | f & }; echo go; f; sleep 1000',
    )
    await until('it runs', () => seen.text.includes('go'))
    await sandbox.stop()
    sandbox.boot()
    await until('the second boot exits', () => seen.exits.length > 0)
    expect(seen.exits).toEqual([{ process: 'runtime', code: 6, outOfMemory: false }])
  })

  test('stop ends also when nothing runs, when asked twice, and when the sandbox is gone', async () => {
    const { seen, sandbox } = await start('exit 0')
    await until('the runtime exits', () => seen.exits.length > 0)
    await Promise.all([sandbox.stop(), sandbox.stop()])
    await sandbox.destroy('gone')
    await sandbox.stop()
    await sandbox.flush(60_000)
    expect(seen.exits).toHaveLength(1)
  })
})

describe('resources', () => {
  test('/tmp takes as many megabytes as EphemeralStorage says, with less memory than that, and then is full', async () => {
    const { exit, output } = await exitOf('dd if=/dev/zero of=/tmp/big bs=1M; stat -c %s /tmp/big')
    expect(output).toContain('No space left on device')
    const size = Number(output.trim().split('\n').at(-1))
    expect(size).toBeGreaterThanOrEqual(512 * MIB)
    expect(size).toBeLessThan(540 * MIB)
    expect(exit).toEqual({ process: 'runtime', code: 0, outOfMemory: false })
  })

  test('/tmp has the size that was asked for, programs in it run, and everything else is read-only', async () => {
    const { seen, sandbox } = await start(
      'df -B1M --output=avail /tmp | tail -1; cp /bin/true /tmp/t && /tmp/t && echo runs\n' +
        'for f in /x /var/task/x /opt/x /etc/x /dev/shm/x /var/hearth/x; do touch $f 2>/dev/null && echo "wrote $f"; done; exit 0',
      { ephemeralStorageMb: 1024 },
    )
    await until('the runtime exits', () => seen.exits.length > 0)
    await sandbox.flush(30_000)
    const [avail, runs, ...rest] = seen.text.trim().split('\n')
    expect(Number(avail)).toBeGreaterThanOrEqual(1024)
    expect(Number(avail)).toBeLessThan(1080)
    expect(runs).toBe('runs')
    expect(rest).toEqual([])
  })

  test('memory in use is at least what a process allocated, while it runs and after it', async () => {
    const { seen, sandbox } = await start('echo go; exec dd if=/dev/zero of=/dev/null bs=60M')
    await until('it allocated', async () => (await sandbox.maxMemoryBytes()) >= 60 * MIB)
    expect(await sandbox.maxMemoryBytes()).toBeLessThan(90 * MIB)
    await sandbox.stop()
    expect(await sandbox.maxMemoryBytes()).toBeGreaterThanOrEqual(60 * MIB)
    expect(seen.losses).toEqual([])
  })

  test('the CPU is unlimited at first and then limited to the share of MemorySize', async () => {
    const quota = 'cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us'
    const { seen, sandbox } = await start(`while :; do ${quota}; sleep 0.05; done`, { memoryMb: 512 })
    await until('it runs', () => seen.text.includes('\n'))
    expect(seen.text).toMatch(/^(-1|max 100000)\n/)
    await sandbox.limitCpu()
    await until('the limit is seen', () => /^5789( 20000)?$/m.test(seen.text))
  })

  test('code and variables are there, the user is that of AWS, and limits are those of AWS', async () => {
    const { output } = await exitOf(
      'echo $TEST; id -u; id -g; pwd; ulimit -n; ulimit -Hs; ulimit -c; ulimit -l; hostname',
    )
    expect(output.trim().split('\n')).toEqual([
      'yes',
      '993',
      '990',
      '/var/task',
      '1024',
      'unlimited',
      '10485760',
      '64',
      'sandbox',
    ])
  })
})

describe('the supervisor', () => {
  test('cannot be killed, traced or listened to by the function', async () => {
    const { output } = await exitOf(
      'ls -l /proc/1/fd 2>&1 | tail -1; cat /proc/1/environ; head -c 1 /proc/1/mem; echo stop > /proc/1/fd/0; echo x > /proc/1/fd/2\n' +
        'kill -KILL 1; kill -TERM 1; kill -STOP 1; kill -CHLD 1; sleep 0.2; readlink /proc/self/fd/0; exit 8',
    )
    expect(output).toContain("cannot open directory '/proc/1/fd': Permission denied")
    expect(output.match(/Permission denied/g)).toHaveLength(5)
    expect(output.trim().split('\n').at(-1)).toBe('/dev/null')
  })

  test('gives its channels to no process, even when the function lowered its limits', async () => {
    const { seen, sandbox } = await start(
      '[ -e /tmp/second ] && { echo "exit runtime code=99 oom=0" >&2; exit 0; }; touch /tmp/second; prlimit --pid 1 --nofile=2:2; echo lowered; exec sleep 1000',
    )
    await until('the limits are lowered', () => seen.text.includes('lowered'))
    await sandbox.stop()
    sandbox.boot()
    await until('the boot ended somehow', () => seen.exits.length + seen.failures.length + seen.losses.length > 0)
    expect(seen.exits.filter((exit) => exit.code === 99)).toEqual([])
  })
})

describe('the end of a sandbox', () => {
  test('that somebody else removed is told once', async () => {
    const { seen, sandbox } = await start('exec sleep 1000')
    await docker.getContainer(sandbox.id).remove({ force: true })
    await until('the loss is told', () => seen.losses.length > 0)
    await Promise.all([sandbox.flush(60_000), sandbox.stop(), sandbox.maxMemoryBytes(), sandbox.limitCpu()])
    await sandbox.destroy('lost')
    expect(seen.losses).toHaveLength(1)
    expect(seen.exits).toEqual([])
  })

  test('by two calls at the same time removes everything once, and is not told as a loss', async () => {
    const { seen, sandbox, address } = await start('exec sleep 1000')
    const [volume] = (await docker.getContainer(sandbox.id).inspect()).Mounts.filter(
      (one) => one.Destination === '/tmp',
    )
    expect(await mounted(join(volume!.Source!, '..'))).toBe(true)
    await Promise.all([sandbox.destroy('one'), sandbox.destroy('other')])
    await sandbox.destroy('again')
    expect(await gone(sandbox.id)).toBe(true)
    expect(await mounted(join(volume!.Source!, '..'))).toBe(false)
    expect(seen.losses).toEqual([])
    expect((await driver.reserve()).sandboxAddress).not.toBe(address)
  })

  test('ends a flush, a stop and a question that wait for it', async () => {
    const { sandbox } = await start('exec sleep 1000')
    await docker.getContainer(sandbox.id).pause()
    const waiting = [sandbox.flush(3_600_000), sandbox.maxMemoryBytes(), sandbox.stop()]
    await docker.getContainer(sandbox.id).unpause()
    await sandbox.destroy('now')
    await Promise.all(waiting)
  })
})

describe('a start that fails', () => {
  test('says that the image is missing, and its place can be used again', async () => {
    const place = await driver.reserve()
    const attempt = start('', { image: 'hearth-test-none:missing', place })
    await expect(attempt).rejects.toMatchObject({ name: 'SandboxError', kind: 'image-missing', code: '404' })
    const { seen } = await start('exit 0', { place })
    await until('it runs on the same place', () => seen.exits.length > 0)
  })

  test('says that the code is missing', async () => {
    const attempt = start('', { codePath: join(work.data, 'functions', 'missing') })
    await expect(attempt).rejects.toMatchObject({ kind: 'code-missing' })
  })

  test('says that the engine is not there', async () => {
    const { default: Dockerode } = await import('dockerode')
    const elsewhere = newDriver(work, { docker: new Dockerode({ socketPath: join(work.data, 'none.sock') }) })
    await expect(elsewhere.open()).rejects.toMatchObject({ kind: 'unexpected', code: 'ENOENT' })
  })

  test('leaves nothing behind', async () => {
    const count = async () =>
      (await docker.listContainers({ all: true, filters: { label: ['hearth.instance=test'] } })).length
    await until('failed starts are removed', async () => (await count()) === 0)
  })
})

describe('a host that was killed', () => {
  async function crash(data: string): Promise<{ id: string; process: ChildProcess }> {
    const program = fileURLToPath(new URL('./sandbox-crash-host.ts', import.meta.url))
    const host = spawn(process.execPath, ['--import', 'tsx', program, data, work.supervisor], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: host.stdout! })) {
      return { ...(JSON.parse(line) as { id: string }), process: host }
    }
    throw new Error('The host ended before it started a sandbox.')
  }

  const ended = async (id: string) => !(await docker.getContainer(id).inspect()).State.Running

  test('leaves no function running, and the next start removes everything it left', async () => {
    const other = await workFolder()
    const host = await crash(other.data)
    const networks = async () =>
      (await docker.listNetworks({ filters: { label: ['hearth.instance=test-crash'] } })) as {
        Options?: Record<string, string>
      }[]
    const [network] = await networks()
    const bridge = network!.Options!['com.docker.network.bridge.name']!
    expect(await chains()).toContain(`-A INPUT -i ${bridge} -j HEARTH-IN-${bridge}`)
    expect(await mounted(other.data)).toBe(true)

    host.process.kill('SIGKILL')
    await until('the container ends by itself', () => ended(host.id))

    const next = newDriver(other, { instance: 'test-next' })
    await next.open()
    try {
      expect(await gone(host.id)).toBe(true)
      expect(await networks()).toEqual([])
      expect(await chains()).not.toContain(bridge)
      const { sandbox, seen } = await startFunction(next, other.data, 'exit 0')
      await until('the next host works', () => seen.exits.length > 0)
      await sandbox.destroy('the test is over')
    } finally {
      await next.close()
    }
    expect(await mounted(other.data)).toBe(false)
    await other.remove()
  })

  test('is not confused with one that lives, on the same data directory or another', async () => {
    const other = await workFolder()
    const { sandbox, seen } = await start('exec sleep 1000')
    for (const folder of [other, work]) {
      const second = newDriver(folder, { instance: 'test-second' })
      await second.open()
      await second.close()
    }
    expect(await gone(sandbox.id)).toBe(false)
    expect(seen.losses).toEqual([])
    expect(driver.warnings).toEqual([])
    expect(await mounted(work.data)).toBe(true)
    await other.remove()
  })
})

test('a closed driver leaves no container, network, chain, mount or file', async () => {
  const other = await workFolder()
  const second = newDriver(other, { instance: 'test-closed' })
  await second.open()
  const { sandbox } = await startFunction(second, other.data, 'exec sleep 1000')
  await second.close()
  expect(await gone(sandbox.id)).toBe(true)
  const filters = { label: ['hearth.instance=test-closed'] }
  expect(await docker.listNetworks({ filters })).toEqual([])
  expect(await mounted(other.data)).toBe(false)
  expect((await execute('ls', ['-A', other.data])).stdout.trim()).toBe('functions')
  await expect(startFunction(second, other.data, 'exit 0')).rejects.toMatchObject({ code: 'Closed' })
  await other.remove()
})

test('a network that a container of ours is still on is removed, and one that somebody else uses is not', async () => {
  const other = await workFolder()
  const logged: object[] = []
  const second = newDriver(other, { instance: 'test-endpoints', log: (_, fields) => logged.push(fields ?? {}) })
  await second.open()
  const [network] = await docker.listNetworks({ filters: { label: ['hearth.instance=test-endpoints'] } })
  const owner = network!.Labels!['hearth.owner']!
  const sleeper = async (labels: Record<string, string>) => {
    const HostConfig = { NetworkMode: network!.Id, AutoRemove: true }
    const container = await docker.createContainer({
      Image: IMAGE,
      Entrypoint: ['sleep', '1000'],
      Labels: labels,
      HostConfig,
    })
    await container.start()
    return container
  }
  const ours = await sleeper({ 'hearth.owner': owner })
  const foreign = await sleeper({})
  const exists = async () => (await docker.listNetworks({ filters: { id: [network!.Id] } })).length > 0
  try {
    await second.close()
    expect(await exists()).toBe(true)
    expect(logged).toEqual([expect.objectContaining({ remedy: expect.stringContaining('docker network inspect') })])
    await docker.getNetwork(network!.Id).disconnect({ Container: foreign.id })
    await removeNetwork(docker, network!.Id)
    expect(await exists()).toBe(false)
  } finally {
    for (const one of [ours, foreign]) await one.remove({ force: true })
    await other.remove()
  }
})

test('a driver that is closed while sandboxes start leaves none of them', async () => {
  const other = await workFolder()
  const second = newDriver(other, { instance: 'test-closing', maxParallelStarts: 2 })
  await second.open()
  const starts = [1, 2, 3, 4].map(() => startFunction(second, other.data, 'exec sleep 1000'))
  const settled = Promise.allSettled(starts)
  const filters = { label: ['hearth.instance=test-closing'] }
  await until('one is under way', async () => (await docker.listContainers({ all: true, filters })).length > 0)
  await second.close()
  await settled
  expect(await docker.listContainers({ all: true, filters })).toEqual([])
  expect(await docker.listNetworks({ filters })).toEqual([])
  expect(await mounted(other.data)).toBe(false)
  await other.remove()
})

describe('something taken away from under a running host', () => {
  test('a network that was pruned while no sandbox was on it is made again', async () => {
    const [network] = await docker.listNetworks({ filters: { label: ['hearth.instance=test'] } })
    await docker.getNetwork(network!.Id).remove()
    const { seen } = await start('exit 0')
    await until('it runs', () => seen.exits.length > 0)
    const bridge = network!.Options!['com.docker.network.bridge.name']
    expect(await chains()).toContain(`-A INPUT -i ${bridge} -j HEARTH-IN-${bridge}`)
  })

  test('an engine that does not see the volumes gets a tmpfs, and the driver says so', async () => {
    const other = await workFolder()
    const second = newDriver(other, { instance: 'test-unseen' })
    await second.open()
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(other.data))
    for (const line of mounts) await execute('umount', ['-l', line.split(' ')[4]!])
    const { seen, sandbox } = await startFunction(second, other.data, 'stat -f -c %T /tmp; exit 0')
    await until('it runs', () => seen.exits.length > 0)
    await sandbox.flush(30_000)
    expect(seen.text).toBe('tmpfs\n')
    expect(second.warnings.join()).toMatch(/tmp of functions is memory.*engine does not see them/)
    await second.close()
    await other.remove()
  })

  test('a supervisor that is gone is asked for again, and its absence explained', async () => {
    const other = await workFolder()
    let path = join(other.data, 'missing')
    const asked = newDriver(other, { instance: 'test-supervisor', supervisor: async () => path })
    await asked.open()
    try {
      await expect(startFunction(asked, other.data, 'exit 0')).rejects.toMatchObject({
        kind: 'unexpected',
        remedy: expect.stringContaining('cannot find the supervisor'),
      })
      path = other.supervisor
      const { seen } = await startFunction(asked, other.data, 'exit 0')
      await until('it runs', () => seen.exits.length > 0)
    } finally {
      await asked.close()
      await other.remove()
    }
  })
})

test('a file that pretends to be the folder of volumes is refused with a remedy', async () => {
  const other = await workFolder()
  await writeFile(join(other.data, 'tmp-volumes'), '')
  const broken = newDriver(other, { instance: 'test-broken' })
  await expect(broken.open()).rejects.toMatchObject({ name: 'SandboxError', kind: 'unexpected' })
  await other.remove()
})

test('an observer gets output that was written before start returned', async () => {
  const seen = new Observed()
  const place = await driver.reserve()
  const sandbox = await driver.start(
    {
      place,
      image: 'hearth-runtime:provided.al2023',
      memoryMb: 128,
      ephemeralStorageMb: 512,
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:early:1',
    },
    { environment: {}, codePath: await functionOf(work.data, 'echo first; exit 0') },
    seen,
  )
  expect(Object.values(sandbox.phases).every((phase) => phase > 0)).toBe(true)
  await until('the runtime exits', () => seen.exits.length > 0)
  await sandbox.flush(30_000)
  expect(seen.text).toBe('first\n')
  await sandbox.destroy('the test is over')
})
