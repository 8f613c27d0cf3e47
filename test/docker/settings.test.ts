/** KMSKeyArn, FileSystemConfigs and VpcConfig: that they have their effect, and each error that they can end in. */
import { execFile, execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type CreateFunctionCommandInput,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Keyring } from '../../src/keys/keyring.ts'
import { active, createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { until } from '../support/until.ts'

const PREFIX = `hearth-dev-settings-${process.pid}`
const SUBNET_POOL = 10 + (process.pid % 200)
const accessPoint = (digit: string) =>
  `arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0000000000000000${digit}`

let host: TestHost
let shared: string
let silent: Server
/** Answers every call that it offers no such program. */
let empty: Server
const sockets = new Set<Socket>()

const execute = promisify(execFile)
const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim()

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'hearth-shared-'))
  await chmod(shared, 0o755)
  for (const name of ['good', 'closed', 'dead']) await mkdir(join(shared, name))
  await chown(join(shared, 'good'), 993, 990)
  await chmod(join(shared, 'closed'), 0o700)
  await writeFile(join(shared, 'file'), '')
  // Accepts and says nothing, as a server does whose disks hang.
  silent = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  empty = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    // RFC 5531: record mark, the call's id, REPLY, accepted, no verifier, PROG_UNAVAIL.
    socket.on('data', (call) =>
      socket.write(Buffer.from(`80000018${call.toString('hex', 4, 8)}0000000100000000000000000000000000000001`, 'hex')),
    )
  })
  await new Promise<void>((resolve) => empty.listen(0, '127.0.0.1', resolve))
  for (const name of ['a', 'b']) docker('network', 'create', `${PREFIX}-${name}`)
  docker(
    'network',
    'create',
    '--subnet',
    `10.250.${SUBNET_POOL}.0/30`,
    '--aux-address',
    `x=10.250.${SUBNET_POOL}.2`,
    `${PREFIX}-full`,
  )
  docker('volume', 'create', `${PREFIX}-volume`)
  host = await startTestHost({
    fileSystems: {
      [accessPoint('1')]: join(shared, 'good'),
      [accessPoint('2')]: join(shared, 'none'),
      [accessPoint('3')]: join(shared, 'closed'),
      [accessPoint('4')]: join(shared, 'file'),
      [accessPoint('5')]: `nfs:127.0.0.1:${(silent.address() as AddressInfo).port}:/export`,
      [accessPoint('6')]: 'nfs:127.0.0.1:1:/export',
      [accessPoint('7')]: `volume:${PREFIX}-volume`,
      [accessPoint('8')]: `volume:${PREFIX}-none`,
      [accessPoint('9')]: join(shared, 'dead/inner'),
      [accessPoint('a')]: `nfs:127.0.0.1:${(empty.address() as AddressInfo).port}:/export`,
    },
    subnets: {
      'subnet-a': `${PREFIX}-a`,
      'subnet-gone': `${PREFIX}-gone`,
      'subnet-full': `${PREFIX}-full`,
    },
    securityGroups: {
      'sg-label': 'web',
      'sg-b': `network:${PREFIX}-b`,
      'sg-gone': `network:${PREFIX}-gone`,
      'sg-ports': 'tcp:8080',
    },
    maxNetworkAttachments: 5,
  })
})

afterAll(async () => {
  await host?.stop()
  for (const socket of sockets) socket.destroy()
  silent?.close()
  empty?.close()
  for (const name of ['a', 'b', 'full']) docker('network', 'rm', `${PREFIX}-${name}`)
  docker('volume', 'rm', `${PREFIX}-volume`)
  await rm(shared, { recursive: true, force: true })
})

const CODE = `
const fs = require('node:fs')
const net = require('node:net')
exports.handler = async (event) => {
  switch (event.do) {
    case 'variable': return process.env[event.name] ?? null
    case 'write': fs.writeFileSync(event.path, event.text); return fs.statSync(event.path).uid
    case 'read': return fs.readFileSync(event.path, 'utf8')
    case 'addresses': return Object.values(require('node:os').networkInterfaces()).flat().map((one) => one.address)
    case 'api': return process.env.AWS_LAMBDA_RUNTIME_API
    case 'way out': return fs.readFileSync('/proc/net/route', 'utf8').split('\\n').map((line) => line.split('\\t')).filter((one) => one[1] === '00000000')
      .map((one) => Buffer.from(one[2], 'hex').reverse().join('.'))
    case 'listen': return await new Promise((resolve) => net.createServer((socket) => socket.end('hello')).listen(event.port, () => resolve('listens')))
    case 'connect': return await new Promise((resolve) => {
      const socket = net.connect(event.port, event.host)
      socket.setTimeout(event.patienceMs, () => { socket.destroy(); resolve('timeout') })
      socket.on('error', (error) => resolve(error.code))
      // A listener that refuses the peer accepts and closes at once.
      socket.on('connect', () => socket.write('GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'))
      socket.on('data', (data) => resolve(String(data).split('\\r\\n')[0]))
      socket.on('close', () => resolve('closed'))
    })
  }
}`

/** For a connection that is to be made, on a machine that is busy; and for one that nobody will answer. */
const PATIENCE_MS = 15_000
const REFUSED = { patienceMs: 2000 }

let functions = 0

async function fresh(settings: Partial<CreateFunctionCommandInput>): Promise<string> {
  const name = `f-${functions++}`
  await createFunction(host.client, name, { 'index.js': CODE }, { Timeout: 20, MemorySize: 256, ...settings })
  return name
}

/** The invoke is refused, and the operator reads the reason with its remedy, once. */
async function refusal(name: string): Promise<{ name: string; status: number; message: string; remedy: string }> {
  const before = host.log.length
  const error = await invoke(host.client, name).then(
    () => undefined,
    (error: Error & { $metadata: { httpStatusCode: number } }) => error,
  )
  expect(error).toBeDefined()
  const entries = host.log.slice(before).filter((line) => line.function === name)
  expect(entries).toHaveLength(1)
  return {
    name: error!.name,
    status: error!.$metadata.httpStatusCode,
    message: error!.message,
    remedy: String(entries[0]!.remedy),
  }
}

describe('KMSKeyArn', () => {
  const ring = () => new Keyring(join(host.data, 'keys'))
  const newKey = () => ring().create({ account: '000000000000', region: 'us-east-1', description: '' }).arn!
  const decrypting = 'Lambda was unable to decrypt the environment variables because '
  const settings = " Please check the function's KMS key settings."

  it('gives the function its variables, which are encrypted in the database', async () => {
    const name = await fresh({ KMSKeyArn: newKey(), Environment: { Variables: { SECRET: 'sesame-open' } } })
    expect((await invoke(host.client, name, { do: 'variable', name: 'SECRET' })).body).toBe('sesame-open')
    for (const file of ['hearth.db', 'hearth.db-wal']) {
      expect((await readFile(join(host.data, file))).includes('sesame-open')).toBe(false)
    }
  })

  it.each([
    [
      'is disabled',
      (arn: string) => ring().setState(arn, 'Disabled'),
      'KMSDisabledException',
      'the KMS key used is disabled.',
    ],
    [
      'waits for its deletion',
      (arn) => ring().delete(arn, 7),
      'KMSInvalidStateException',
      'the KMS key used is in an invalid state for Decrypt.',
    ],
    ['is deleted', (arn) => ring().delete(arn, 0), 'KMSNotFoundException', 'the KMS key was not found.'],
    [
      'cannot be read',
      (arn) => writeFile(join(host.data, 'keys', `${arn.split('/')[1]}.json`), 'damaged'),
      'KMSAccessDeniedException',
      'KMS access was denied.',
    ],
  ] as const satisfies readonly (readonly [string, (arn: string) => unknown, string, string])[])(
    'whose key %s keeps the function from starting, and is told where the function is shown',
    async (_title, spoil: (arn: string) => unknown, code, reason) => {
      const arn = newKey()
      const name = await fresh({ KMSKeyArn: arn, Environment: { Variables: { SECRET: 'x1' } } })
      await spoil(arn)
      const refused = await refusal(name)
      expect(refused).toMatchObject({ name: code, status: 502 })
      expect(refused.message).toContain(decrypting + reason + settings)
      const shown = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
      expect(shown.Environment).toEqual({ Error: { ErrorCode: code, Message: refused.message } })
    },
  )
})

describe('FileSystemConfigs', () => {
  const on = (digit: string) => ({ FileSystemConfigs: [{ Arn: accessPoint(digit), LocalMountPath: '/mnt/shared' }] })

  it('mounts a folder that outlives the environment and that two functions share', async () => {
    const writer = await fresh(on('1'))
    const path = '/mnt/shared/letter'
    expect((await invoke(host.client, writer, { do: 'write', path, text: 'hello' })).body).toBe(993)
    const reader = await fresh(on('1'))
    expect((await invoke(host.client, reader, { do: 'read', path })).body).toBe('hello')
    expect((await stat(join(shared, 'good/letter'))).gid).toBe(990)
    const { FileSystemConfigs } = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName: reader }))
    expect(FileSystemConfigs).toEqual(on('1').FileSystemConfigs)
    await host.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: reader, FileSystemConfigs: [] }))
    await active(host.client, reader)
    expect((await invoke(host.client, reader, { do: 'read', path })).FunctionError).toBe('Unhandled')
  })

  it('mounts a volume of the engine', async () => {
    const name = await fresh(on('7'))
    // What an engine makes belongs to root: it can be read.
    expect((await invoke(host.client, name, { do: 'write', path: '/mnt/shared/x', text: '' })).FunctionError).toBe(
      'Unhandled',
    )
    docker(
      'run',
      '--rm',
      '--user',
      '0',
      '--network',
      'none',
      '-v',
      `${PREFIX}-volume:/v`,
      '--entrypoint',
      '/bin/sh',
      'hearth-runtime:nodejs22.x',
      '-c',
      'echo from outside > /v/letter',
    )
    expect((await invoke(host.client, name, { do: 'read', path: '/mnt/shared/letter' })).body).toBe('from outside\n')
  })

  it.each([
    ['a folder is missing', '2'],
    ['functions may not enter a folder', '3'],
    ['it is no folder', '4'],
    ['a volume is missing', '8'],
    // On a kernel without NFS for that reason ("no such device"), on others because the server offers none.
    ['the engine cannot mount an NFS export', 'a'],
  ])('is answered with EFSMountFailureException when %s', async (_title, digit) => {
    const refused = await refusal(await fresh(on(digit)))
    expect(refused).toMatchObject({
      name: 'EFSMountFailureException',
      status: 403,
      message: `The function could not mount the EFS file system with access point ${accessPoint(digit)}`,
    })
    expect(refused.remedy).toMatch(/mkdir|volume create|mount -t nfs/)
  })

  it('is answered with EFSMountTimeoutException when an NFS server does not answer', async () => {
    expect(await refusal(await fresh(on('5')))).toMatchObject({
      name: 'EFSMountTimeoutException',
      status: 408,
      message: `The function could not mount the EFS file system with access point ${accessPoint('5')} due to mount time out.`,
    })
  })

  it('is answered with EFSMountConnectivityException when no NFS server is there', async () => {
    expect(await refusal(await fresh(on('6')))).toMatchObject({
      name: 'EFSMountConnectivityException',
      status: 408,
      message: `The function couldn't connect to the Amazon EFS file system with access point ${accessPoint('6')}. Check your network configuration and try again.`,
    })
  })

  it('is answered with EFSIOException when the disk below a folder is broken', async () => {
    const image = join(shared, 'disk')
    const folder = join(shared, 'dead')
    execFileSync('sh', [
      '-c',
      `truncate -s 8M ${image} && mkfs.ext4 -q ${image} && mount -o loop ${image} ${folder} && mkdir ${folder}/inner && umount ${folder} && mount -o loop ${image} ${folder} && truncate -s 0 ${image}`,
    ])
    try {
      expect(await refusal(await fresh(on('9')))).toMatchObject({ name: 'EFSIOException', status: 410 })
    } finally {
      execFileSync('umount', ['-l', folder])
    }
  })
})

describe('VpcConfig', () => {
  const vpc = (subnet: string, group = 'sg-label') => ({
    VpcConfig: { SubnetIds: [subnet], SecurityGroupIds: [group] },
  })
  const listener = async (name: string) => {
    const { body } = await invoke(host.client, name, { do: 'api' })
    const [address, port] = String(body).split(':')
    return { host: address, port: Number(port) }
  }

  it('joins the network of the subnet, and leaves it when it is detached', async () => {
    const name = await fresh(vpc('subnet-a'))
    const { Subnet } = JSON.parse(docker('network', 'inspect', `${PREFIX}-a`))[0].IPAM.Config[0] as { Subnet: string }
    const prefix = Subnet.split('.').slice(0, 2).join('.')
    const addresses = (await invoke(host.client, name, { do: 'addresses' })).body as string[]
    expect(addresses.filter((address) => address.startsWith(`${prefix}.`))).toHaveLength(1)
    expect(docker('ps', '--filter', 'label=hearth.security-group.sg-label=web', '--format', '{{.Names}}')).toContain(
      name,
    )

    const detached = await host.client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
      }),
    )
    expect(detached.VpcConfig).toEqual({
      Ipv6AllowedForDualStack: false,
      SecurityGroupIds: [],
      SubnetIds: [],
      VpcId: '',
    })
    await active(host.client, name)
    const after = (await invoke(host.client, name, { do: 'addresses' })).body as string[]
    expect(after.filter((address) => address.startsWith(`${prefix}.`))).toEqual([])
  })

  it('opens no way to the Runtime API of another environment', async () => {
    const victim = await fresh({})
    const attacker = await fresh(vpc('subnet-a'))
    const own = await listener(attacker)
    const foreign = await listener(victim)
    const trying = (target: object) =>
      invoke(host.client, attacker, { do: 'connect', patienceMs: PATIENCE_MS, ...target })
    // Its own listener answers: the connection below is refused, not impossible.
    expect((await trying(own)).body).toMatch(/^HTTP\/1.1 200/)
    expect((await trying({ ...foreign, ...REFUSED })).body).not.toMatch(/^HTTP/)
    // The gateway of the network that it joined is this machine as well.
    const { Gateway } = JSON.parse(docker('network', 'inspect', `${PREFIX}-a`))[0].IPAM.Config[0] as { Gateway: string }
    for (const { port } of [own, foreign]) {
      expect((await trying({ host: Gateway, port, ...REFUSED })).body).not.toMatch(/^HTTP/)
    }
    expect((await invoke(host.client, victim, { do: 'api' })).FunctionError).toBeUndefined()
    await Promise.all([victim, attacker].map((name) => update(name)))
  })

  describe('on the network of its subnet', () => {
    const neighbour = `${PREFIX}-neighbour`
    const trying = async (name: string, target: object) =>
      (await invoke(host.client, name, { do: 'connect', patienceMs: PATIENCE_MS, ...target })).body
    const addressOf = (container: string) =>
      docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${PREFIX}-a").IPAddress}}`, container)
    /** What a container that is none of ours finds. */
    const neighbourHears = async (address: string, port: number, patienceMs = PATIENCE_MS) => {
      const script = `const s = require('net').connect(${port}, '${address}'); s.setTimeout(${patienceMs}, () => { console.log('timeout'); s.destroy() });
        s.on('error', (e) => console.log(e.code)); s.on('data', (d) => { console.log(String(d)); s.destroy() })`
      const { stdout } = await execute('docker', ['exec', neighbour, '/var/lang/bin/node', '-e', script])
      return stdout.trim()
    }

    beforeAll(() => {
      const serve =
        "for (const port of [8080, 9090]) require('net').createServer((s) => { s.on('error', () => {}); s.end('hello') }).listen(port)"
      docker(
        'run',
        '-d',
        '--name',
        neighbour,
        '--network',
        `${PREFIX}-a`,
        '--entrypoint',
        '/var/lang/bin/node',
        'hearth-runtime:nodejs22.x',
        '-e',
        serve,
      )
    })
    afterAll(() => docker('rm', '-f', neighbour))

    it('it reaches what is there by name and address, and its way out stays its own network', async () => {
      const name = await fresh(vpc('subnet-a'))
      expect(await trying(name, { host: neighbour, port: 8080 })).toBe('hello')
      expect(await trying(name, { host: addressOf(neighbour), port: 9090 })).toBe('hello')
      expect((await invoke(host.client, name, { do: 'way out' })).body).toEqual([(await listener(name)).host])
      await update(name)
    })

    it('it reaches the ports only that its security groups name', async () => {
      const name = await fresh(vpc('subnet-a', 'sg-ports'))
      expect(await trying(name, { host: neighbour, port: 8080 })).toBe('hello')
      expect(await trying(name, { host: neighbour, port: 9090, ...REFUSED })).toBe('timeout')
      await update(name)
    })

    it('it reaches no port of this machine, which other containers there do', async () => {
      const service = createServer((socket) => socket.end('hello'))
      await new Promise<void>((resolve) => service.listen(0, '0.0.0.0', resolve))
      const { port } = service.address() as AddressInfo
      const { Gateway } = JSON.parse(docker('network', 'inspect', `${PREFIX}-a`))[0].IPAM.Config[0] as {
        Gateway: string
      }
      const name = await fresh(vpc('subnet-a'))
      try {
        expect(await neighbourHears(Gateway, port)).toBe('hello')
        expect(await trying(name, { host: Gateway, port, ...REFUSED })).toBe('timeout')
      } finally {
        service.close()
      }
      await update(name)
    })

    it('nobody there reaches it: neither another function nor a container of the site', async () => {
      const server = await fresh(vpc('subnet-a'))
      const other = await fresh(vpc('subnet-a'))
      expect((await invoke(host.client, server, { do: 'listen', port: 8080 })).body).toBe('listens')
      const container = docker('ps', '--filter', `name=-${server}-`, '--format', '{{.Names}}')
      const address = addressOf(container)
      expect(await trying(server, { host: address, port: 8080 })).toBe('hello')
      expect(await trying(other, { host: address, port: 8080, ...REFUSED })).toBe('timeout')
      expect(await neighbourHears(address, 8080, REFUSED.patienceMs)).toBe('timeout')
      await Promise.all([server, other].map((name) => update(name)))
    })
  })

  it.each([
    [
      'subnet-gone',
      'sg-label',
      'InvalidSubnetIDException',
      'The subnet ID provided in the Lambda function VPC configuration is not valid.',
    ],
    [
      'subnet-a',
      'sg-gone',
      'InvalidSecurityGroupIDException',
      'The security group ID provided in the Lambda function VPC configuration is not valid.',
    ],
    [
      'subnet-full',
      'sg-label',
      'SubnetIPAddressLimitReachedException',
      "Lambda couldn't set up VPC access for the Lambda function because one or more configured subnets has no available IP addresses.",
    ],
  ])('of %s and %s is answered with %s', async (subnet, group, code, message) => {
    const refused = await refusal(await fresh(vpc(subnet, group)))
    expect(refused).toMatchObject({ name: code, status: 502, message })
    expect(refused.remedy).toContain(PREFIX)
  })

  it('beyond the connections that the operator allows is answered with ENILimitReachedException', async () => {
    // Two connections each: the subnet's network and the security group's.
    const two = vpc('subnet-a', 'sg-b')
    const names = [await fresh(two), await fresh(two), await fresh(two)]
    // Environments of the tests before may be on their way out.
    for (const name of names.slice(0, 2)) await until(() => runs(name))
    expect(await refusal(names[2]!)).toMatchObject({ name: 'ENILimitReachedException', status: 502 })
    // An environment that goes gives its connection back.
    await update(names[0]!)
    await until(() => runs(names[2]!))
    await Promise.all(names.map((name) => update(name)))
  })

  const runs = (name: string) =>
    invoke(host.client, name).then(
      () => true,
      () => false,
    )

  /** Retires the environments of a function. */
  async function update(name: string): Promise<void> {
    await host.client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
      }),
    )
    await active(host.client, name)
  }
})
