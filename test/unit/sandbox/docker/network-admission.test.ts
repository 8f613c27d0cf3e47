import type Dockerode from 'dockerode'
import { expect, test, vi } from 'vitest'
import type { BridgeRules, Firewall } from '../../../../src/sandbox/docker/network/firewall.ts'
import { Networks } from '../../../../src/sandbox/docker/network/network.ts'

// The loopback network is in use, but any address of it can be listened on, as the gateway of a bridge must.
vi.mock('../../../../src/sandbox/docker/network/routes.ts', () => ({
  networksInUse: async () => [],
  ownNameServers: async () => [],
}))

test('ports that could not be admitted are not admitted with the next ones', async () => {
  const [gateway, rules] = ['127.213.0.1', [] as BridgeRules[]]
  let refuse = false
  const firewall = {
    apply: async (rule: BridgeRules) => {
      if (refuse) throw new Error('iptables: resource temporarily unavailable')
      rules.push({ ...rule, admitted: [...rule.admitted] })
    },
    remove: async () => {},
  } as unknown as Firewall
  const network = { remove: async () => {}, inspect: async () => ({}) }
  const docker = { listNetworks: async () => [], createNetwork: async () => network, getNetwork: () => network }
  const networks = new Networks({
    docker: docker as unknown as Dockerode,
    identity: { instance: 'i', owner: 'o', data: 'd' },
    firewall,
    renew: false,
    pool: '127.213.0.0/16',
    reach: [],
    log: () => {},
  })
  await networks.open()
  refuse = true
  await expect(networks.admit(gateway, 21_000, 21_031)).rejects.toThrow('iptables')
  refuse = false
  await networks.admit(gateway, 21_032, 21_063)
  expect(rules.at(-1)?.admitted).toEqual([{ first: 21_032, last: 21_063 }])
  await networks.close()
})
