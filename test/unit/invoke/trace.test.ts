import { describe, expect, it } from 'vitest'
import { traceHeader } from '../../../src/invoke/trace.ts'

describe('the trace header', () => {
  it('is made new, unsampled and with the time in its root, when the caller sent none', () => {
    expect(traceHeader(undefined, 0x6a07f69f * 1000)).toMatch(
      /^Root=1-6a07f69f-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$/,
    )
  })

  it("is the caller's where it has a root", () => {
    const given = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1'
    expect(traceHeader(given, 0)).toBe(given)
  })

  it.each(['garbage', 'Root=2', `Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;${'x'.repeat(2000)}`])(
    'is made new when the caller sent %s',
    (given) => {
      expect(traceHeader(given, 0)).toMatch(/^Root=1-00000000-/)
    },
  )
})
