import { expect, test } from 'vitest'
import { applyScript, chainsIn, merged, removeScript } from '../../../../../src/sandbox/docker/network/firewall.ts'

const rules = {
  interfaceName: 'hth1234567-0',
  gateway: '10.213.0.1',
  admitted: [
    { first: 40_000, last: 40_999 },
    { first: 5432, last: 5432 },
  ],
  nameServers: ['192.0.2.2'],
}

test('only the admitted ports of the gateway and own name servers are accepted, everything else is dropped', () => {
  const lines = applyScript(rules)
    .split('\n')
    .filter((line) => line.startsWith('-A HEARTH-IN'))
  expect(lines).toEqual([
    '-A HEARTH-IN-hth1234567-0 -d 192.0.2.2/32 -p udp --dport 53 -j ACCEPT',
    '-A HEARTH-IN-hth1234567-0 -d 192.0.2.2/32 -p tcp --dport 53 -j ACCEPT',
    '-A HEARTH-IN-hth1234567-0 -d 10.213.0.1/32 -p tcp --dport 5432:5432 -j ACCEPT',
    '-A HEARTH-IN-hth1234567-0 -d 10.213.0.1/32 -p tcp --dport 40000:40999 -j ACCEPT',
    '-A HEARTH-IN-hth1234567-0 -j DROP',
  ])
})

test('cloud metadata is dropped on its way through the machine', () => {
  expect(applyScript(rules)).toContain('-A HEARTH-OUT-hth1234567-0 -d 169.254.169.254/32 -j DROP')
})

test('chains are replaced and jumps are set once: applying twice changes nothing', () => {
  const script = applyScript(rules)
  expect(script).toContain('iptables-restore -w 10 --noflush')
  expect(script).toContain(':HEARTH-IN-hth1234567-0 - [0:0]')
  expect(script).toContain('-C "$1" -i hth1234567-0 -j "$2" 2>/dev/null || iptables -w 10 -I "$1" 1')
})

test('chain names stay within the 28 characters of iptables', () => {
  const names = applyScript(rules).match(/HEARTH-\S+/g)!
  expect(Math.max(...names.map((name) => name.replace(/;$/, '').length))).toBeLessThanOrEqual(28)
})

test('removing takes the jumps before the chains', () => {
  const script = removeScript('hth1234567-0')
  expect(script.indexOf('-D INPUT')).toBeLessThan(script.indexOf('-X HEARTH-IN-hth1234567-0'))
  expect(script).toContain('-X HEARTH-OUT-hth1234567-0')
})

test('chains of ours are found in the listing of iptables', () => {
  expect(
    chainsIn('-P INPUT ACCEPT\n-N DOCKER\n-N HEARTH-IN-hthabc-0\n-N HEARTH-OUT-hthabc-0\n-A INPUT -j X\n'),
  ).toEqual(['hthabc-0'])
})

test('port ranges that touch or overlap become one', () => {
  const range = (first: number, last: number) => ({ first, last })
  expect(merged([range(10, 12), range(1, 3), range(13, 13), range(4, 4), range(11, 20), range(2, 2)])).toEqual([
    range(1, 4),
    range(10, 20),
  ])
  expect(merged([])).toEqual([])
})
