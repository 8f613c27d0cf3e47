import { expect, test } from 'vitest'
import { missingCapabilities } from '../../../../../src/sandbox/docker/engine/capabilities.ts'

const whole = {
  OSType: 'linux',
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  SecurityOptions: ['name=apparmor', 'name=seccomp,profile=default'],
}
const NO_SWAP = 'Filename\t\t\t\tType\t\tSize\n'
const SWAP = `${NO_SWAP}/swapfile file 1048572 0 -2\n`

test('an engine that can do everything is no reason for a warning', () => {
  expect(missingCapabilities(whole, SWAP)).toEqual([])
})

test.each([
  [{ MemoryLimit: false }, /all memory/],
  [{ SwapLimit: false }, /swap beyond MemorySize/],
  [{ PidsLimit: false }, /number of processes/],
  [{ CpuCfsQuota: false }, /CPU of functions is not limited/],
  [{ SecurityOptions: ['name=apparmor'] }, /no seccomp profile/],
  [{ SecurityOptions: ['name=seccomp,profile=unconfined'] }, /no seccomp profile/],
  [{ SecurityOptions: null }, /no seccomp profile/],
])('%j is told in one sentence', (lack, sentence) => {
  const missing = missingCapabilities({ ...whole, ...lack }, SWAP)
  expect(missing).toHaveLength(1)
  expect(missing[0]).toMatch(sentence)
})

test('without swap on the machine its accounting is not missed', () => {
  expect(missingCapabilities({ ...whole, SwapLimit: false }, NO_SWAP)).toEqual([])
})
