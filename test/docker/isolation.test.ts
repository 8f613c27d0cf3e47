import { createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { DockerDriver } from '../../src/sandbox/docker/driver.ts'
import { Firewall } from '../../src/sandbox/docker/network/firewall.ts'
import { JoinedFilter, joinedScript } from '../../src/sandbox/docker/network/joined-filter.ts'
import { helperRunner, hostRunner } from '../../src/sandbox/docker/network/script-runner.ts'
import {
  chains,
  docker,
  execute,
  newDriver,
  type Running,
  startFunction,
  tools,
  until,
  workFolder,
} from './sandbox-fixture.ts'

let work: Awaited<ReturnType<typeof workFolder>>
let driver: DockerDriver
let loopbackService: Listening
const running: Running[] = []
const servers: Server[] = []

interface Listening {
  readonly port: number
  /** Addresses that connected. */
  readonly peers: string[]
}

function listen(host: string, accepts: (socket: Socket) => boolean = () => true): Promise<Listening> {
  const peers: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (!accepts(socket)) return void socket.destroy()
    peers.push(socket.remoteAddress ?? '')
    socket.end('hello from the host\n')
  })
  servers.push(server)
  return new Promise((resolve) =>
    server.listen({ host, port: 0 }, () => resolve({ port: (server.address() as { port: number }).port, peers })),
  )
}

beforeAll(async () => {
  work = await workFolder()
  loopbackService = await listen('127.0.0.1')
  driver = newDriver(work, { instance: 'test-isolation', functionReach: [loopbackService.port] })
  await driver.open()
})

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ sandbox }) => sandbox.destroy('the test is over')))
})

afterAll(async () => {
  for (const server of servers) server.close()
  await driver?.close()
  await work?.remove()
})

async function start(script: string): Promise<Running> {
  const one = await startFunction(driver, work.data, script)
  running.push(one)
  return one
}

/** A shell function that says whether something answers there; two seconds are the time for packets that are dropped. */
const PROBE =
  'probe() { if timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2; cat <&3" >/tmp/answer 2>/dev/null && [ -s /tmp/answer ]; ' +
  'then echo "$3 open"; else echo "$3 closed"; fi; }\n'

/** What a sandbox finds, as `name open` or `name closed`, for each `name address port`. */
async function probe(...targets: (readonly [name: string, address: string, port: number])[]): Promise<string[]> {
  const lines = targets.map(([name, address, port]) => `probe ${address} ${port} ${name}`)
  const { seen, sandbox } = await start(`${PROBE}${lines.join('\n')}\nexit 0`)
  await until('the probes are done', () => seen.exits.length > 0)
  await sandbox.flush(30_000)
  return seen.text.trim().split('\n')
}

const hostAddresses = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((one) => one.family === 'IPv4' && !one.internal)
    .map((one) => one.address)

async function gateway(): Promise<string> {
  const place = await driver.reserve()
  place.release()
  return place.hostAddress
}

async function bridgeName(): Promise<string> {
  const networks = await docker.listNetworks({ filters: { label: ['hearth.instance=test-isolation'] } })
  return networks[0]!.Options!['com.docker.network.bridge.name']!
}

test('no sandbox reaches another one', async () => {
  const server = await start(
    `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalPort => 8080, ReuseAddr => 1) or die; $| = 1; print "listening\\n"; while ($c = $s->accept) { print $c "hi\\n"; close $c }' &\n` +
      `${PROBE}while ! probe ${'$(hostname -i)'} 8080 itself | grep open; do sleep 0.1; done; exec sleep 1000`,
  )
  await until('the server answers itself under its own address', () => server.seen.text.includes('itself open'))
  expect(await probe(['neighbour', server.address, 8080])).toEqual(['neighbour closed'])
})

test('no port of this machine is open to sandboxes until it is admitted, and then only at the gateway', async () => {
  const { port, peers } = await listen('0.0.0.0')
  const at = await gateway()
  const others = hostAddresses().filter((address) => address !== at)
  const targets = [at, ...others].map((address) => [address, address, port] as const)
  expect(await probe(...targets)).toEqual(targets.map(([name]) => `${name} closed`))
  expect(peers).toEqual([])

  await driver.admit(at, port, port)
  await driver.admit(at, port, port)
  expect(await probe(...targets)).toEqual([`${at} open`, ...others.map((address) => `${address} closed`)])
  expect(peers).toHaveLength(1)
})

test('a listener knows its sandbox by its address, so that no other sandbox is served', async () => {
  const owner = await driver.reserve()
  expect([owner.sandboxAddress!, owner.hostAddress, '127.0.0.1', '::1'].map((one) => driver.isSandbox(one))).toEqual([
    true,
    false,
    false,
    false,
  ])
  const { port, peers } = await listen(owner.hostAddress, (socket) => socket.remoteAddress === owner.sandboxAddress)
  await driver.admit(owner.hostAddress, port, port)
  expect(await probe(['another', owner.hostAddress, port])).toEqual(['another closed'])
  const one = await startFunction(driver, work.data, `${PROBE}probe ${owner.hostAddress} ${port} own; exit 0`, {
    place: owner,
  })
  running.push(one)
  await until('the owner is done', () => one.seen.exits.length > 0)
  await one.sandbox.flush(30_000)
  expect(one.seen.text).toBe('own open\n')
  expect(peers).toEqual([owner.sandboxAddress])
})

test('a sandbox cannot pretend to have another address', async () => {
  const { seen, sandbox } = await start(
    `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) or print "raw: $!\\n"'
perl -e 'socket(S, 17, 3, 0x300) or print "packet: $!\\n"'
perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalAddr => "10.213.0.99", PeerAddr => "192.0.2.1:9", Timeout => 1) or print "bind: $!\\n"'
cat /proc/net/if_inet6 | grep -v ' lo$'; exit 0`,
  )
  await until('it tried', () => seen.exits.length > 0)
  await sandbox.flush(30_000)
  expect(seen.text).toBe(
    'raw: Operation not permitted\npacket: Operation not permitted\nbind: Cannot assign requested address\n',
  )
})

test('the metadata service of a cloud machine is out of reach', async () => {
  const bridge = await bridgeName()
  const dropped = async () => {
    const { stdout } = await execute('iptables', ['-w', '10', '-nvxL', `HEARTH-OUT-${bridge}`])
    return Number(/^\s*(\d+)\s.*169\.254\.169\.254/m.exec(stdout)?.[1])
  }
  const before = await dropped()
  expect(await probe(['metadata', '169.254.169.254', 80])).toEqual(['metadata closed'])
  expect(await dropped()).toBeGreaterThan(before)
})

test('a port that the operator names is reachable as host.docker.internal, although its service listens on loopback', async () => {
  expect(await probe(['service', 'host.docker.internal', loopbackService.port])).toEqual(['service open'])
  expect(loopbackService.peers).toEqual(['127.0.0.1'])
  const { port } = await listen('127.0.0.1')
  expect(await probe(['unnamed', 'host.docker.internal', port])).toEqual(['unnamed closed'])
})

test('rules that something else deleted come back with the next admission', async () => {
  const at = await gateway()
  const bridge = await bridgeName()
  await execute('iptables', ['-w', '10', '-D', 'INPUT', '-i', bridge, '-j', `HEARTH-IN-${bridge}`])
  await driver.admit(at, 1, 1)
  expect(await chains()).toContain(`-A INPUT -i ${bridge} -j HEARTH-IN-${bridge}`)
})

test('only an address of a function network and a real port range can be admitted', async () => {
  await expect(driver.admit('127.0.0.1', 80, 80)).rejects.toMatchObject({ name: 'SandboxError' })
  await expect(driver.admit(await gateway(), 90, 80)).rejects.toMatchObject({ name: 'SandboxError' })
})

test.each([
  ['by this process', hostRunner],
  [
    'by a helper container',
    helperRunner({
      docker,
      image: tools,
      identity: { instance: 'test', owner: 'x', data: 'x' },
    }),
  ],
])('the packet filter is set once and removed whole, %s', async (_, runner) => {
  const firewall = new Firewall(runner)
  const rules = { interfaceName: 'hthtest-0', gateway: '10.99.0.1', admitted: [], nameServers: [] }
  await firewall.apply(rules)
  await firewall.apply({ ...rules, admitted: [{ first: 80, last: 90 }] })
  const set = (await chains()).split('\n').filter((line) => line.includes('hthtest-0'))
  expect(set.filter((line) => line.startsWith('-A INPUT'))).toEqual(['-A INPUT -i hthtest-0 -j HEARTH-IN-hthtest-0'])
  expect(set.filter((line) => line.startsWith('-A DOCKER-USER'))).toHaveLength(1)
  expect(set.filter((line) => line.startsWith('-A HEARTH-IN'))).toEqual([
    '-A HEARTH-IN-hthtest-0 -d 10.99.0.1/32 -p tcp -m tcp --dport 80:90 -j ACCEPT',
    '-A HEARTH-IN-hthtest-0 -j DROP',
  ])
  expect(await firewall.interfaces()).toContain('hthtest-0')
  await firewall.remove('hthtest-0')
  expect(await chains()).not.toContain('hthtest-0')
  const helpers = await docker.listContainers({ all: true, filters: { label: ['hearth.owner=x'] } })
  expect(helpers).toEqual([])
})

test.each([
  ['by this process', true],
  ['by a helper container', false],
])('the packet filter of joined networks is set in the namespace of the sandbox, %s', async (_, direct) => {
  const { sandbox, place } = await start('exec sleep 1000')
  const container = docker.getContainer(sandbox.id)
  const network = await docker.createNetwork({
    Name: `hearth-dev-joined-${process.pid}`,
    Internal: true,
    IPAM: { Config: [{ Subnet: '10.251.7.0/24', Gateway: '10.251.7.1' }] },
  })
  try {
    await network.connect({ Container: sandbox.id })
    const identity = { instance: 'test', owner: 'x', data: 'x' }
    const helper = (mode: string) => helperRunner({ docker, image: tools, identity, network: mode })
    const filter = new JoinedFilter(helper, direct)
    await filter.close(container, place, [{ protocol: 'tcp', first: 80, last: 90 }])
    const { SandboxKey } = (await container.inspect()).NetworkSettings as unknown as { SandboxKey: string }
    const inside = async (...command: string[]) =>
      (await execute('nsenter', [`--net=${SandboxKey}`, ...command])).stdout
    expect((await inside('iptables', '-S', 'OUTPUT')).trim().split('\n')).toEqual([
      '-P OUTPUT DROP',
      '-A OUTPUT -o lo -j ACCEPT',
      '-A OUTPUT -o eth0 -j ACCEPT',
      '-A OUTPUT -d 10.251.7.1/32 -j DROP',
      '-A OUTPUT -d 10.251.7.255/32 -j DROP',
      '-A OUTPUT -d 10.251.7.0/24 -p tcp -m tcp --dport 80:90 -j ACCEPT',
    ])
    expect(await inside('iptables', '-S', 'INPUT')).toContain('-P INPUT DROP')
    expect(await inside('ip6tables', '-S', 'OUTPUT')).toBe('-P OUTPUT DROP\n-A OUTPUT -o lo -j ACCEPT\n')
    expect(await inside('ip', 'route')).toContain(`default via ${place.hostAddress} dev eth0`)
  } finally {
    await sandbox.destroy('the test is over')
    await network.remove()
  }
})

test('the packet filter of joined networks is set nowhere but in the namespace of its sandbox', async () => {
  const script = joinedScript({ address: '10.251.9.9', gateway: '10.251.9.1', joined: [], reach: undefined })
  const before = await chains()
  await expect(hostRunner(script)).rejects.toThrow(/not the network of the sandbox/)
  expect(await chains()).toBe(before)
})
