/** VpcConfig and FileSystemConfigs: what a request names must be in the machine room, and becomes configuration. */
import { createHash } from 'node:crypto'
import type { LambdaException } from '../../lambda/errors.ts'
import type { FileSystemConfig, FunctionConfiguration, FunctionKey, VpcConfig } from '../../lambda/function.ts'
import type { MachineRoom } from '../../lambda/machine-room.ts'
import { refused } from '../../lambda/refusals.ts'
import type { SettingsInput } from './function-input.ts'

type Account = Pick<FunctionKey, 'account' | 'region'>
type RoomSettings = Pick<FunctionConfiguration, 'vpc' | 'fileSystems'>

/**
 * The members that the request changes.
 * @throws LambdaException InvalidParameterValueException for what is not in the machine room
 */
export function roomSettings(
  room: MachineRoom,
  account: Account,
  input: Pick<SettingsInput, 'vpcConfig' | 'fileSystemConfigs'>,
  current?: RoomSettings,
): RoomSettings {
  return {
    ...(input.vpcConfig === undefined ? {} : { vpc: vpcOf(room, account, input.vpcConfig, current?.vpc) }),
    ...(input.fileSystemConfigs === undefined ? {} : { fileSystems: fileSystemsOf(room, input.fileSystemConfigs) }),
  }
}

function vpcOf(
  room: MachineRoom,
  account: Account,
  input: NonNullable<SettingsInput['vpcConfig']>,
  current: VpcConfig | undefined,
): VpcConfig {
  const subnetIds = unique(input.subnetIds ?? current?.subnetIds ?? [])
  const securityGroupIds = unique(input.securityGroupIds ?? current?.securityGroupIds ?? [])
  if ((subnetIds.length === 0) !== (securityGroupIds.length === 0)) {
    throw refused('SubnetIds and SecurityIds must coexist or be both empty list.')
  }
  for (const id of subnetIds) {
    if (Object.hasOwn(room.subnets, id)) continue
    throw unknown('DescribeSubnets', 'InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`)
  }
  for (const id of securityGroupIds) {
    if (Object.hasOwn(room.securityGroups, id)) continue
    throw unknown('DescribeSecurityGroups', 'InvalidGroup.NotFound', `The security group '${id}' does not exist`)
  }
  return { subnetIds, securityGroupIds, vpcId: subnetIds.length === 0 ? '' : vpcIdOf(account) }
}

function unknown(call: string, code: string, message: string): LambdaException {
  return refused(`Error occurred while ${call}. EC2 Error Code: ${code}. EC2 Error Message: ${message}`)
}

/** A machine room is one VPC for each account and region: whatever its subnets are, they can be combined. */
function vpcIdOf({ account, region }: Account): string {
  return `vpc-${createHash('sha256').update(`${account}/${region}`).digest('hex').slice(0, 17)}`
}

function fileSystemsOf(
  room: MachineRoom,
  input: NonNullable<SettingsInput['fileSystemConfigs']>,
): readonly FileSystemConfig[] | undefined {
  for (const { arn, localMountPath } of input) {
    // The model's pattern has these two, which are no folders of their own.
    if (/^\/mnt\/\.{1,2}$/.test(localMountPath)) {
      throw refused(`The local mount path ${localMountPath} is not a folder below /mnt. Choose another name.`)
    }
    if (Object.hasOwn(room.fileSystems, arn)) continue
    // AWS's text for an access point that does not exist is not recorded; this has the form of those for subnets.
    const id = arn.slice(arn.lastIndexOf('/') + 1)
    throw refused(
      `Error occurred while DescribeAccessPoints. EFS Error Code: AccessPointNotFound. EFS Error Message: Access Point '${id}' does not exist`,
    )
  }
  if (input.length === 0) return undefined
  return input.map(({ arn, localMountPath }) => ({ arn, localMountPath }))
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}
