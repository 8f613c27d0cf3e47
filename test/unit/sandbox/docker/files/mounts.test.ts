import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  FileSystems,
  type FolderFacts,
  mountFailure,
  mountSettings,
} from '../../../../../src/sandbox/docker/files/mounts.ts'
import { probeNfs } from '../../../../../src/sandbox/docker/files/nfs-probe.ts'
import { SandboxError, type SandboxMount } from '../../../../../src/sandbox/driver.ts'

const mountOf = (source: SandboxMount['source']): SandboxMount => ({ accessPoint: 'ap', target: '/mnt/a', source })
const FOLDER = mountOf({ kind: 'folder', path: '/srv/a' })
const VOLUME = mountOf({ kind: 'volume', name: 'data' })
const NFS = mountOf({ kind: 'nfs', host: 'files.example', port: 2049, path: '/export' })

const facts = (changes: Partial<FolderFacts> = {}): FolderFacts => ({
  folder: true,
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...changes,
})
const docker = (status?: number) => ({
  getVolume: () => ({
    inspect: () =>
      status === undefined
        ? Promise.resolve({})
        : Promise.reject(Object.assign(new Error('engine'), { statusCode: status })),
  }),
})
const fileSystems = (look: (path: string) => Promise<FolderFacts>, status?: number, limitMs = 1000) =>
  new FileSystems({ docker: docker(status) as never, limitMs, look })

describe('a look at a folder before it is mounted', () => {
  it.each([[{ mode: 0o755 }], [{ mode: 0o700, uid: 993 }], [{ mode: 0o750, gid: 990 }], [{ mode: 0o005 }]])(
    'finds that functions may enter %j',
    async (changes) => {
      await fileSystems(async () => facts(changes)).check([FOLDER])
    },
  )

  it.each([
    [{ mode: 0o700 }],
    [{ mode: 0o055, uid: 993 }],
    [{ mode: 0o705, gid: 990 }],
    [{ mode: 0o754 }],
    [{ folder: false }],
  ])('refuses %j, because functions could not enter it', async (changes) => {
    await expect(fileSystems(async () => facts(changes)).check([FOLDER])).rejects.toMatchObject({
      kind: 'mount-failed',
      subject: 'ap',
      remedy: 'Create the folder and let functions use it: mkdir -p /srv/a && chown 993:990 /srv/a',
    })
  })

  it.each([
    ['ENOENT', 'mount-failed'],
    ['ELOOP', 'mount-failed'],
    ['EIO', 'mount-io'],
    ['ESTALE', 'mount-io'],
    ['ENOTCONN', 'mount-io'],
    ['ETIMEDOUT', 'mount-timeout'],
    ['EHOSTUNREACH', 'mount-unreachable'],
  ])('takes %s for %s', async (code, kind) => {
    const broken = fileSystems(() => Promise.reject(Object.assign(new Error('no'), { code })))
    await expect(broken.check([FOLDER])).rejects.toMatchObject({ kind, code })
  })

  it('that never answers occupies one thread, however many functions wait, and each gets an answer', async () => {
    let looks = 0
    const dead = fileSystems(
      () => {
        looks++
        return new Promise(() => {})
      },
      undefined,
      10,
    )
    const waiting = Array.from({ length: 20 }, () => dead.check([FOLDER]))
    for (const one of waiting) await expect(one).rejects.toMatchObject({ kind: 'mount-timeout' })
    await expect(dead.check([FOLDER])).rejects.toMatchObject({ kind: 'mount-timeout' })
    expect(looks).toBe(1)
  })

  it('reads the real folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-mounts-'))
    const real = new FileSystems({ docker: docker() as never, limitMs: 1000 })
    const mount = mountOf({ kind: 'folder', path: folder })
    await expect(real.check([mount])).rejects.toMatchObject({ kind: 'mount-failed', code: 'EACCES' })
    await rm(folder, { recursive: true })
    await expect(real.check([mount])).rejects.toMatchObject({ kind: 'mount-failed', code: 'ENOENT' })
  })
})

describe('a look at a volume', () => {
  const never = () => Promise.reject(new Error('not a folder'))
  it('refuses one that the engine would make without a word', async () => {
    await expect(fileSystems(never, 404).check([VOLUME])).rejects.toMatchObject({ kind: 'mount-failed' })
    await fileSystems(never).check([VOLUME])
  })

  it('does not blame the volume for the engine', async () => {
    await expect(fileSystems(never, 503).check([VOLUME])).rejects.toMatchObject({ kind: 'throttled' })
  })
})

describe('a look at an NFS server', () => {
  let server: Server | undefined
  const sockets = new Set<Socket>()
  const serve = async (answer: (socket: Socket, call: Buffer) => void) => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (call) => answer(socket, call))
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    server?.close()
  })

  it('asks for nothing in the protocol of NFS and is content with any answer', async () => {
    let call = ''
    const port = await serve((socket, asked) => {
      call = asked.toString('hex')
      const reply = Buffer.alloc(28)
      reply.writeUInt32BE(0x8000_0018)
      asked.copy(reply, 4, 4, 8)
      reply.writeUInt32BE(1, 8)
      socket.write(reply)
    })
    expect(await probeNfs('127.0.0.1', port, 10_000)).toBeUndefined()
    // Record mark, id, CALL, RPC 2, program 100003, version 4, procedure 0, then four empty words.
    expect(call).toBe(`80000028${'68656172'}00000000${'00000002'}000186a3${'00000004'}${'00000000'.repeat(5)}`)
  })

  it('tells a server that does not answer from one that hangs up and one that is not there', async () => {
    const silent = await serve(() => undefined)
    expect(await probeNfs('127.0.0.1', silent, 50)).toEqual({ kind: 'timeout', code: 'ENOREPLY' })
    server?.close()
    const rude = await serve((socket) => socket.destroy())
    expect(await probeNfs('127.0.0.1', rude, 10_000)).toMatchObject({ kind: 'unreachable' })
    expect(await probeNfs('127.0.0.1', 1, 10_000)).toEqual({ kind: 'unreachable', code: 'ECONNREFUSED' })
  })
})

describe('what the engine says of a mount', () => {
  const said = (message: string, code = '500') => new SandboxError('unexpected', code, message, 'look')
  it.each([
    [
      NFS,
      'failed to mount local volume: mount :/export:/v, data: addr=1.2.3.4: connection refused',
      'mount-unreachable',
    ],
    [NFS, 'failed to mount local volume: mount :/export:/v, data: addr=1.2.3.4: connection timed out', 'mount-timeout'],
    [NFS, 'failed to mount local volume: mount :/export:/v, data: addr=1.2.3.4: no such device', 'mount-failed'],
    [NFS, 'failed to mount local volume: mount :/export:/v, data: addr=1.2.3.4: stale file handle', 'mount-io'],
    [FOLDER, 'invalid mount config for type "bind": bind source path does not exist: /srv/a', 'mount-failed'],
    [FOLDER, 'error mounting "/srv/a" to rootfs at "/mnt/a": input/output error', 'mount-io'],
    [VOLUME, 'error while mounting volume data: no such file or directory', 'mount-failed'],
  ])('is the failure of that file system', (mount, message, kind) => {
    expect(mountFailure(said(message), [mount])).toMatchObject({ kind, subject: 'ap' })
  })

  it('is a mount that hangs, where the engine does not answer', () => {
    expect(mountFailure(said('no answer within 30 s', 'ETIMEDOUT'), [NFS])).toMatchObject({ kind: 'mount-timeout' })
  })

  it.each(['bind source path does not exist: /srv/abc', 'the moon is wrong'])(
    'is not blamed on it otherwise: %s',
    (message) => {
      for (const mount of [FOLDER, VOLUME, NFS]) expect(mountFailure(said(message), [mount])).toBeUndefined()
    },
  )
})

it('an NFS export is mounted by the engine, in a volume without a name that goes with its container', () => {
  const made = mountSettings(NFS)
  expect(made).toMatchObject({ Type: 'volume', Target: '/mnt/a' })
  expect(made.Source).toBeUndefined()
  expect(made.VolumeOptions?.DriverConfig.Options).toEqual({
    type: 'nfs',
    o: 'addr=files.example,port=2049,rw,nfsvers=4,soft,timeo=100,retrans=2,noresvport,nosuid,nodev',
    device: ':/export',
  })
})
