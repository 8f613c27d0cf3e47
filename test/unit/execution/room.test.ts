import { describe, expect, it } from 'vitest'
import { roomOf } from '../../../src/execution/room.ts'
import { EMPTY_ROOM, type MachineRoom } from '../../../src/lambda/machine-room.ts'

const ROOM: MachineRoom = {
  fileSystems: { ap: 'nfs:files.example:/export/a' },
  subnets: { 'subnet-a': 'front', 'subnet-b': 'front' },
  securityGroups: {
    'sg-a': 'network:cache',
    'sg-b': 'web tier',
    'sg-c': 'network:front',
    'sg-d': 'tcp:80',
    'sg-e': 'udp:53',
  },
}
const vpc = (subnetIds: string[], securityGroupIds: string[]) => ({
  vpc: { subnetIds, securityGroupIds, vpcId: 'vpc-1' },
})

describe('what an environment gets of the machine room', () => {
  it('is nothing for a function without such settings', () => {
    expect(roomOf({}, EMPTY_ROOM)).toEqual({ mounts: [], networks: [], securityGroups: {} })
  })

  it('is each network once, whatever names it has, and labels for the other groups', () => {
    expect(roomOf(vpc(['subnet-a', 'subnet-b'], ['sg-a', 'sg-b', 'sg-c']), ROOM)).toEqual({
      mounts: [],
      networks: [
        { kind: 'subnet', id: 'subnet-a', name: 'front' },
        { kind: 'security-group', id: 'sg-a', name: 'cache' },
      ],
      securityGroups: { 'sg-b': 'web tier' },
    })
  })

  it('is the ports of all its groups, or every one if a group names none', () => {
    const reachOf = (...groups: string[]) => roomOf(vpc(['subnet-a'], groups), ROOM).reach
    expect(reachOf('sg-d', 'sg-e')).toEqual([
      { protocol: 'tcp', first: 80, last: 80 },
      { protocol: 'udp', first: 53, last: 53 },
    ])
    for (const open of ['sg-a', 'sg-b']) expect(reachOf('sg-d', open)).toBeUndefined()
  })

  it('is a file system at its path', () => {
    expect(roomOf({ fileSystems: [{ arn: 'ap', localMountPath: '/mnt/a' }] }, ROOM).mounts).toEqual([
      {
        accessPoint: 'ap',
        target: '/mnt/a',
        source: { kind: 'nfs', host: 'files.example', port: 2049, path: '/export/a' },
      },
    ])
  })

  it.each([
    [vpc(['subnet-x'], ['sg-a']), 'subnet-missing', 'HEARTH_SUBNETS'],
    [vpc(['subnet-a'], ['sg-x']), 'security-group-missing', 'HEARTH_SECURITY_GROUPS'],
    [{ fileSystems: [{ arn: 'x', localMountPath: '/mnt/a' }] }, 'mount-failed', 'HEARTH_FILE_SYSTEMS'],
  ])('is refused where the operator took a name back: %j', (version, kind, setting) => {
    expect(() => roomOf(version, ROOM)).toThrow(
      expect.objectContaining({ kind, remedy: expect.stringContaining(setting) }),
    )
  })
})
