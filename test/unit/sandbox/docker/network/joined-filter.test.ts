import { expect, it } from 'vitest'
import { parseCidr } from '../../../../../src/sandbox/docker/network/cidr.ts'
import { JoinedFilter, joinedScript } from '../../../../../src/sandbox/docker/network/joined-filter.ts'

const network = { subnet: parseCidr('172.18.0.5/16')!, machine: ['172.18.0.1'] }
const rules = { address: '10.213.0.7', gateway: '10.213.0.1', joined: [network], reach: undefined }
const lines = (given: Partial<Parameters<typeof joinedScript>[0]>, chain: string) =>
  joinedScript({ ...rules, ...given })
    .split('\n')
    .filter((line) => line.startsWith(`-A ${chain} -d`))

it('a joined network is open but for this machine, which its gateway and its broadcast address are', () => {
  expect(lines({}, 'OUTPUT')).toEqual([
    '-A OUTPUT -d 172.18.0.1/32 -j DROP',
    '-A OUTPUT -d 172.18.255.255/32 -j DROP',
    '-A OUTPUT -d 172.18.0.0/16 -j ACCEPT',
  ])
})

it('the gateways of all networks are closed before any network is opened: networks may hold one another', () => {
  const wide = { subnet: parseCidr('172.16.0.0/12')!, machine: [] }
  const found = lines({ joined: [wide, network] }, 'OUTPUT')
  expect(found.findIndex((line) => line.endsWith('ACCEPT'))).toBe(
    found.findLastIndex((line) => line.endsWith('DROP')) + 1,
  )
})

it('ports of security groups are the only ones, and no ports are none', () => {
  const reach = [
    { protocol: 'tcp', first: 5432, last: 5432 },
    { protocol: 'udp', first: 53, last: 60 },
  ] as const
  expect(lines({ reach }, 'OUTPUT').filter((line) => line.endsWith('ACCEPT'))).toEqual([
    '-A OUTPUT -d 172.18.0.0/16 -p tcp --dport 5432:5432 -j ACCEPT',
    '-A OUTPUT -d 172.18.0.0/16 -p udp --dport 53:60 -j ACCEPT',
  ])
  expect(lines({ reach: [] }, 'OUTPUT').filter((line) => line.endsWith('ACCEPT'))).toEqual([])
})

it.each([
  [{ IPAddress: '', IPPrefixLen: 0, Gateway: '' }, async () => '', /no IPv4 address on front/],
  [
    { IPAddress: '172.18.0.5', IPPrefixLen: 16, Gateway: '172.18.0.1' },
    () => Promise.reject(new Error('no iptables')),
    /no iptables/,
  ],
])('a filter that cannot be set fails the start, with what to do', async (endpoint, run, message) => {
  const container = { id: 'c', inspect: async () => ({ NetworkSettings: { Networks: { front: endpoint } } }) }
  const place = { bridge: { name: 'own' }, sandboxAddress: '10.213.0.7', hostAddress: '10.213.0.1' }
  const filter = new JoinedFilter(() => run, false)
  await expect(filter.close(container as never, place as never, undefined)).rejects.toMatchObject({
    name: 'SandboxError',
    code: 'PacketFilter',
    message: expect.stringMatching(message),
    remedy: expect.stringContaining('iptables'),
  })
})
