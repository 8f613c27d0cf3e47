import { describe, expect, it } from 'vitest'
import type { CreationInput } from '../../../../src/control/functions/function-input.ts'
import { checkPackageType, imageConfigOf, refuseSettingsOf } from '../../../../src/control/functions/image-config.ts'

const input = (changes: Partial<CreationInput>): CreationInput => ({ role: 'r', code: {}, ...changes })

describe('the package type', () => {
  it('is Zip unless Image is asked for with an image and nothing of a zip', () => {
    expect(checkPackageType(input({ runtime: 'nodejs22.x' }))).toBe('Zip')
    expect(checkPackageType(input({ packageType: 'Image', code: { imageUri: 'a:b' } }))).toBe('Image')
    const refusals: [Partial<CreationInput>, RegExp][] = [
      [{ code: { imageUri: 'a:b' } }, /don't provide ImageUri when creating a function with packageType Zip/],
      [{ packageType: 'Image' }, /provide ImageUri when creating a function with packageType Image/],
      [
        { packageType: 'Image', code: { imageUri: 'a', s3Bucket: 'b' } },
        /do not provide other FunctionCode parameters/,
      ],
      [{ packageType: 'Image', code: { imageUri: 'a' }, runtime: 'nodejs22.x' }, /don't provide Handler or Runtime/],
      [{ packageType: 'Image', code: { imageUri: 'a' }, handler: 'x' }, /don't provide Handler or Runtime/],
      [{ imageConfig: { command: ['x'] } }, /don't provide ImageConfig/],
    ]
    for (const [changes, message] of refusals) {
      expect(() => checkPackageType(input(changes)), String(message)).toThrow(message)
    }
    // Tools send empty structures to say "none".
    refuseSettingsOf('Zip', { imageConfig: {} })
  })
})

describe('ImageConfig', () => {
  const current = { command: ['old'] }

  it('stays without a request, is replaced as a whole, and is cleared by an empty one', () => {
    expect(imageConfigOf({}, current)).toBe(current)
    expect(imageConfigOf({ imageConfig: { entryPoint: ['/e'], command: [] } }, current)).toEqual({ entryPoint: ['/e'] })
    expect(imageConfigOf({ imageConfig: {} }, current)).toBeUndefined()
  })

  it('refuses what no program can be started with', () => {
    expect(() => imageConfigOf({ imageConfig: { command: ['a\0b'] } }, current)).toThrow(/NUL/)
    expect(() => imageConfigOf({ imageConfig: { command: ['x'.repeat(16_385)] } }, current)).toThrow(
      /smaller than 16384 bytes/,
    )
  })
})
