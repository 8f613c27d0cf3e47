import { expect, test } from 'vitest'
import type { BridgePlace } from '../../../../src/sandbox/docker/network/bridge.ts'
import { containerOptions, type SpecOptions } from '../../../../src/sandbox/docker/spec.ts'
import type { CellSpec, Workload } from '../../../../src/sandbox/driver.ts'

const cell: CellSpec = {
  place: {} as BridgePlace,
  image: 'hearth-runtime:nodejs24.x',
  memoryMb: 256,
  ephemeralStorageMb: 1024,
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST',
}

const workload: Workload = {
  environment: { _HANDLER: 'index.handler', GREETING: 'a=b c' },
  codePath: '/data/code/abc',
  layersPath: '/data/layers/def',
}

const options: SpecOptions = {
  identity: { instance: 'i-1', owner: 'boot.1.2.3', data: 'd1' },
  nonce: '0011aabb',
  network: { name: 'hearth-net-i-1-0', gateway: '10.213.0.1', address: '10.213.0.7' },
  supervisorPath: '/data/supervisor',
  tmpPath: '/data/tmp-volumes/x/0/tmp',
  reachesHost: false,
}

const made = containerOptions(cell, workload, options)
const host = made.HostConfig!

test('a sandbox has no capability, no new privileges, the default seccomp profile and the user of AWS', () => {
  expect(made.User).toBe('993:990')
  expect(host.CapDrop).toEqual(['ALL'])
  expect(host.CapAdd).toBeUndefined()
  expect(host.SecurityOpt).toEqual(['no-new-privileges'])
  expect(host.Privileged).toBe(false)
})

test('code and layers are read-only, so is the root, and only /tmp can be written', () => {
  expect(host.ReadonlyRootfs).toBe(true)
  expect(host.IpcMode).toBe('none')
  const mounts = Object.fromEntries(host.Mounts!.map((mount) => [mount.Target, mount]))
  expect(Object.keys(mounts).sort()).toEqual(['/opt', '/tmp', '/var/hearth/supervisor', '/var/task'])
  expect(mounts['/var/task']).toMatchObject({ Source: '/data/code/abc', ReadOnly: true })
  expect(mounts['/opt']).toMatchObject({ Source: '/data/layers/def', ReadOnly: true })
  expect(mounts['/var/hearth/supervisor']).toMatchObject({ Source: '/data/supervisor', ReadOnly: true })
  expect(mounts['/tmp']).toMatchObject({ Source: '/data/tmp-volumes/x/0/tmp', ReadOnly: false })
  expect(host.Tmpfs).toBeUndefined()
})

test('without layers nothing is mounted at /opt', () => {
  const { HostConfig } = containerOptions(cell, { ...workload, layersPath: undefined }, options)
  expect(HostConfig!.Mounts!.map((mount) => mount.Target)).not.toContain('/opt')
})

test('without a volume /tmp is an executable tmpfs of EphemeralStorage size', () => {
  const { HostConfig } = containerOptions(cell, workload, { ...options, tmpPath: undefined })
  expect(HostConfig!.Tmpfs).toEqual({ '/tmp': 'rw,exec,nosuid,nodev,size=1024m,mode=1777' })
  expect(HostConfig!.Mounts!.map((mount) => mount.Target)).not.toContain('/tmp')
})

test('memory is MemorySize without swap, and processes and files are limited as on AWS', () => {
  expect(host.Memory).toBe(256 * 1024 * 1024)
  expect(host.MemorySwap).toBe(host.Memory)
  expect(host.PidsLimit).toBe(1024)
  const limits = Object.fromEntries(host.Ulimits!.map((limit) => [limit.Name ?? '', limit]))
  expect(limits).toEqual({
    nofile: { Name: 'nofile', Soft: 1024, Hard: 1024 },
    memlock: { Name: 'memlock', Soft: 65536, Hard: 65536 },
    core: { Name: 'core', Soft: 10737418240, Hard: 10737418240 },
    stack: { Name: 'stack', Soft: 8388608, Hard: -1 },
  })
})

test('Init has the full CPU: no quota is set at the start', () => {
  expect(host.CpuQuota).toBeUndefined()
  expect(host.NanoCpus).toBeUndefined()
})

test('the supervisor is the first process and starts the program of the image', () => {
  expect(made.Entrypoint).toEqual(['/var/hearth/supervisor'])
  expect(made.Cmd).toEqual(['-u', 'HOSTNAME', '-u', 'HOME', '/var/runtime/bootstrap'])
  expect(made.Healthcheck).toEqual({ Test: ['NONE'] })
  expect(made.Env).toEqual(['_HANDLER=index.handler', 'GREETING=a=b c'])
  expect(made.WorkingDir).toBe('/var/task')
})

test('a function that brings its bootstrap says where it may be', () => {
  const bootstraps = ['/var/task/bootstrap', '/opt/bootstrap']
  const { Cmd } = containerOptions(cell, { ...workload, bootstraps }, options)
  expect(Cmd!.slice(-3)).toEqual(['-B', ...bootstraps])
})

test('variables that the engine sets are taken away, unless the function has them', () => {
  const own = { ...workload, environment: { HOME: '/tmp', HOSTNAME: 'mine' } }
  expect(containerOptions(cell, own, options).Cmd).toEqual(['/var/runtime/bootstrap'])
})

test('stdin ends with the connection of the host, and the engine keeps no log', () => {
  expect(made).toMatchObject({ OpenStdin: true, StdinOnce: true, AttachStdin: true, Tty: false })
  expect(host.LogConfig).toEqual({ Type: 'none', Config: {} })
})

test('the address on the network is fixed before the start', () => {
  expect(host.NetworkMode).toBe('hearth-net-i-1-0')
  expect(made.NetworkingConfig!.EndpointsConfig).toEqual({
    'hearth-net-i-1-0': { IPAMConfig: { IPv4Address: '10.213.0.7' } },
  })
})

test('names and labels tell whose it is', () => {
  expect(made.name).toBe('hearth-i-1-hello-0011aabb')
  expect(made.Labels).toEqual({
    'hearth.instance': 'i-1',
    'hearth.owner': 'boot.1.2.3',
    'hearth.data': 'd1',
    'hearth.function': cell.functionArn,
  })
})

test('the machine has a name inside only where ports of it are reachable', () => {
  expect(host.ExtraHosts).toEqual(['sandbox.localdomain:127.0.0.1'])
  const { HostConfig } = containerOptions(cell, workload, { ...options, reachesHost: true })
  expect(HostConfig!.ExtraHosts).toContain('host.docker.internal:10.213.0.1')
})

test('a function of its own image starts where and how it says, without /var/task, and its volumes are read-only', () => {
  const program = { arguments: ['/entry', 'app.handler'], workingDirectory: '/app', volumes: ['/data'] }
  const image = `repository@sha256:${'a'.repeat(64)}`
  const own = containerOptions({ ...cell, image }, { environment: {}, codePath: undefined, program }, options)
  expect(own.Entrypoint).toEqual(['/var/hearth/supervisor'])
  // HOME may be the image's own.
  expect(own.Cmd).toEqual(['-C', '/app', '-u', 'HOSTNAME', '--', '/entry', 'app.handler'])
  // One that is not there would be made by the engine.
  expect(own.WorkingDir).toBe('/')
  expect(own.User).toBe('993:990')
  const mounts = Object.fromEntries(own.HostConfig!.Mounts!.map((mount) => [mount.Target, mount]))
  expect(Object.keys(mounts)).not.toContain('/var/task')
  expect(mounts['/data']).toMatchObject({
    Type: 'volume',
    ReadOnly: true,
    Source: expect.stringMatching(/^hearth-image-i-1-[0-9a-f]{24}$/),
  })
})
