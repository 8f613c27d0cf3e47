import { describe, expect, it } from 'vitest'
import { Attachments } from '../../../../../src/sandbox/docker/network/attachments.ts'
import { SandboxError, type SandboxNetwork } from '../../../../../src/sandbox/driver.ts'

const front: SandboxNetwork = { kind: 'subnet', id: 'subnet-a', name: 'front' }
const cache: SandboxNetwork = { kind: 'security-group', id: 'sg-a', name: 'cache' }

/** An engine that has some networks, and answers a connection with an error if there is one. */
function attachments(
  options: { readonly has?: string[]; readonly refuses?: [number, string]; readonly max?: number } = {},
) {
  const joined: string[] = []
  const engine = {
    getNetwork: (name: string) => ({
      connect: () => {
        joined.push(name)
        return options.refuses ? fail(...options.refuses) : Promise.resolve()
      },
      inspect: () => (options.has?.includes(name) ? Promise.resolve({}) : fail(404, `network ${name} not found`)),
    }),
  }
  return { joined, attachments: new Attachments(engine as never, options.max ?? 10) }
}

const fail = (statusCode: number, message: string) => Promise.reject(Object.assign(new Error(message), { statusCode }))
const said = (message: string, code = '500') => new SandboxError('unexpected', code, message, 'look')

describe('connections to networks', () => {
  it('are counted over all sandboxes and given back once', () => {
    const { attachments: one } = attachments({ max: 3 })
    const leave = one.take([front, cache])
    expect(() => one.take([front, cache])).toThrow(expect.objectContaining({ kind: 'attachments-exhausted' }))
    one.take([front])
    leave()
    leave()
    one.take([front, cache])
    expect(() => one.take([front])).toThrow()
    // A sandbox without any needs no room.
    one.take([])()
  })

  it('are made one after the other', async () => {
    const { joined, attachments: one } = attachments()
    await one.join('c', [front, cache])
    expect(joined).toEqual(['front', 'cache'])
  })

  it.each([
    [front, 404, 'network front not found', 'subnet-missing'],
    [cache, 404, 'network cache not found', 'security-group-missing'],
    [front, 403, 'Could not attach to network front: not manually attachable', 'subnet-missing'],
    [front, 500, "no available IPv4 addresses on this network's address pools: front (0a1b)", 'addresses-exhausted'],
    [front, 500, 'the moon is wrong', 'unexpected'],
  ] as const)('to %j that fail with %i %s are %s', async (network, status, message, kind) => {
    const { attachments: one } = attachments({ refuses: [status, message] })
    await expect(one.join('c', [network])).rejects.toMatchObject({ kind })
  })

  it.each([
    [
      "failed to create endpoint x on network front: no available IPv4 addresses on this network's address pools: front (0a1b)",
      'addresses-exhausted',
    ],
    [
      'failed to create endpoint x on network front: adding interface veth1 to bridge br-1 failed: exchange full',
      'attachments-exhausted',
    ],
    ['network 0a1b2c not found', 'security-group-missing'],
  ])('are the reason where the engine says: %s', async (message, kind) => {
    const { attachments: one } = attachments({ has: ['front'] })
    expect(await one.explain(said(message), [front, cache])).toMatchObject({ kind })
  })

  it('are not the reason for what happened to the network of the sandbox itself', async () => {
    const { attachments: one } = attachments({ has: ['front', 'cache'] })
    expect(await one.explain(said('network hearth-net-1-0 not found', '404'), [front, cache])).toBeUndefined()
    expect(await one.explain(said('network hearth-net-1-0 not found', '404'), [])).toBeUndefined()
    expect(await one.explain(said('no available IPv4 addresses: hearth-net-1-0'), [front])).toBeUndefined()
  })
})
