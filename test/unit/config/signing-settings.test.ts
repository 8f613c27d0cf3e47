import { expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config.ts'

const load = (env: Record<string, string>) => loadConfig({ flags: {}, env, cwd: '/' }).config
const ARN = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/release/0000000001'
const JOB = 'arn:aws:signer:us-east-1:000000000000:/signing-jobs/88b52411-5ce4-47aa-8442-3d0a251b3bdf'

it('signing profiles are files by ARN, and what is revoked is a list', () => {
  expect(load({ HEARTH_SIGNING_PROFILES: `${ARN}=/etc/a.pem` }).signingProfiles).toEqual({ [ARN]: '/etc/a.pem' })
  expect(load({ HEARTH_REVOKED_SIGNATURES: `${ARN}, ${JOB},serial:0A1b` }).revokedSignatures).toEqual([
    ARN,
    JOB,
    'serial:0A1b',
  ])
  expect(load({})).toMatchObject({ signingProfiles: {}, revokedSignatures: [] })
})

it.each([
  ['HEARTH_SIGNING_PROFILES', `${ARN.slice(0, -11)}=/etc/a.pem`],
  ['HEARTH_SIGNING_PROFILES', `${ARN}`],
  ['HEARTH_SIGNING_PROFILES', 'release=/etc/a.pem'],
  ['HEARTH_REVOKED_SIGNATURES', 'release'],
  ['HEARTH_REVOKED_SIGNATURES', 'serial:xyz'],
  ['HEARTH_REVOKED_SIGNATURES', `${ARN};${JOB}`],
])('%s=%s is refused with what it must be', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(ConfigError)
  expect(() => load({ [name]: value })).toThrow(new RegExp(`^${name} must be`))
})
