import { expect, it } from 'vitest'
import { accountIdentity, sessionIdentity } from '../../../src/lambda/role-session.ts'

const session = {
  account: '111111111111',
  region: 'eu-west-1',
  role: 'arn:aws:iam::111111111111:role/service/path/worker',
  functionName: 'resize',
}

it('the code inside an environment is a session of its role, named after the function', () => {
  const { account, arn, userId } = sessionIdentity(session)
  expect(account).toBe('111111111111')
  expect(arn).toBe('arn:aws:sts::111111111111:assumed-role/worker/resize')
  expect(userId).toMatch(/^AROA[A-Z2-7]{17}:resize$/)
})

it('the id of a role stays the same and differs from role to role', () => {
  expect(sessionIdentity({ ...session, functionName: 'other' }).userId.slice(0, 21)).toBe(
    sessionIdentity(session).userId.slice(0, 21),
  )
  const other = sessionIdentity({ ...session, role: 'arn:aws:iam::111111111111:role/other' })
  expect(other.userId.slice(0, 21)).not.toBe(sessionIdentity(session).userId.slice(0, 21))
})

it('a function whose name has one character has a session name that STS takes', () => {
  expect(sessionIdentity({ ...session, functionName: 'u' }).arn).toBe(
    'arn:aws:sts::111111111111:assumed-role/worker/u@lambda_function',
  )
})

it('partitions are those of the region', () => {
  expect(sessionIdentity({ ...session, region: 'cn-north-1' }).arn).toMatch(/^arn:aws-cn:sts::/)
  expect(accountIdentity({ account: '222222222222', region: 'us-east-1' })).toEqual({
    account: '222222222222',
    arn: 'arn:aws:iam::222222222222:root',
    userId: '222222222222',
  })
})
