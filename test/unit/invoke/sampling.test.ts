import { describe, expect, it } from 'vitest'
import { isSampled, isSamplingDecided, TraceSampler, withNewParent } from '../../../src/invoke/sampling.ts'
import { validVersion } from '../execution/fake-host.ts'

const header = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0;Lineage=1:0:0'
const active = validVersion({ tracingMode: 'Active' })

describe('sampling with TracingConfig Active', () => {
  it('takes the first request of each second of a function, and 5 % of the others', () => {
    let draw = 0.05
    const sampler = new TraceSampler(() => draw)
    const at = (ms: number, version = active) => isSampled(sampler.decide(header, version, ms))
    expect([at(1000), at(1001), at(1999), at(2000)]).toEqual([true, false, false, true])
    expect(at(2000, validVersion({ name: 'other', tracingMode: 'Active' }))).toBe(true)
    draw = 0.049
    expect(at(2001)).toBe(true)
  })

  it('changes nothing of the header but the decision', () => {
    expect(new TraceSampler().decide(header, active, 0)).toBe(header.replace('Sampled=0', 'Sampled=1'))
    expect(new TraceSampler().decide('Root=1-a', active, 0)).toBe('Root=1-a;Sampled=1')
    expect(new TraceSampler().decide('Root=1-a;Sampled=?', active, 0)).toBe('Root=1-a;Sampled=1')
  })
})

it('sampling with PassThrough takes none', () => {
  expect(isSampled(new TraceSampler(() => 0).decide(header, validVersion(), 0))).toBe(false)
})

describe('a trace header', () => {
  it.each([
    ['Root=1-a;Sampled=1', true],
    ['Root=1-a;sampled=0', true],
    ['Root=1-a;Sampled=?', false],
    ['Root=1-a', false],
    [undefined, false],
  ])('%s decides: %s', (given, decided) => {
    expect(isSamplingDecided(given)).toBe(decided)
  })

  it('gets a new Parent in the place of the old one, or after its Root', () => {
    expect(withNewParent(header, '1111111111111111')).toBe(
      'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=1111111111111111;Sampled=0;Lineage=1:0:0',
    )
    expect(withNewParent('Root=1-a;Sampled=1', '2222222222222222')).toBe('Root=1-a;Parent=2222222222222222;Sampled=1')
    expect(withNewParent(header)).not.toBe(withNewParent(header))
  })
})
