import { expect, it } from 'vitest'
import {
  ACCESS_POINT,
  FILE_SYSTEM,
  fileSystemSource,
  NETWORK,
  SECURITY_GROUP,
  securityGroup,
} from '../../../src/lambda/machine-room.ts'

it.each([
  ['/srv/a b', { kind: 'folder', path: '/srv/a b' }],
  ['volume:data', { kind: 'volume', name: 'data' }],
  ['nfs:files.example:/export', { kind: 'nfs', host: 'files.example', port: 2049, path: '/export' }],
  ['nfs:10.0.0.1:12049:/a/b', { kind: 'nfs', host: '10.0.0.1', port: 12_049, path: '/a/b' }],
])('%s is a source of files', (text, source) => {
  expect(text).toMatch(FILE_SYSTEM)
  expect(fileSystemSource(text)).toEqual(source)
})

it.each([
  '',
  'srv/a',
  'volume:',
  'volume:a/b',
  'nfs:/export',
  'nfs:host',
  'nfs:host:/a,b',
  'nfs:host:/a b',
  'nfs:a,b:/c',
  '/a\0b',
])('%j is no source of files: nothing of it may reach the options of a mount', (text) => {
  expect(text).not.toMatch(FILE_SYSTEM)
})

it.each(['host', 'none', '', '-a', 'a b', 'a,b', 'container:x'])('%j is no network to join', (text) => {
  expect(text).not.toMatch(NETWORK)
  expect(`network:${text}`).not.toMatch(SECURITY_GROUP)
})

it('a security group may be ports', () => {
  expect('tcp:5432+udp:53+tcp:8100-8000').toMatch(SECURITY_GROUP)
  expect(securityGroup('tcp:5432+udp:53+tcp:8100-8000')).toEqual({
    ports: [
      { protocol: 'tcp', first: 5432, last: 5432 },
      { protocol: 'udp', first: 53, last: 53 },
      { protocol: 'tcp', first: 8000, last: 8100 },
    ],
  })
  for (const text of ['tcp:', 'tcp:65536', 'icmp:1', 'tcp:1+', 'tcp:1 -j ACCEPT', 'tcp:1+web']) {
    expect(text).not.toMatch(SECURITY_GROUP)
  }
})

it('a security group is a network or a label', () => {
  expect(securityGroup('network:cache')).toEqual({ network: 'cache' })
  expect(securityGroup('web tier')).toEqual({ label: 'web tier' })
  expect('network:cache').toMatch(SECURITY_GROUP)
  expect('web tier').toMatch(SECURITY_GROUP)
  for (const text of ['network:host', 'network:', 'a,b', ' a', 'a:b']) expect(text).not.toMatch(SECURITY_GROUP)
})

it('an access point has the ARN of one', () => {
  const arn = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0'
  expect(arn).toMatch(ACCESS_POINT)
  for (const other of [`${arn}1`, arn.replace('fsap', 'fs'), `x${arn}`]) expect(other).not.toMatch(ACCESS_POINT)
})
