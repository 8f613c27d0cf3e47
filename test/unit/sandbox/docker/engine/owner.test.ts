import { expect, test } from 'vitest'
import {
  isLeftover,
  ownerOf,
  type ProcessTable,
  processTable,
  stateOf,
} from '../../../../../src/sandbox/docker/engine/owner.ts'

const table = (processes: Record<number, string>, machine = 'boot-1.4026'): ProcessTable => ({
  machine,
  startTime: (pid) => processes[pid],
})
const before = table({ 10: '500' })

test('a process that runs is alive, one that ended is dead', () => {
  const owner = ownerOf(10, before)
  expect(owner).toBe('boot-1.4026.10.500')
  expect(stateOf(owner, before)).toBe('alive')
  expect(stateOf(owner, table({}))).toBe('dead')
})

test('a process id that was given to another process does not count', () => {
  expect(stateOf(ownerOf(10, before), table({ 10: '900' }))).toBe('dead')
})

test('of another boot, another machine or another pid namespace nothing is known', () => {
  expect(stateOf(ownerOf(10, before), table({ 10: '500' }, 'boot-2.4026'))).toBe('unknown')
  expect(stateOf(ownerOf(10, before), table({ 10: '500' }, 'boot-1.4027'))).toBe('unknown')
  expect(stateOf('nonsense', before)).toBe('unknown')
})

test('what a living host made is never a leftover, also not on the same data directory', () => {
  expect(isLeftover({ owner: ownerOf(10, before), data: 'a' }, { data: 'a' }, before)).toBe(false)
  expect(isLeftover({ owner: ownerOf(10, before), data: 'b' }, { data: 'a' }, before)).toBe(false)
})

test('what a dead host made is a leftover, whatever its data directory was', () => {
  expect(isLeftover({ owner: ownerOf(10, before), data: 'b' }, { data: 'a' }, table({}))).toBe(true)
})

test('after a reboot only the host on the same data directory removes it', () => {
  const after = table({}, 'boot-2.4026')
  expect(isLeftover({ owner: ownerOf(10, before), data: 'a' }, { data: 'a' }, after)).toBe(true)
  expect(isLeftover({ owner: ownerOf(10, before), data: 'b' }, { data: 'a' }, after)).toBe(false)
})

test('this process is alive for the real table', () => {
  expect(stateOf(ownerOf(process.pid), processTable)).toBe('alive')
})
