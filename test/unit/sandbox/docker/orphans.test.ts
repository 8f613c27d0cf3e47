import { describe, expect, it } from 'vitest'
import { removeLeftovers } from '../../../../src/sandbox/docker/orphans.ts'

const IDENTITY = { instance: 'i', owner: 'me.1.1', data: 'd' }
/** Of a process that is long gone. */
const LEFT = { 'hearth.owner': 'another.999999999.1', 'hearth.data': 'd' }
const refuse = (statusCode: number, message: string) =>
  Promise.reject(Object.assign(new Error(message), { statusCode }))

/** An engine with leftovers, some of which it does not let go. */
function engine({ containers = 0, networks = [] as string[], stuck = [] as string[] }) {
  let removing = 0
  let most = 0
  const there = new Set(networks)
  const docker = {
    listContainers: async () => Array.from({ length: containers }, (_, n) => ({ Id: `c${n}`, Labels: LEFT })),
    getContainer: () => ({
      remove: async () => {
        most = Math.max(most, ++removing)
        await new Promise((resolve) => setTimeout(resolve, 1))
        removing--
      },
    }),
    listNetworks: async () => [...there].map((Id) => ({ Id, Labels: LEFT })),
    getNetwork: (Id: string) => ({
      // The engine lost count: nobody is on it, and it says somebody is.
      remove: async () => {
        if (stuck.includes(Id)) await refuse(403, `network ${Id} has active endpoints`)
        there.delete(Id)
      },
      inspect: async () => ({ Labels: LEFT, Containers: {} }),
    }),
  }
  return { docker: docker as never, most: () => most }
}

async function remove(given: Parameters<typeof engine>[0]) {
  const logged: { message: string; fields: object }[] = []
  const { docker, most } = engine(given)
  await removeLeftovers(docker, IDENTITY as never, undefined, (message, fields = {}) =>
    logged.push({ message, fields }),
  )
  return { logged, most: most() }
}

describe('what an earlier host left', () => {
  it('is reported as removed only where it is gone; what stays is named with what to do', async () => {
    const { logged } = await remove({ containers: 3, networks: ['n1', 'n2', 'n3'], stuck: ['n2'] })
    expect(logged).toEqual([
      {
        message: 'A leftover network could not be removed; the next start tries again',
        fields: { error: expect.stringContaining('network n2'), remedy: expect.stringContaining('restart') },
      },
      {
        message: 'Removed resources that an earlier host left behind',
        fields: { containers: 3, networks: 2, chains: 0 },
      },
    ])
  })

  it('is not reported as removed at all when none of it is gone', async () => {
    const { logged } = await remove({ networks: ['n1'], stuck: ['n1'] })
    expect(logged.map(({ message }) => message)).toEqual([
      'A leftover network could not be removed; the next start tries again',
    ])
  })

  it('is removed a few at a time, however much it is', async () => {
    const { logged, most } = await remove({ containers: 110 })
    expect(most).toBe(8)
    expect(logged[0]!.fields).toMatchObject({ containers: 110 })
  })
})
