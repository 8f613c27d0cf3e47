import { describe, expect, it } from 'vitest'
import { Callers } from '../../../../src/api/http/caller.ts'

const callers = () =>
  new Callers({ account: '000000000000', region: 'us-east-1', accessKeys: { AKIAKNOWN: '222222222222' } })
const header = (accessKey: string, region = 'eu-central-1') =>
  `AWS4-HMAC-SHA256 Credential=${accessKey}/20260101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=00`

describe('the caller of a request', () => {
  it('is the default one when nothing is signed', () => {
    expect(callers().of(undefined)).toEqual({ account: '000000000000', region: 'us-east-1' })
  })

  it('has the account of its access key and the region of its credential scope', () => {
    expect(callers().of(header('AKIAKNOWN'))).toEqual({ account: '222222222222', region: 'eu-central-1' })
    expect(callers().of(header('anything333333333333')).account).toBe('333333333333')
    expect(callers().of(header('444444444444')).account).toBe('444444444444')
    expect(callers().of(header('AKIAUNKNOWN')).account).toBe('000000000000')
  })

  it('is read from presigned URLs as well', () => {
    expect(callers().of(undefined, 'AKIAKNOWN/20260101/ap-south-1/lambda/aws4_request')).toEqual({
      account: '222222222222',
      region: 'ap-south-1',
    })
  })

  it('is the same object for the same credential, whatever the signature', () => {
    const one = callers()
    expect(one.of(header('AKIAKNOWN'))).toBe(one.of(header('AKIAKNOWN').replace('00', 'ff')))
  })

  it('is the default one for headers that make no sense', () => {
    for (const malformed of [
      '',
      'Basic dXNlcg==',
      'Credential=',
      'Credential=a/b/c/d/',
      'aws4_request',
      '/'.repeat(10_000),
      'Credential=//////aws4_request',
      `Credential=${'a'.repeat(100_000)}/1/us-east-1/lambda/aws4_request`,
    ]) {
      expect(callers().of(malformed)).toEqual({ account: '000000000000', region: 'us-east-1' })
    }
    expect(callers().of(header('AKIAKNOWN', '../etc')).region).toBe('us-east-1')
  })

  it('is found for any number of different credentials', () => {
    const one = callers()
    for (let i = 0; i < 3000; i++) {
      const account = String(100_000_000_000 + i)
      expect(one.of(header(account)).account).toBe(account)
    }
  })

  it('is the session of the living environment that has the key, and nobody once it is gone', () => {
    const session = {
      account: '555555555555',
      region: 'us-east-1',
      role: 'arn:aws:iam::555555555555:role/r',
      functionName: 'f',
    }
    let living = true
    const one = new Callers({
      account: '000000000000',
      region: 'us-east-1',
      session: (key) => (living && key === 'ASIAABCD555555555555' ? session : undefined),
    })
    const call = () => one.of(header('ASIAABCD555555555555'))
    expect(call()).toEqual({ account: '555555555555', region: 'eu-central-1', session })
    living = false
    expect(call).toThrow(
      expect.objectContaining({
        name: 'UnrecognizedClientException',
        message: 'The security token included in the request is invalid.',
      }),
    )
    expect(() => one.of(undefined, 'ASIAABCD555555555555/20260101/us-east-1/lambda/aws4_request')).toThrow()
  })

  it('may have a key of that form that the operator has configured', () => {
    const one = new Callers({
      account: '000000000000',
      region: 'us-east-1',
      accessKeys: { ASIAABCD555555555555: '666666666666' },
    })
    expect(one.of(header('ASIAABCD555555555555')).account).toBe('666666666666')
    expect(one.of(header('ASIAQWERTYUIOPASDFGH')).account).toBe('000000000000')
  })
})
