/** Where scripts that set routes and packet filters run: on this machine, in one network namespace of it, or in a helper container. */
import { randomBytes } from 'node:crypto'
import type Dockerode from 'dockerode'
import { run } from '../engine/command.ts'
import { bounded } from '../engine/errors.ts'
import { type Identity, labelsOf } from '../engine/labels.ts'

/** Runs a shell script; resolves with its stdout. */
export type Runner = (script: string) => Promise<string>

/** On this machine; needs root (CAP_NET_ADMIN), iptables and iproute2. */
export const hostRunner: Runner = (script) => run('sh', '-c', script)

/** As `hostRunner`, in the network namespace that this file of the machine stands for. */
export function namespaceRunner(path: string): Runner {
  return (script) => run('nsenter', `--net=${path}`, 'sh', '-c', script)
}

const HELPER_LIMIT_MS = 60_000

export interface Helper {
  readonly docker: Dockerode
  /** Has sh, iptables and iproute2. */
  readonly image: () => Promise<string>
  readonly identity: Identity
  /** NetworkMode: `host`, which is the default, or `container:ID`. */
  readonly network?: string | undefined
}

/** In a short-lived container, for a host process without root. */
export function helperRunner({ docker, image, identity, network = 'host' }: Helper): Runner {
  return async (script) => {
    const Image = await image()
    const container = await bounded(HELPER_LIMIT_MS, 'create the network helper', (abortSignal) =>
      docker.createContainer({
        name: `hearth-network-helper-${randomBytes(4).toString('hex')}`,
        Image,
        Entrypoint: ['/bin/sh', '-c'],
        Cmd: [script],
        User: '0:0',
        Labels: labelsOf(identity),
        HostConfig: {
          NetworkMode: network,
          CapDrop: ['ALL'],
          CapAdd: ['NET_ADMIN', 'NET_RAW'],
          SecurityOpt: ['no-new-privileges'],
          ReadonlyRootfs: true,
          // iptables keeps its lock there.
          Tmpfs: { '/run': 'rw,nosuid,nodev,noexec,size=1m' },
          LogConfig: { Type: 'json-file', Config: {} },
        },
        abortSignal,
      }),
    )
    try {
      await bounded(HELPER_LIMIT_MS, 'start the network helper', (abortSignal) => container.start({ abortSignal }))
      const { StatusCode: status } = (await bounded(HELPER_LIMIT_MS, 'wait for the network helper', (abortSignal) =>
        container.wait({ abortSignal }),
      )) as { StatusCode: number }
      const read = (stdout: boolean) =>
        bounded(HELPER_LIMIT_MS, 'read the network helper', (abortSignal) =>
          container.logs({ stdout, stderr: !stdout, follow: false, abortSignal }),
        )
      if (status !== 0) throw new Error(`The network helper failed: ${plain(await read(false))}`)
      return plain(await read(true))
    } finally {
      await bounded(HELPER_LIMIT_MS, 'remove the network helper', (abortSignal) =>
        container.remove({ force: true, abortSignal }),
      ).catch(() => undefined)
    }
  }
}

/** The text of multiplexed log frames. */
function plain(frames: Buffer): string {
  let text = ''
  for (let at = 0; at + 8 <= frames.length; ) {
    const length = frames.readUInt32BE(at + 4)
    text += frames.toString('utf8', at + 8, at + 8 + length)
    at += 8 + length
  }
  return text
}
