/** KMSKeyArn, VpcConfig and FileSystemConfigs over the wire. */
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import { ROOM } from './control-plane-host.ts'
import { controlPlane } from './control-plane-session.ts'

const { host, lambda, request, create, answered } = await controlPlane()

const ACCESS_POINT = Object.keys(ROOM.fileSystems)[0]!

async function update(FunctionName: string, changes: object): Promise<void> {
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...changes }))
  await host.settled()
}

async function shown(FunctionName: string): Promise<Record<string, unknown>> {
  await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
  return answered()
}

const refused = (changes: Partial<CreateFunctionCommandInput>) =>
  expect(lambda.send(new CreateFunctionCommand(request(changes)))).rejects

describe('VpcConfig', () => {
  const SubnetIds = ['subnet-0a', 'subnet-0b']
  const SecurityGroupIds = ['sg-0a']

  it('is answered with its VPC, changes as a whole and stays as empty lists when it is detached', async () => {
    const name = await create({ VpcConfig: { SubnetIds, SecurityGroupIds } })
    const VpcId = expect.stringMatching(/^vpc-[0-9a-f]{17}$/)
    const attached = { SubnetIds, SecurityGroupIds, VpcId, Ipv6AllowedForDualStack: false }
    expect((await shown(name)).VpcConfig).toEqual(attached)
    await update(name, { Timeout: 5 })
    expect((await shown(name)).VpcConfig).toEqual(attached)
    await update(name, { VpcConfig: { SubnetIds: ['subnet-0b'] } })
    expect((await shown(name)).VpcConfig).toEqual({ ...attached, SubnetIds: ['subnet-0b'] })
    await update(name, { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } })
    expect((await shown(name)).VpcConfig).toEqual({
      Ipv6AllowedForDualStack: false,
      SecurityGroupIds: [],
      SubnetIds: [],
      VpcId: '',
    })
  })

  it('is not shown for a function that never had one', async () => {
    const answer = await shown(await create({}))
    for (const member of ['VpcConfig', 'KMSKeyArn', 'FileSystemConfigs', 'Environment']) {
      expect(answer).not.toHaveProperty(member)
    }
  })

  it('needs subnets and security groups together', async () => {
    await refused({ VpcConfig: { SubnetIds } }).toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'SubnetIds and SecurityIds must coexist or be both empty list.',
    })
  })

  it('takes no name of an object’s own members for a subnet', async () => {
    await refused({ VpcConfig: { SubnetIds: ['subnet-'], SecurityGroupIds } }).toMatchObject({
      message: expect.stringContaining("The subnet ID 'subnet-' does not exist"),
    })
  })
})

describe('FileSystemConfigs', () => {
  const at = (LocalMountPath: string, Arn = ACCESS_POINT) => ({ FileSystemConfigs: [{ Arn, LocalMountPath }] })

  it('are shown as they were given, and go with an empty list', async () => {
    const name = await create(at('/mnt/a.b-c_1'))
    expect((await shown(name)).FileSystemConfigs).toEqual(at('/mnt/a.b-c_1').FileSystemConfigs)
    await update(name, { FileSystemConfigs: [] })
    expect(await shown(name)).not.toHaveProperty('FileSystemConfigs')
  })

  it.each(['/srv/a', '/mnt/', '/mnt/a/b', '/mnt/a b', `/mnt/${'a'.repeat(156)}`])(
    'refuse the path %s in the words of the model',
    async (path) => {
      await refused(at(path)).toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining(
          `Value '${path}' at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: `,
        ),
      })
    },
  )

  it.each(['/mnt/.', '/mnt/..'])(
    'refuse %s, which the model allows and which is no folder below /mnt',
    async (path) => {
      await refused(at(path)).toMatchObject({ name: 'InvalidParameterValueException' })
    },
  )

  it('refuse two, an ARN of something else, and one that is not there', async () => {
    const two = [...at('/mnt/a').FileSystemConfigs, ...at('/mnt/b').FileSystemConfigs]
    await refused({ FileSystemConfigs: two }).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('Member must have length less than or equal to 1'),
    })
    await refused(at('/mnt/a', 'arn:aws:s3:::bucket')).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("at 'fileSystemConfigs.1.member.arn'"),
    })
    await refused(at('/mnt/a', ACCESS_POINT.replace(/1$/, '2'))).toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining("Access Point 'fsap-00000000000000002' does not exist"),
    })
  })
})

describe('KMSKeyArn', () => {
  const newKey = () => host.keys.create({ account: '111111111111', region: 'us-east-1', description: '' }).arn!

  it('is shown beside the decrypted variables, and an error stands in their place where the key cannot be used', async () => {
    const KMSKeyArn = newKey()
    const name = await create({ KMSKeyArn, Environment: { Variables: { COLOUR: 'red' } } })
    expect(await shown(name)).toMatchObject({ KMSKeyArn, Environment: { Variables: { COLOUR: 'red' } } })
    host.keys.setState(KMSKeyArn, 'Disabled')
    expect((await shown(name)).Environment).toEqual({
      Error: {
        ErrorCode: 'KMSDisabledException',
        Message:
          "Lambda was unable to decrypt the environment variables because the KMS key used is disabled. Please check the function's KMS key settings.",
      },
    })
    expect(lambda.last().body).not.toContain('sealed')
  })

  it('of no key of this host is refused', async () => {
    await refused({ KMSKeyArn: 'arn:aws:kms:us-east-1:111111111111:key/k' }).toMatchObject({
      name: 'InvalidParameterValueException',
      message:
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: NotFoundException KMS Message: Key 'arn:aws:kms:us-east-1:111111111111:key/k' does not exist",
    })
  })
})
