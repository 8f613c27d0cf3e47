import { describe, expect, it } from 'vitest'
import { permissionStatement } from '../../../../src/lambda/policy/permission.ts'
import { type PolicyRequest, policyAllows, type Statement } from '../../../../src/lambda/policy/policy.ts'
import { readPolicy } from '../../../../src/lambda/policy/policy-document.ts'
import { matchesArn, matchesWildcard } from '../../../../src/lambda/policy/wildcard.ts'

const resource = 'arn:aws:lambda:us-east-1:111111111111:function:f'
const request: PolicyRequest = {
  principal: { kind: 'account', account: '222222222222' },
  action: 'lambda:InvokeFunction',
  resource,
}
const statement = (changes: Partial<Statement> = {}): Statement => ({
  Sid: 's',
  Effect: 'Allow',
  Principal: { AWS: 'arn:aws:iam::222222222222:root' },
  Action: 'lambda:InvokeFunction',
  Resource: resource,
  ...changes,
})
const allows = (changes: Partial<Statement>) => policyAllows([statement(changes)], request)

describe('a policy', () => {
  it('allows nothing when it is missing or empty', () => {
    expect([policyAllows(undefined, request), policyAllows([], request)]).toEqual([false, false])
  })

  it.each([
    ['*', true],
    [{ AWS: '*' }, true],
    [{ AWS: '222222222222' }, true],
    [{ AWS: ['333333333333', 'arn:aws:iam::222222222222:root'] }, true],
    [{ AWS: 'arn:aws-cn:iam::222222222222:root' }, true],
    [{ AWS: '333333333333' }, false],
    [{ AWS: 'arn:aws:iam::222222222222:role/r' }, false],
    [{ AWS: 'arn:aws:iam::2222222222223:root' }, false],
    [{ Service: 's3.amazonaws.com' }, false],
    [{ Service: '222222222222' }, false],
  ] as const)('of principal %j allows an account: %s', (Principal, allowed) => {
    expect(allows({ Principal })).toBe(allowed)
  })

  it.each([
    ['lambda:InvokeFunction', true],
    ['lambda:invokefunction', true],
    ['lambda:*', true],
    ['*', true],
    ['lambda:Invoke*', true],
    [['lambda:GetFunction', 'lambda:InvokeFunction'], true],
    ['lambda:InvokeFunctionUrl', false],
    ['lambda:GetFunction', false],
  ] as const)('of action %j allows an invoke: %s', (Action, allowed) => {
    expect(allows({ Action })).toBe(allowed)
  })

  it.each([
    [resource, true],
    ['*', true],
    [`${resource}*`, true],
    [`${resource}:1`, false],
    [resource.replace('111111111111', '999999999999'), false],
  ])('of resource %s allows the function: %s', (Resource, allowed) => {
    expect(allows({ Resource })).toBe(allowed)
  })

  it.each([
    [{ ArnLike: { 'AWS:SourceArn': '*' } }, false],
    [{ StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } }, false],
    [{ Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }, false],
    [{ StringEquals: { 'aws:PrincipalAccount': '222222222222' } }, true],
    [{ StringEquals: { 'aws:PrincipalAccount': ['1', '222222222222'] } }, true],
    [{ StringLike: { 'AWS:principalaccount': '2222*' } }, true],
    [{ StringNotEquals: { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ StringNotEquals: { 'aws:PrincipalAccount': ['1', '2'] } }, true],
    [{ StringNotEquals: { 'AWS:SourceAccount': '111111111111' } }, true],
    [{ StringEqualsIfExists: { 'AWS:SourceAccount': '111111111111' } }, true],
    // Keys of the call that the host cannot know: neither a negation nor IfExists makes them harmless.
    [{ StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } }, false],
    [{ StringEqualsIfExists: { 'aws:SourceVpc': 'vpc-1' } }, false],
    [{ Null: { 'aws:SourceVpc': 'true' } }, false],
    [{ Null: { 'AWS:SourceArn': 'true' } }, true],
    [{ Null: { 'AWS:SourceArn': ['false'] } }, false],
    [{ Bool: { 'aws:PrincipalIsAWSService': 'false' } }, true],
    [{ StringEquals: { 'aws:PrincipalType': 'Account' } }, true],
    [{ ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::222222222222:root' } }, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ IfExists: { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ constructor: { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ StringEquals: { 'aws:PrincipalAccount': '222222222222' }, ArnLike: { 'AWS:SourceArn': '*' } }, false],
    [{ NumericEquals: { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ StringEquals: { constructor: 'x' } }, false],
  ] as const)('with condition %j allows a call of an account: %s', (Condition, allowed) => {
    expect(allows({ Condition })).toBe(allowed)
  })
})

describe('a statement for a service', () => {
  const bucket = 'arn:aws:s3:::photos'
  const principal = { kind: 'service', service: 's3', sourceArn: bucket, sourceAccount: '111111111111' } as const
  const permits = (changes: Partial<Statement>, call: Partial<PolicyRequest> = {}) =>
    policyAllows([statement({ Principal: { Service: 's3.amazonaws.com' }, ...changes })], {
      ...request,
      principal,
      ...call,
    })

  it.each([
    ['*', true],
    [{ AWS: '*' }, true],
    [{ Service: 's3.amazonaws.com' }, true],
    [{ Service: ['sns.amazonaws.com', 's3.us-east-1.amazonaws.com'] }, true],
    [{ Service: 's3.eu-west-1.amazonaws.com' }, false],
    [{ Service: 'sns.amazonaws.com' }, false],
    [{ Service: 's3.amazonaws.com.example' }, false],
    [{ Service: '*' }, false],
    // An account's grant is not one for services that act for it.
    [{ AWS: '111111111111' }, false],
    [{ AWS: 's3.amazonaws.com' }, false],
  ] as const)('of principal %j lets it call: %s', (Principal, allowed) => {
    expect(permits({ Principal })).toBe(allowed)
  })

  it.each([
    [{ ArnLike: { 'AWS:SourceArn': bucket } }, true],
    [{ ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::pho*' } }, true],
    [{ ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::videos' } }, false],
    [{ ArnLike: { 'AWS:SourceArn': 'arn:*:photos' } }, false],
    [{ ArnEquals: { 'aws:SourceArn': '*' } }, true],
    [{ ArnNotLike: { 'AWS:SourceArn': 'arn:aws:s3:::pho*' } }, false],
    [{ StringEquals: { 'AWS:SourceAccount': '111111111111' } }, true],
    [{ StringEquals: { 'AWS:SourceAccount': '222222222222' } }, false],
    [{ StringEquals: { 'AWS:SourceAccount': '111111111111' }, ArnLike: { 'AWS:SourceArn': bucket } }, true],
    [{ StringEquals: { 'AWS:SourceAccount': '222222222222' }, ArnLike: { 'AWS:SourceArn': bucket } }, false],
    [{ StringEquals: { 'aws:PrincipalAccount': '111111111111' } }, false],
    [{ StringEquals: { 'aws:PrincipalServiceName': 's3.amazonaws.com' } }, true],
    [{ Bool: { 'aws:PrincipalIsAWSService': 'true' } }, true],
    [{ StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } }, false],
  ] as const)('with condition %j lets a bucket of 111111111111 call: %s', (Condition, allowed) => {
    expect(permits({ Condition })).toBe(allowed)
  })

  it.each([
    [{ StringEquals: { 'lambda:EventSourceToken': 'token' } }, { eventSourceToken: 'token' }, true],
    [{ StringEquals: { 'lambda:EventSourceToken': 'token' } }, { eventSourceToken: 'other' }, false],
    [{ StringEquals: { 'lambda:EventSourceToken': 'token' } }, {}, false],
    [{ StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } }, { functionUrlAuthType: 'NONE' }, true],
    [{ StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } }, { functionUrlAuthType: 'AWS_IAM' }, false],
    [{ StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } }, {}, false],
    [{ Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }, { invokedViaFunctionUrl: true }, true],
    [{ Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }, { invokedViaFunctionUrl: false }, false],
  ] as const)('with condition %j and a call with %j: %s', (Condition, call, allowed) => {
    expect(permits({ Condition }, call)).toBe(allowed)
  })

  it.each([
    [{}, { statementId: 's' }, true],
    [{}, { statementId: 's', sourceArn: bucket, sourceAccount: '111111111111' }, true],
    [{}, { statementId: 's', sourceArn: 'arn:aws:s3:::videos' }, false],
    [{}, { statementId: 's', sourceAccount: '222222222222' }, false],
    [{}, { statementId: 's', principalOrgID: 'o-0123456789' }, false],
    [{}, { statementId: 's', eventSourceToken: 'token' }, false],
  ])('that AddPermission wrote has its effect: %j %j', (_call, input, allowed) => {
    const made = permissionStatement(
      { action: 'lambda:InvokeFunction', principal: 's3.amazonaws.com', ...input },
      resource,
      'us-east-1',
    )
    expect(policyAllows([made], { ...request, principal })).toBe(allowed)
  })
})

describe('a denial', () => {
  const everybody = statement({ Principal: '*' })
  const deny = (changes: Partial<Statement>) =>
    policyAllows([everybody, statement({ Effect: 'Deny', Principal: '*', ...changes })], request)

  it.each([
    [{}, false],
    [{ Principal: { AWS: '333333333333' } }, true],
    [{ Action: 'lambda:GetFunction' }, true],
    [{ Condition: { StringEquals: { 'aws:PrincipalAccount': '333333333333' } } }, true],
    [{ Condition: { StringEquals: { 'aws:PrincipalAccount': '222222222222' } } }, false],
    // What the host cannot judge denies.
    [{ Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }, false],
    [{ Condition: { DateLessThan: { 'aws:PrincipalAccount': 'x' } } }, false],
    [
      {
        Condition: { DateLessThan: { 'aws:SourceVpc': 'x' }, StringEquals: { 'aws:PrincipalAccount': '333333333333' } },
      },
      true,
    ],
  ] as const)('%j leaves the call allowed: %s', (changes, allowed) => {
    expect(deny(changes)).toBe(allowed)
  })

  it('alone allows nothing', () => {
    expect(policyAllows([statement({ Effect: 'Deny', Action: 'lambda:GetFunction' })], request)).toBe(false)
  })
})

describe('an ARN in a condition', () => {
  const arn = 'arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/f:*'
  it.each([
    [arn, true],
    ['*', true],
    ['arn:aws:logs:*:111111111111:log-group:*', true],
    ['arn:aws:logs:us-east-?:111111111111:log-group:/aws/lambda/f:*', true],
    ['arn:aws:logs:us-east-1:*', false],
    ['arn:*', false],
    ['arn:aws:logs:*:log-group:/aws/lambda/f:*', false],
    ['arn:aws:logs:us-east-1:222222222222:*', false],
    ['', false],
  ])('%s is matched part by part: %s', (pattern, matches) => {
    expect(matchesArn(pattern, arn)).toBe(matches)
  })

  it('matches no text that is none', () => {
    expect([matchesArn('arn:aws:s3:::b', 'b'), matchesArn('a', 'a')]).toEqual([false, false])
  })
})

describe('a wildcard', () => {
  it.each([
    ['*', '', true],
    ['a*c', 'abbbc', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a*', 'ba', false],
    ['', 'a', false],
    ['a.c', 'abc', false],
  ])('%s matches %j: %s', (pattern, text, matches) => {
    expect(matchesWildcard(pattern, text)).toBe(matches)
  })

  it.each([
    [`${'*a'.repeat(5000)}b`, 'a'.repeat(5000)],
    [`${'a*'.repeat(10_000)}b`, 'a'.repeat(256)],
    [`*${'a'.repeat(128)}b`, 'a'.repeat(256)],
    [`${'?*'.repeat(10_000)}`, 'a'.repeat(256)],
    [`${'*'.repeat(20_000)}b`, 'a'.repeat(256)],
    ['(a+)+$', `${'a'.repeat(256)}!`],
    ['([a-zA-Z]+)*\\d', 'a'.repeat(256)],
  ])('of a hostile policy is decided at once: %#', (pattern, text) => {
    expect(matchesWildcard(pattern, text)).toBe(false)
    expect(matchesArn(`arn:aws:s3:::${pattern}`, `arn:aws:s3:::${text}`)).toBe(false)
  })
})

describe('the statement of a permission', () => {
  it.each(['s3.amazonaws.com', 'alexa-appkit.amazon.com', 'events.amazonaws.com.cn'])(
    'takes the service %s',
    (principal) => {
      const { Principal } = permissionStatement({ statementId: 's', action: '*', principal }, resource, 'us-east-1')
      expect(Principal).toEqual({ Service: principal })
    },
  )

  it.each(['1234', 'example.com', 'arn:aws:s3:::bucket', 'arn:aws:iam::12:root', 'amazonaws.com'])(
    'refuses the principal %s',
    (principal) => {
      const input = { statementId: 's', action: 'lambda:*', principal }
      expect(() => permissionStatement(input, resource, 'us-east-1')).toThrow(/^The provided principal was invalid/)
    },
  )
})

describe('a policy document', () => {
  const read = (policy: unknown) => readPolicy(JSON.stringify(policy), resource)
  const document = (changes: object = {}) => ({ Version: '2012-10-17', Statement: [{ ...statement(), ...changes }] })

  it('gives its statements, a single one too', () => {
    expect(read(document())).toEqual([statement()])
    expect(read({ ...document(), Id: 'default', Statement: statement() })).toEqual([statement()])
  })

  it.each([
    ['a list', []],
    ['no statement', { Version: '2012-10-17', Statement: [] }],
    ['another version', { ...document(), Version: '2008-10-17' }],
    ['an id', { ...document(), Id: 'mine' }],
    ['the same Sid twice', { Version: '2012-10-17', Statement: [statement(), statement()] }],
    ['Deny', document({ Effect: 'Deny' })],
    ['NotAction', document({ NotAction: 'lambda:*' })],
    ['an empty principal', document({ Principal: {} })],
    ['an unknown principal', document({ Principal: { CanonicalUser: 'x' } })],
    ['no principal', document({ Principal: undefined })],
    ['an action of another service', document({ Action: 's3:*' })],
    ['no action', document({ Action: [] })],
    ['numbers', document({ Action: [1] })],
    ['another resource', document({ Resource: `${resource}:1` })],
    ['an unknown operator', document({ Condition: { DateGreaterThan: { 'aws:CurrentTime': 'x' } } })],
    ['a null condition', document({ Condition: { StringEquals: null } })],
    ['a Sid with a space', document({ Sid: 'a b' })],
  ])('with %s is refused', (_what, policy) => {
    expect(() => read(policy)).toThrow(/^The policy is invalid: /)
  })
})
