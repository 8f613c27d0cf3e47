import { describe, expect, test } from 'vitest'
import { Bridge } from '../../../../../src/sandbox/docker/network/bridge.ts'
import {
  addressAt,
  contains,
  formatCidr,
  overlap,
  parseCidr,
  subnets,
} from '../../../../../src/sandbox/docker/network/cidr.ts'
import { parseRoutes } from '../../../../../src/sandbox/docker/network/routes.ts'

const cidr = (text: string) => parseCidr(text)!

describe('IPv4 networks', () => {
  test.each(['10.0.0.0', '10.0.0.256/8', '10.0.0.0/33', 'fd00::/8', '', '1.2.3/8'])('%j is none', (text) => {
    expect(parseCidr(text)).toBeUndefined()
  })

  test('host bits are cleared, also in the upper half of the address space', () => {
    expect(formatCidr(cidr('192.168.7.9/18'))).toBe('192.168.0.0/18')
    expect(formatCidr(cidr('223.255.255.255/32'))).toBe('223.255.255.255/32')
    expect(formatCidr(cidr('8.8.8.8/0'))).toBe('0.0.0.0/0')
  })

  test.each([
    ['10.213.0.0/23', '10.213.1.0/24', true],
    ['10.213.0.0/23', '10.0.0.0/8', true],
    ['10.213.0.0/23', '10.213.2.0/23', false],
    ['192.168.0.0/16', '172.16.0.0/12', false],
  ])('%s and %s overlap: %s', (one, other, expected) => {
    expect(overlap(cidr(one), cidr(other))).toBe(expected)
    expect(overlap(cidr(other), cidr(one))).toBe(expected)
  })

  test('a pool is cut into parts that cover it', () => {
    const parts = [...subnets(cidr('10.213.0.0/16'), 23)].map(formatCidr)
    expect(parts).toHaveLength(128)
    expect(parts[0]).toBe('10.213.0.0/23')
    expect(parts[127]).toBe('10.213.254.0/23')
    expect([...subnets(cidr('10.0.0.0/24'), 23)]).toEqual([])
  })
})

test('routes of the kernel are read, without the default route', () => {
  const table =
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n' +
    'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n'
  expect(parseRoutes(table).map(formatCidr)).toEqual(['172.17.0.0/16', '192.0.2.0/24'])
})

describe('places on a bridge', () => {
  const bridge = () => new Bridge('hearth-net-x-0', 'hthx-0', cidr('10.213.2.0/23'))

  test('there are 500, each its own address, none of them the gateway', () => {
    const made = bridge()
    const addresses = new Set<string>()
    for (let place = made.take(); place; place = made.take()) addresses.add(place.sandboxAddress)
    expect(addresses.size).toBe(500)
    expect(addresses.has(made.gateway)).toBe(false)
    expect([...addresses].every((address) => contains(cidr('10.213.2.0/23'), address))).toBe(true)
    expect(made.gateway).toBe(addressAt(cidr('10.213.2.0/23'), 1))
  })

  test('an address that was given back is taken again only after all others', () => {
    const made = bridge()
    const first = made.take()!
    first.release()
    for (let count = 0; count < 499; count++) expect(made.take()!.sandboxAddress).not.toBe(first.sandboxAddress)
    expect(made.take()!.sandboxAddress).toBe(first.sandboxAddress)
    expect(made.take()).toBeUndefined()
  })

  test('an address is free once, however often it is released', () => {
    const made = bridge()
    const place = made.take()!
    place.release()
    place.release()
    expect(made.free).toBe(500)
  })

  test('an address is not free while a container may still have it', () => {
    const made = bridge()
    const place = made.take()!
    const one = place.hold()
    const other = place.hold()
    one()
    one()
    place.release()
    expect(made.free).toBe(499)
    other()
    expect(made.free).toBe(500)
  })
})
