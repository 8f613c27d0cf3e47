import { describe, expect, it } from 'vitest'
import { functionArn, isVersionNumber, parseFunctionName, resolveFunctionName } from '../../../src/lambda/arn.ts'

const scope = { account: '123456789012', region: 'us-west-2' }
const invoke = { pattern: 'invoke', action: 'lambda:InvokeFunction' } as const
const ARN = 'arn:aws:lambda:us-west-2:123456789012:function'

describe('parsing the name of a function', () => {
  const forms: [string, object][] = [
    ['my-function', { name: 'my-function' }],
    ['my-function:v1', { name: 'my-function', qualifier: 'v1' }],
    ['my-function:$LATEST', { name: 'my-function', qualifier: '$LATEST' }],
    [`${ARN}:f`, { name: 'f', account: '123456789012', region: 'us-west-2' }],
    [`${ARN}:f:PROD`, { name: 'f', account: '123456789012', region: 'us-west-2', qualifier: 'PROD' }],
    ['123456789012:function:f', { name: 'f', account: '123456789012' }],
    ['123456789012:function:f:3', { name: 'f', account: '123456789012', qualifier: '3' }],
    ['function:f', { name: 'f' }],
    ['us-west-2:123456789012:function:f', { name: 'f', account: '123456789012', region: 'us-west-2' }],
    ['123456789012:f', { name: 'f', account: '123456789012' }],
    [
      'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f',
      { name: 'f', account: '123456789012', region: 'us-gov-west-1' },
    ],
    [ARN, { name: 'function', account: '123456789012', region: 'us-west-2' }],
    ['with.dot', { name: 'with.dot' }],
    ['a'.repeat(65), { name: 'a'.repeat(65) }],
  ]
  for (const [value, expected] of forms) {
    it(`accepts ${value.slice(0, 70)}`, () => {
      const given = Object.entries(parseFunctionName(value, 'invoke') ?? {}).filter(([, part]) => part !== undefined)
      expect(Object.fromEntries(given)).toEqual(expected)
    })
  }

  const refused = [
    '*',
    'my-function!',
    '',
    'invalid-account:function:my-function',
    'arn:aws:lambda:invalid-region:123456789012:function:f',
    'arn:aws:ec2:us-west-2:123456789012:instance/i',
    'arn:aws:lambda::123456789012:function:f',
    'arn:aws:lambda:us-west-2::function:f',
    `${ARN}:f:1:2`,
    'function:f:$LATEST:extra',
    `${ARN}:f:$LATES`,
    'f\n',
    'a'.repeat(257),
  ]
  for (const value of refused) {
    it(`refuses ${JSON.stringify(value.slice(0, 70))}`, () => {
      expect(parseFunctionName(value, 'invoke')).toBeUndefined()
      expect(() => resolveFunctionName(value, undefined, scope, invoke)).toThrow(
        expect.objectContaining({ name: 'ValidationException' }),
      )
    })
  }

  it('takes dots only where Invoke and the reading operations do', () => {
    const control = { ...invoke, pattern: 'control' } as const
    expect(() => resolveFunctionName('with.dot', undefined, scope, control)).toThrow(/regular expression pattern/)
    expect(() => resolveFunctionName('a'.repeat(141), undefined, scope, control)).toThrow(
      "1 validation error detected: Value '" +
        'a'.repeat(141) +
        "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140",
    )
  })

  it('keeps function URLs off version numbers', () => {
    expect(parseFunctionName('f:live', 'url')).toMatchObject({ name: 'f', qualifier: 'live' })
    expect(parseFunctionName('f:1', 'url')).toBeUndefined()
  })

  it('takes no longer for hostile values than for honest ones', () => {
    for (const part of ['a:', 'arn:aws:lambda:', '123456789012:', '-', '::', '$']) {
      expect(parseFunctionName(`${part.repeat(100_000)}!`, 'invoke')).toBeUndefined()
    }
  })
})

describe('resolving the name of a function', () => {
  it('fills in account and region of the caller', () => {
    expect(resolveFunctionName('f', undefined, scope, invoke)).toEqual({
      key: { ...scope, name: 'f' },
      qualifier: undefined,
    })
    expect(resolveFunctionName('f:live', undefined, scope, invoke).qualifier).toBe('live')
    expect(resolveFunctionName('f', '$LATEST', scope, invoke).qualifier).toBe('$LATEST')
    expect(resolveFunctionName('f:1', '1', scope, invoke).qualifier).toBe('1')
  })

  it('reports the violations of name and qualifier together', () => {
    expect(() => resolveFunctionName('my-function!', 'invalid!', scope, invoke)).toThrow(
      /^2 validation errors detected: Value 'invalid!' at 'qualifier' failed .*; Value 'my-function!' at 'functionName' failed/,
    )
  })

  it('refuses other regions before it looks at the qualifier, and that before the account', () => {
    expect(() => resolveFunctionName('arn:aws:lambda:eu-west-1:999999999999:function:f:1', '2', scope, invoke)).toThrow(
      expect.objectContaining({
        name: 'ResourceNotFoundException',
        message: "Functions from 'eu-west-1' are not reachable in this region ('us-west-2')",
      }),
    )
    expect(() => resolveFunctionName('999999999999:function:f:1', '2', scope, invoke)).toThrow(
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
    expect(() => resolveFunctionName('999999999999:function:f', undefined, scope, invoke)).toThrow(
      expect.objectContaining({ name: 'AccessDeniedException' }),
    )
  })
})

describe('function ARNs', () => {
  it('are of the partition of their region', () => {
    const of = (region: string) => functionArn({ account: '1', region, name: 'f' }, 'q')
    expect(of('us-east-1')).toBe('arn:aws:lambda:us-east-1:1:function:f:q')
    expect(of('cn-north-1')).toBe('arn:aws-cn:lambda:cn-north-1:1:function:f:q')
    expect(of('us-gov-west-1')).toMatch(/^arn:aws-us-gov:/)
    expect(of('us-isob-east-1')).toMatch(/^arn:aws-iso-b:/)
    expect(of('us-iso-east-1')).toMatch(/^arn:aws-iso:/)
  })
})

describe('version numbers', () => {
  it('are digits without sign, leading zero or version 0', () => {
    expect(['1', '10', '999999999'].every(isVersionNumber)).toBe(true)
    expect(['0', '01', '-1', '1.0', '1e3', '', ' 1', '$LATEST', '9'.repeat(16)].some(isVersionNumber)).toBe(false)
  })
})
