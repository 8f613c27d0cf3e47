import { describe, expect, it } from 'vitest'
import { blank, draft, withCode } from '../../../../src/control/functions/draft.ts'
import type { SettingsInput } from '../../../../src/control/functions/function-input.ts'
import { EMPTY_ROOM } from '../../../../src/lambda/machine-room.ts'
import { validConfiguration } from '../../../support/configuration.ts'

const place = { key: { account: '111111111111', region: 'us-east-1', name: 'f' }, room: EMPTY_ROOM }
const before = Object.freeze(
  validConfiguration({ runtime: 'python3.12', handler: 'a.b', environment: { KEY: 'v' }, deadLetterTarget: 'arn' }),
)

describe('a draft of settings', () => {
  it('of a new function has the defaults of Lambda, and what its request has', () => {
    const made = draft(blank('f', 'role'), { handler: 'index.handler', timeout: 9 }, place)
    expect(made).toEqual({
      role: 'role',
      handler: 'index.handler',
      description: '',
      timeout: 9,
      memorySize: 128,
      ephemeralStorage: 512,
      tracingMode: 'PassThrough',
      logging: { logFormat: 'Text', logGroup: '/aws/lambda/f' },
    })
  })

  it('is what was before for an empty request', () => {
    expect(draft(before, {}, place)).toEqual(before)
  })

  const changes: readonly (readonly [SettingsInput, object])[] = [
    [{ runtime: 'python3.13' }, { runtime: 'python3.13' }],
    [{ handler: 'c.d' }, { handler: 'c.d' }],
    [{ role: 'other' }, { role: 'other' }],
    [{ description: '' }, { description: '' }],
    [{ timeout: 900 }, { timeout: 900 }],
    [{ memorySize: 256 }, { memorySize: 256 }],
    [{ ephemeralStorage: { size: 1024 } }, { ephemeralStorage: 1024 }],
    [{ environment: { variables: { OTHER: 'w' } } }, { environment: { OTHER: 'w' } }],
    [{ tracingConfig: { mode: 'Active' } }, { tracingMode: 'Active' }],
    [{ deadLetterConfig: {} }, { deadLetterTarget: undefined }],
    [{ loggingConfig: { logGroup: 'g' } }, { logging: { ...before.logging, logGroup: 'g' } }],
    [{ imageConfig: { command: ['c'] } }, { imageConfig: { command: ['c'] } }],
    [{ vpcConfig: {} }, { vpc: { subnetIds: [], securityGroupIds: [], vpcId: '' } }],
    [{ fileSystemConfigs: [] }, { fileSystems: undefined }],
  ]
  it.each(changes)('changes by %j nothing but that', (input, changed) => {
    expect(draft(before, input, place)).toEqual({ ...before, ...changed })
  })
})

describe('a draft of code', () => {
  const code = { packageType: 'Zip', codeSha256: 'new', codeSize: 3, unzippedBytes: 4 } as const

  it('leaves the settings as they are', () => {
    expect(withCode(before, { code, architecture: 'x86_64' })).toEqual({ ...before, ...code, architecture: 'x86_64' })
  })

  it('is refused where code and layers are too large together', () => {
    const layers = [{ arn: 'l', codeSha256: 'l', codeSize: 1, unzippedBytes: 250 * 1024 * 1024 - 3 }]
    expect(() => withCode({ ...before, layers }, { code, architecture: 'x86_64' })).toThrow(
      'Function code combined with layers exceeds the maximum allowed size',
    )
  })
})
