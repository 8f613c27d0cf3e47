import { describe, expect, it } from 'vitest'
import { permissionStatement } from '../../../src/lambda/permission.ts'
import { policyAllows, type Statement } from '../../../src/lambda/policy.ts'
import { readPolicy } from '../../../src/lambda/policy-document.ts'
import { matchesWildcard } from '../../../src/lambda/wildcard.ts'

const resource = 'arn:aws:lambda:us-east-1:111111111111:function:f'
const request = { account: '222222222222', action: 'lambda:InvokeFunction', resource }
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
    [{ StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } }, true],
    [{ StringEqualsIfExists: { 'aws:SourceVpc': 'vpc-1' } }, true],
    [{ StringEquals: { 'aws:PrincipalAccount': '222222222222' }, ArnLike: { 'AWS:SourceArn': '*' } }, false],
    [{ NumericEquals: { 'aws:PrincipalAccount': '222222222222' } }, false],
    [{ StringEquals: { constructor: 'x' } }, false],
  ] as const)('with condition %j allows a call of an account: %s', (Condition, allowed) => {
    expect(allows({ Condition })).toBe(allowed)
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

  it('of a hostile policy is decided at once', () => {
    expect(matchesWildcard(`${'*a'.repeat(5000)}b`, 'a'.repeat(5000))).toBe(false)
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
