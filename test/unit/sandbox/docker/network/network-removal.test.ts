import { expect, it } from 'vitest'
import { removeNetwork } from '../../../../../src/sandbox/docker/network/network-removal.ts'

const fail = (statusCode: number, message: string) => Promise.reject(Object.assign(new Error(message), { statusCode }))
const active = (name: string) => `error while removing network: network ${name} id 0a1b has active endpoints`

/** An engine with one network of the owner `me`, and containers with owners; `gone` is one that it lost track of. */
function engine(endpoints: Record<string, string | 'gone'>, { keeps = [] as string[] } = {}) {
  const calls: string[] = []
  const on = new Set(Object.keys(endpoints))
  const docker = {
    getNetwork: (name: string) => ({
      remove: () => {
        calls.push('remove')
        return on.size > 0 ? fail(403, active(name)) : Promise.resolve()
      },
      inspect: async () => ({
        Labels: { 'hearth.owner': 'me' },
        Containers: Object.fromEntries([...on].map((one) => [`id-${one}`, { Name: one }])),
      }),
      disconnect: async ({ Container, Force }: { Container: string; Force: boolean }) => {
        calls.push(`disconnect ${Container} ${Force}`)
        if (!keeps.includes(Container)) on.delete(Container)
      },
    }),
    getContainer: (id: string) => ({
      inspect: () => {
        const owner = endpoints[id.slice(3)]
        if (owner === 'gone') return fail(404, `No such container: ${id}`)
        return Promise.resolve({ Config: { Labels: owner === '' ? {} : { 'hearth.owner': owner } } })
      },
    }),
  }
  return { docker: docker as never, calls }
}

it('a network without endpoints is removed at once, and one that is gone is gone', async () => {
  const { docker, calls } = engine({})
  await removeNetwork(docker, 'n')
  expect(calls).toEqual(['remove'])
  await removeNetwork({ getNetwork: () => ({ remove: () => fail(404, 'network n not found') }) } as never, 'n')
})

it('containers of its maker and containers that are gone are taken off a network that cannot be removed', async () => {
  const { docker, calls } = engine({ ours: 'me', lost: 'gone' })
  await removeNetwork(docker, 'n')
  expect(calls).toEqual(['remove', 'disconnect ours true', 'disconnect lost true', 'remove'])
})

it('what somebody else put on the network stays, and the operator reads what to do', async () => {
  const { docker, calls } = engine({ theirs: 'another', foreign: '' })
  await expect(removeNetwork(docker, 'n')).rejects.toMatchObject({
    name: 'SandboxError',
    message: expect.stringContaining('active endpoints'),
    remedy: expect.stringContaining('docker network inspect'),
  })
  expect(new Set(calls)).toEqual(new Set(['remove']))
})

it('an engine that never lets go is asked a few times only', async () => {
  const { docker, calls } = engine({ lost: 'gone' }, { keeps: ['lost'] })
  await expect(removeNetwork(docker, 'n')).rejects.toThrow('active endpoints')
  expect(calls.filter((call) => call === 'remove')).toHaveLength(5)
})

it('an engine that refuses although nobody is on the network is asked once more', async () => {
  let removals = 0
  const remove = () => {
    removals++
    return fail(403, active('n'))
  }
  const docker = { getNetwork: () => ({ remove, inspect: async () => ({ Containers: {} }) }) }
  await expect(removeNetwork(docker as never, 'n')).rejects.toThrow('active endpoints')
  expect(removals).toBe(2)
})

it('any other refusal is told at once', async () => {
  let removals = 0
  const remove = () => {
    removals++
    return fail(500, 'the disk is on fire')
  }
  const docker = { getNetwork: () => ({ remove }) }
  await expect(removeNetwork(docker as never, 'n')).rejects.toThrow('the disk is on fire')
  expect(removals).toBe(1)
})
