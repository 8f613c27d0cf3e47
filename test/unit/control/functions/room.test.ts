import { describe, expect, it } from 'vitest'
import { roomSettings } from '../../../../src/control/functions/room.ts'

const room = { fileSystems: {}, subnets: { 'subnet-0a': 'network-a' }, securityGroups: { 'sg-0a': 'web' } }
const account = { account: '111111111111', region: 'us-east-1' }
const vpc = (subnetIds: string[], securityGroupIds: string[]) =>
  roomSettings(room, account, { vpcConfig: { subnetIds, securityGroupIds } }).vpc

describe('VpcConfig', () => {
  const noSubnet =
    "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-9' does not exist"
  const noGroup =
    "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-9' does not exist"

  it.each([
    [['subnet-0a'], ['sg-9'], noGroup],
    [['subnet-9'], ['sg-0a'], noSubnet],
    [['subnet-9'], ['sg-9'], noSubnet],
    [['subnet-0a'], [], 'SubnetIds and SecurityIds must coexist or be both empty list.'],
    [[], ['sg-9'], 'SubnetIds and SecurityIds must coexist or be both empty list.'],
  ])('with subnets %j and groups %j is refused for the first that is wrong', (subnets, groups, message) => {
    expect(() => vpc(subnets, groups)).toThrow(message)
  })

  it('with empty lists leaves the networks', () => {
    expect(vpc(['subnet-0a'], ['sg-0a'])).toMatchObject({ subnetIds: ['subnet-0a'], securityGroupIds: ['sg-0a'] })
    expect(vpc([], [])).toEqual({ subnetIds: [], securityGroupIds: [], vpcId: '' })
  })
})
