import { expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config.ts'

const load = (env: Record<string, string>) => loadConfig({ flags: {}, env, cwd: '/' }).config
const AP = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000001'

it('names of the machine room are pairs, as many as there are', () => {
  expect(load({ HEARTH_SUBNETS: 'subnet-0a=front,subnet-0b=back' }).subnets).toEqual({
    'subnet-0a': 'front',
    'subnet-0b': 'back',
  })
  expect(load({ HEARTH_SECURITY_GROUPS: 'sg-a=web tier, sg-b=network:cache' }).securityGroups).toEqual({
    'sg-a': 'web tier',
    'sg-b': 'network:cache',
  })
  expect(load({ HEARTH_FILE_SYSTEMS: `${AP}=nfs:10.0.0.1:/a` }).fileSystems).toEqual({ [AP]: 'nfs:10.0.0.1:/a' })
  expect(load({})).toMatchObject({ subnets: {}, securityGroups: {}, fileSystems: {}, maxNetworkAttachments: 500 })
})

it.each([
  ['HEARTH_SUBNETS', 'subnet-0a=host'],
  ['HEARTH_SUBNETS', 'subnet=front'],
  ['HEARTH_SECURITY_GROUPS', 'sg-a=network:none'],
  ['HEARTH_FILE_SYSTEMS', `${AP}=relative`],
  ['HEARTH_FILE_SYSTEMS', 'fsap-1=/srv'],
  ['HEARTH_MAX_NETWORK_ATTACHMENTS', '-1'],
])('%s=%s is refused with what it must be', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(ConfigError)
  expect(() => load({ [name]: value })).toThrow(new RegExp(`^${name} must be`))
})
