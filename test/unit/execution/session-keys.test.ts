import { expect, it } from 'vitest'
import { ExecutionEnvironment } from '../../../src/execution/environment.ts'
import { SessionKeys } from '../../../src/execution/session-keys.ts'
import { fakeHost, validVersion } from './fake-host.ts'

const SESSION = {
  account: '111111111111',
  region: 'us-east-1',
  role: 'arn:aws:iam::111111111111:role/r',
  functionName: 'f',
}

it('every environment has a key of its own that names the account', () => {
  const keys = new SessionKeys()
  const ids = Array.from({ length: 5000 }, () => keys.issue(SESSION).accessKeyId)
  expect(ids[0]).toMatch(/^ASIA[A-Z2-7]{4}111111111111$/)
  expect(new Set(ids).size).toBe(5000)
  const other = keys.issue({ ...SESSION, account: '222222222222' }).accessKeyId
  expect(ids.map((id) => id.slice(4, 8))).not.toContain(other.slice(4, 8))
})

it('a key is known for as long as its environment lives, and in its own account only', () => {
  const keys = new SessionKeys()
  const credentials = keys.issue(SESSION)
  const { accessKeyId } = credentials
  expect(keys.find(accessKeyId)).toBe(SESSION)
  expect(keys.find(`${accessKeyId.slice(0, 8)}222222222222`)).toBeUndefined()
  expect(keys.find(`AKIA${accessKeyId.slice(4)}`)).toBeUndefined()
  keys.revoke(credentials)
  expect(keys.find(accessKeyId)).toBeUndefined()
  expect(keys.size).toBe(0)
})

it('an environment that is gone leaves no key behind, also one that could not be started', async () => {
  const { host } = fakeHost({
    refuseStart: (cell) => (cell.memoryMb === 256 ? new Error('no room') : undefined),
  })
  const owner = { idle: () => {}, finishing: () => {}, unavailable: () => {}, gone: () => {} }
  const one = new ExecutionEnvironment(host, owner, validVersion())
  await one.start()
  expect(host.sessionKeys.size).toBe(1)
  const failed = new ExecutionEnvironment(host, owner, validVersion({ memorySize: 256 }))
  await expect(failed.start()).rejects.toThrow('no room')
  await failed.shutdown('it could not be started')
  expect(host.sessionKeys.size).toBe(1)
  await one.shutdown('the test is over')
  expect(host.sessionKeys.size).toBe(0)
})
