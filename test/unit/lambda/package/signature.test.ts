import { describe, expect, it } from 'vitest'
import {
  judge,
  revokedSignatures,
  type Signature,
  type SignatureReading,
} from '../../../../src/lambda/package/signature.ts'

const A = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/a_profile/0000000001'
const B = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/b_profile/0000000001'
const JOB = 'arn:aws:signer:us-east-1:000000000000:/signing-jobs/one'

const trust = (profileVersionArn = A) => ({ profileVersionArn, validFrom: 100, validUntil: 200, serials: ['AB12'] })
const signed = (...changes: Partial<Signature>[]): SignatureReading => ({
  kind: 'signed',
  signatures: changes.map((change) => ({ signer: 'CN=one', trust: [trust()], ...change })),
})
const verdict = (reading: SignatureReading, { now = 150, revoked = [] as string[], publishers = [A] } = {}) =>
  judge(reading, { publishers, revoked: revokedSignatures(revoked), now })
const fault = (...given: Parameters<typeof verdict>) => {
  const found = verdict(...given)
  return found.trusted ? undefined : found.fault
}

describe('a signature', () => {
  it('of an allowed publisher is trusted and shown', () => {
    expect(verdict(signed({}))).toEqual({ trusted: true, signing: { profileVersionArn: A } })
    expect(verdict(signed({ jobArn: JOB }))).toEqual({ trusted: true, signing: { profileVersionArn: A, jobArn: JOB } })
  })

  it('that is broken or missing is not', () => {
    expect(fault({ kind: 'corrupt', reason: 'x' })).toBe('integrity')
    expect(fault({ kind: 'unsigned' })).toBe('unsigned')
  })

  it('of a publisher that is not allowed, or not known to the operator, does not match', () => {
    expect(fault(signed({ trust: [trust(B)] }))).toBe('mismatch')
    expect(fault(signed({ trust: [] }))).toBe('mismatch')
    expect(fault(signed({ profileVersionArn: A, trust: [trust(B)] }), { publishers: [A, B] })).toBe('mismatch')
  })

  it('that names its profile is taken for no other one, though both have its certificate', () => {
    const both = { trust: [trust(A), trust(B)] }
    expect(fault(signed({ ...both, profileVersionArn: B }))).toBe('mismatch')
    expect(fault(signed(both))).toBeUndefined()
    expect(verdict(signed(both), { publishers: [B] })).toMatchObject({ signing: { profileVersionArn: B } })
  })

  it('expires with its certificates, and before when it says so', () => {
    expect(fault(signed({}), { now: 99 })).toBe('expired')
    expect(fault(signed({}), { now: 100 })).toBeUndefined()
    expect(fault(signed({}), { now: 200 })).toBeUndefined()
    expect(fault(signed({}), { now: 201 })).toBe('expired')
    expect(fault(signed({ expires: 149 }))).toBe('expired')
    expect(fault(signed({ expires: 150 }))).toBeUndefined()
  })

  it('is revoked by its profile version, its job, or the serial number of a certificate', () => {
    for (const name of [A, JOB, 'serial:AB12', 'serial:00ab12']) {
      expect(fault(signed({ jobArn: JOB }), { revoked: [name] }), name).toBe('revoked')
    }
    expect(fault(signed({}), { revoked: [B, JOB, 'serial:B12'] })).toBeUndefined()
  })

  it('that is trusted makes up for others that are not', () => {
    expect(fault(signed({ trust: [] }, { expires: 1 }, {}))).toBeUndefined()
    expect(fault(signed({ trust: [] }, { expires: 1 }))).toBe('expired')
  })

  it('may be of any profile where no configuration says whose', () => {
    expect(judge(signed({ trust: [trust(B)] }), { publishers: undefined, revoked: new Set(), now: 150 })).toEqual({
      trusted: true,
      signing: { profileVersionArn: B },
    })
  })
})
