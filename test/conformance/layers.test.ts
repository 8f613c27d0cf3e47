/** Layers, their permissions, and resource policies of functions, with the official SDK. */
import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteLayerVersionCommand,
  DeleteResourcePolicyCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  GetPolicyCommand,
  GetResourcePolicyCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  type PublishLayerVersionCommandInput,
  PublishVersionCommand,
  PutResourcePolicyCommand,
  paginateListLayers,
  paginateListLayerVersions,
  RemoveLayerVersionPermissionCommand,
  RemovePermissionCommand,
  type Runtime,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import observed from '../fixtures/observed-layer-and-policy-errors.json' with { type: 'json' }
import { arn, controlPlane, zip } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const { host, lambda, newName, create } = await controlPlane()
/** Another account. */
const other = host.client({ credentials: { accessKeyId: 'AKIDOFTWO', secretAccessKey: 'any' } })

const layerArn = (rest: string) => `arn:aws:lambda:us-east-1:111111111111:layer:${rest}`

async function publishLayer(LayerName = newName(), input: Partial<PublishLayerVersionCommandInput> = {}) {
  await lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: zip(LayerName) }, ...input }))
  return LayerName
}

const body = (of = lambda) => JSON.parse(of.last().body) as Record<string, unknown>
const revision = '00000000-0000-0000-0000-000000000000'

const permit = (FunctionName: string, changes: Partial<ConstructorParameters<typeof AddPermissionCommand>[0]> = {}) =>
  lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: 's1',
      Action: 'lambda:GetFunction',
      Principal: '222222222222',
      ...changes,
    }),
  )

const permitLayer = (
  LayerName: string,
  changes: Partial<ConstructorParameters<typeof AddLayerVersionPermissionCommand>[0]> = {},
) =>
  lambda.send(
    new AddLayerVersionPermissionCommand({
      LayerName,
      VersionNumber: 1,
      StatementId: 's1',
      Action: 'lambda:GetLayerVersion',
      Principal: '*',
      ...changes,
    }),
  )

describe('layers', () => {
  it('are published with 201 and the recorded members', async () => {
    const name = await publishLayer()
    expect(lambda.last().status).toBe(201)
    expect(body()).toEqual({
      Content: {
        Location: expect.stringMatching(/^http:/),
        CodeSha256: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        CodeSize: zip(name).length,
      },
      LayerArn: layerArn(name),
      LayerVersionArn: layerArn(`${name}:1`),
      Description: '',
      CreatedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
      Version: 1,
    })
  })

  it('keep what they were published with, and give their zip back', async () => {
    const given = {
      Description: 'd',
      CompatibleRuntimes: ['python3.12', 'nodejs22.x'] as Runtime[],
      CompatibleArchitectures: ['x86_64', 'arm64'] as ('x86_64' | 'arm64')[],
      LicenseInfo: 'MIT\nand more',
    }
    const name = await publishLayer(undefined, given)
    await lambda.send(new GetLayerVersionCommand({ LayerName: name, VersionNumber: 1 }))
    const shown = body()
    expect(shown).toMatchObject(given)
    await lambda.send(new GetLayerVersionCommand({ LayerName: layerArn(name), VersionNumber: 1 }))
    expect(body()).toMatchObject(given)
    const { Content } = await lambda.send(new GetLayerVersionByArnCommand({ Arn: layerArn(`${name}:1`) }))
    const download = await fetch(Content?.Location ?? '')
    expect(Buffer.from(await download.arrayBuffer()).equals(zip(name))).toBe(true)
  })

  it('never use a version number again, not even when all versions were deleted', async () => {
    const name = await publishLayer()
    await publishLayer(name)
    for (const VersionNumber of [1, 2, 2]) {
      await lambda.send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber }))
      expect(lambda.last().status).toBe(204)
    }
    const { Layers } = await lambda.send(new ListLayersCommand({}))
    expect(Layers?.map(({ LayerName }) => LayerName)).not.toContain(name)
    await publishLayer(name)
    expect(body().Version).toBe(3)
  })

  it('are numbered without gaps or repetition when many are published at once', async () => {
    const name = newName()
    const published = await Promise.all(
      Array.from({ length: 10 }, () =>
        lambda.send(new PublishLayerVersionCommand({ LayerName: name, Content: { ZipFile: zip() } })),
      ),
    )
    expect(published.map(({ Version }) => Version).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
  })

  it('are listed by page, filter and age', async () => {
    const own = host.client({ region: 'eu-west-1' })
    const put = (LayerName: string, input: Partial<PublishLayerVersionCommandInput> = {}) =>
      own.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: zip() }, ...input }))
    await put('b', { CompatibleRuntimes: ['python3.12'] })
    await put('b', { CompatibleArchitectures: ['arm64'] })
    await put('a')
    await put('c', { CompatibleRuntimes: ['nodejs22.x'], CompatibleArchitectures: ['x86_64'] })
    const layers: string[] = []
    for await (const page of paginateListLayers({ client: own, pageSize: 2 }, {})) {
      for (const { LayerName, LatestMatchingVersion } of page.Layers ?? []) {
        layers.push(`${LayerName}:${LatestMatchingVersion?.Version}`)
      }
    }
    expect(layers).toEqual(['a:1', 'b:2', 'c:1'])
    const versions: (number | undefined)[] = []
    for await (const page of paginateListLayerVersions({ client: own, pageSize: 1 }, { LayerName: 'b' })) {
      versions.push(...(page.LayerVersions ?? []).map(({ Version }) => Version))
    }
    expect(versions).toEqual([2, 1])
    const matching = await own.send(new ListLayersCommand({ CompatibleRuntime: 'python3.12' }))
    expect(matching.Layers).toMatchObject([{ LayerName: 'b', LatestMatchingVersion: { Version: 1 } }])
    const arm = await own.send(new ListLayerVersionsCommand({ LayerName: 'b', CompatibleArchitecture: 'arm64' }))
    expect(arm.LayerVersions).toMatchObject([{ Version: 2 }])
    expect(Object.keys(arm.LayerVersions?.[0] ?? {})).not.toContain('Content')
    expect((await own.send(new ListLayerVersionsCommand({ LayerName: 'none' }))).LayerVersions).toEqual([])
    await expect(own.send(new ListLayersCommand({ MaxItems: 51 }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  it('count as stored code', async () => {
    const total = async () => (await lambda.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize ?? 0
    const before = await total()
    const name = await publishLayer(undefined, { Content: { ZipFile: zip('123456') } })
    expect((await total()) - before).toBe(8)
    await lambda.send(new DeleteLayerVersionCommand({ LayerName: name, VersionNumber: 1 }))
    expect(await total()).toBe(before)
  })

  it('need a content that Hearth can have', async () => {
    await expect(
      publishLayer(undefined, { Content: { S3Bucket: 'bucket', S3Key: 'key', S3ObjectStorageMode: 'REFERENCE' } }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/^S3ObjectStorageMode REFERENCE is not supported by Hearth: /),
    })
    await expect(publishLayer(undefined, { Content: {} })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    })
  })
})

describe("a function's layers", () => {
  it('are shown with their size, kept by versions, and removed by an empty list', async () => {
    const [one, two] = [await publishLayer(), await publishLayer()]
    const name = await create({ Layers: [layerArn(`${two}:1`), layerArn(`${one}:1`)] })
    const shown = [two, one].map((layer) => ({ Arn: layerArn(`${layer}:1`), CodeSize: zip(layer).length }))
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(body().Layers).toEqual(shown)
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 9 }))
    expect(body().Layers).toEqual(shown)
    await host.settled()
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: [] }))
    expect(body()).not.toHaveProperty('Layers')
    await host.settled()
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    expect(body()).toMatchObject({ Version: '2' })
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: '1' }))
    expect(body().Layers).toEqual(shown)
  })

  it('stay when the layer version is deleted, and cannot be chosen again', async () => {
    const layer = await publishLayer()
    const name = await create({ Layers: [layerArn(`${layer}:1`)] })
    await lambda.send(new DeleteLayerVersionCommand({ LayerName: layer, VersionNumber: 1 }))
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(body().Layers).toHaveLength(1)
    await expect(create({ Layers: [layerArn(`${layer}:1`)] })).rejects.toMatchObject({
      message: `Layer version ${layerArn(`${layer}:1`)} does not exist.`,
    })
  })

  it("of another account need that account's grant", async () => {
    const name = await publishLayer()
    const Layers = [layerArn(`${name}:1`)]
    const createElsewhere = () =>
      other.send(
        new CreateFunctionCommand({
          FunctionName: newName(),
          Runtime: 'python3.12',
          Role: 'arn:aws:iam::222222222222:role/r',
          Handler: 'h.h',
          Code: { ZipFile: zip() },
          Layers,
        }),
      )
    const denied = {
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::222222222222:root is not authorized to perform: lambda:GetLayerVersion on resource: ${Layers[0]} because no resource-based policy allows the lambda:GetLayerVersion action`,
    }
    await expect(createElsewhere()).rejects.toMatchObject(denied)
    expect(other.last().status).toBe(403)
    const get = () => other.send(new GetLayerVersionCommand({ LayerName: layerArn(name), VersionNumber: 1 }))
    await expect(get()).rejects.toMatchObject(denied)
    await permitLayer(name, { Principal: '333333333333', StatementId: 'three' })
    await permitLayer(name, { OrganizationId: 'o-0123456789', StatementId: 'organization' })
    await expect(createElsewhere()).rejects.toMatchObject(denied)
    await permitLayer(name, { Principal: '222222222222', StatementId: 'two' })
    expect((await get()).Version).toBe(1)
    await createElsewhere()
    await host.settled()
    await expect(
      other.send(new DeleteLayerVersionCommand({ LayerName: layerArn(name), VersionNumber: 1 })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

describe('layer permissions', () => {
  it('are added, shown and removed, guarded by RevisionId', async () => {
    const name = await publishLayer()
    const { RevisionId: first } = await permitLayer(name)
    expect(lambda.last().status).toBe(201)
    const statement = {
      Sid: 's1',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:GetLayerVersion',
      Resource: layerArn(`${name}:1`),
    }
    expect(JSON.parse(String(body().Statement))).toEqual(statement)
    const { RevisionId: second } = await permitLayer(name, {
      StatementId: 's2',
      Principal: '222222222222',
      RevisionId: first,
    })
    expect(JSON.parse(String(body().Statement)).Principal).toEqual({ AWS: 'arn:aws:iam::222222222222:root' })
    await expect(permitLayer(name, { StatementId: 's3', RevisionId: first })).rejects.toMatchObject({
      name: 'PreconditionFailedException',
    })
    const { Policy, RevisionId } = await lambda.send(
      new GetLayerVersionPolicyCommand({ LayerName: name, VersionNumber: 1 }),
    )
    expect(RevisionId).toBe(second)
    expect(JSON.parse(Policy ?? '')).toMatchObject({
      Version: '2012-10-17',
      Id: 'default',
      Statement: [statement, { Sid: 's2' }],
    })
    for (const StatementId of ['s1', 's2']) {
      await lambda.send(new RemoveLayerVersionPermissionCommand({ LayerName: name, VersionNumber: 1, StatementId }))
      expect(lambda.last().status).toBe(204)
    }
    await expect(
      lambda.send(new GetLayerVersionPolicyCommand({ LayerName: name, VersionNumber: 1 })),
    ).rejects.toMatchObject({ message: 'No policy is associated with the given resource.' })
  })
})

describe('permissions of functions', () => {
  it('have the recorded statements', async () => {
    const name = await create()
    const statement = () => JSON.parse(String(body().Statement)) as unknown
    await permit(name, {
      StatementId: 's3',
      Action: 'lambda:InvokeFunction',
      Principal: 's3.amazonaws.com',
      SourceArn: 'arn:aws:s3:::b',
    })
    expect(lambda.last().status).toBe(201)
    expect(statement()).toEqual({
      Sid: 's3',
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: arn(name),
      Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::b' } },
    })
    await permit(name, { StatementId: 'acct', Action: 'lambda:InvokeFunction', Principal: '111111111111' })
    expect(statement()).toEqual({
      Sid: 'acct',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111111111111:root' },
      Action: 'lambda:InvokeFunction',
      Resource: arn(name),
    })
    await permit(name, {
      StatementId: 'u',
      Action: 'lambda:InvokeFunctionUrl',
      Principal: '*',
      SourceAccount: '111111111111',
      FunctionUrlAuthType: 'NONE',
      PrincipalOrgID: 'o-1234567890',
      SourceArn: 'arn:aws:s3:::b',
    })
    expect(statement()).toEqual({
      Sid: 'u',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:InvokeFunctionUrl',
      Resource: arn(name),
      Condition: {
        StringEquals: {
          'AWS:SourceAccount': '111111111111',
          'lambda:FunctionUrlAuthType': 'NONE',
          'aws:PrincipalOrgID': 'o-1234567890',
        },
        ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::b' },
      },
    })
    const { Policy, RevisionId } = await lambda.send(new GetPolicyCommand({ FunctionName: name }))
    expect(JSON.parse(Policy ?? '').Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(['s3', 'acct', 'u'])
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(RevisionId).toBe(Configuration?.RevisionId)
  })

  it('belong to one qualifier and change its RevisionId', async () => {
    const name = await create()
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const { RevisionId } = await lambda.send(
      new CreateAliasCommand({ FunctionName: name, Name: 'live', FunctionVersion: '1' }),
    )
    await permit(name)
    await permit(name, { Qualifier: '1' })
    await permit(name, { Qualifier: 'live', RevisionId })
    expect(JSON.parse(String(body().Statement)).Resource).toBe(arn(`${name}:live`))
    const alias = await lambda.send(new GetAliasCommand({ FunctionName: name, Name: 'live' }))
    expect(alias.RevisionId).not.toBe(RevisionId)
    for (const Qualifier of [undefined, '1', 'live']) {
      const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: name, Qualifier }))
      expect(JSON.parse(Policy ?? '').Statement).toHaveLength(1)
      await lambda.send(new RemovePermissionCommand({ FunctionName: name, Qualifier, StatementId: 's1' }))
      expect(lambda.last().status).toBe(204)
      await expect(lambda.send(new GetPolicyCommand({ FunctionName: name, Qualifier }))).rejects.toMatchObject({
        message: 'The resource you requested does not exist.',
      })
    }
  })

  it('are not inherited by a new alias of the same name', async () => {
    const name = await create()
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const alias = { FunctionName: name, Name: 'live', FunctionVersion: '1' }
    await lambda.send(new CreateAliasCommand(alias))
    await permit(name, { Qualifier: 'live' })
    await lambda.send(new DeleteAliasCommand(alias))
    await lambda.send(new CreateAliasCommand(alias))
    await expect(lambda.send(new GetPolicyCommand({ FunctionName: name, Qualifier: 'live' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  it('end at 20 KB of policy', async () => {
    const name = await create()
    const filled = async () => {
      for (let i = 0; ; i++)
        await permit(name, { StatementId: `s${i}`, Principal: `a${'b'.repeat(2000)}.amazonaws.com` })
    }
    await expect(filled()).rejects.toMatchObject({
      name: 'PolicyLengthExceededException',
      message: expect.stringMatching(/^The final policy size \(2\d{4}\) is bigger than the limit \(20480\)\.$/),
    })
    expect(lambda.last().status).toBe(400)
  })

  it('let another account do what they name, on what they name, and nothing else', async () => {
    const name = await create()
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const get = (Qualifier?: string) => other.send(new GetFunctionCommand({ FunctionName: arn(name), Qualifier }))
    const denied = { name: 'AccessDeniedException' }
    await expect(get()).rejects.toMatchObject(denied)
    await permit(name, { Principal: '333333333333', StatementId: 'three' })
    await permit(name, { Principal: 'arn:aws:iam::222222222222:role/r', StatementId: 'role' })
    await permit(name, { Principal: '*', PrincipalOrgID: 'o-0123456789', StatementId: 'organization' })
    await expect(get()).rejects.toMatchObject(denied)
    await permit(name)
    expect((await get()).Configuration?.FunctionArn).toBe(arn(name))
    await expect(get('1')).rejects.toMatchObject(denied)
    await expect(other.send(new GetFunctionConfigurationCommand({ FunctionName: arn(name) }))).rejects.toMatchObject(
      denied,
    )
    await expect(
      other.send(new UpdateFunctionConfigurationCommand({ FunctionName: arn(name), Timeout: 4 })),
    ).rejects.toMatchObject(denied)
    await permit(name, { Qualifier: '1', Action: 'lambda:*' })
    expect((await get('1')).Configuration?.Version).toBe('1')
    await expect(
      other.send(
        new AddPermissionCommand({
          FunctionName: arn(name),
          Qualifier: '1',
          StatementId: 'mine',
          Action: 'lambda:*',
          Principal: '*',
        }),
      ),
    ).rejects.toMatchObject(denied)
    await lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId: 's1' }))
    await expect(get()).rejects.toMatchObject(denied)
  })
})

describe('resource policies', () => {
  const policy = (name: string, changes: object = {}) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Sid: 'all',
        Effect: 'Allow',
        Principal: { AWS: ['222222222222'] },
        Action: ['lambda:Get*'],
        Resource: arn(name),
        ...changes,
      },
    })

  it('replace everything that was there, and have their effect', async () => {
    const name = await create()
    await permit(name, { StatementId: 'before', Principal: '333333333333' })
    const put = await lambda.send(new PutResourcePolicyCommand({ ResourceArn: arn(name), Policy: policy(name) }))
    expect(lambda.last().status).toBe(200)
    const read = await lambda.send(new GetResourcePolicyCommand({ ResourceArn: arn(name) }))
    expect(read).toMatchObject({ Policy: put.Policy, RevisionId: put.RevisionId })
    expect(JSON.parse(read.Policy ?? '').Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(['all'])
    await other.send(new GetFunctionCommand({ FunctionName: arn(name) }))
    await expect(
      lambda.send(new DeleteResourcePolicyCommand({ ResourceArn: arn(name), RevisionId: revision })),
    ).rejects.toMatchObject({ name: 'PreconditionFailedException' })
    await lambda.send(new DeleteResourcePolicyCommand({ ResourceArn: arn(name), RevisionId: read.RevisionId }))
    expect(lambda.last().status).toBe(204)
    await expect(lambda.send(new GetResourcePolicyCommand({ ResourceArn: arn(name) }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(other.send(new GetFunctionCommand({ FunctionName: arn(name) }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })

  it('are refused where they could not be honoured', async () => {
    const name = await create()
    for (const [changes, why] of [
      [{ Effect: 'Deny' }, /Effect must be "Allow"/],
      [{ NotPrincipal: '*' }, /NotPrincipal, which is not supported/],
      [{ Action: 's3:GetObject' }, /an Action must be lambda/],
      [{ Resource: arn('another') }, /each Resource must be/],
      [{ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }, /operator IpAddress is not supported/],
      [{ Principal: 7 }, /a Principal must be an object/],
    ] as const) {
      const Policy = policy(name, changes)
      await expect(lambda.send(new PutResourcePolicyCommand({ ResourceArn: arn(name), Policy }))).rejects.toMatchObject(
        { name: 'InvalidParameterValueException', message: expect.stringMatching(why) },
      )
    }
    await expect(
      lambda.send(new PutResourcePolicyCommand({ ResourceArn: arn(name), Policy: '{' })),
    ).rejects.toMatchObject({ message: 'The policy is invalid: it is not JSON.' })
  })
})

/** How each recorded error is provoked; the strings replace the placeholders of the recording. */
type Provocation = () => Promise<{ sent: Promise<unknown>; is?: Record<string, string> }>

const provoked = (sent: Promise<unknown>, is: Record<string, string> = {}) => Promise.resolve({ sent, is })
const withLayers =
  (layers: (name: string) => string[]): Provocation =>
  async () => {
    const name = await publishLayer()
    await publishLayer(name)
    return provoked(create({ Layers: layers(name) }), { '<resource:1>': name })
  }
const onFunction =
  (send: (name: string) => Promise<unknown>): Provocation =>
  async () => {
    const name = await create()
    return provoked(send(name), { '<function-name>': name })
  }
const onLayer =
  (send: (name: string) => Promise<unknown>): Provocation =>
  async () => {
    const name = await publishLayer()
    return provoked(send(name), { '<resource:1>': name })
  }

const provocations: Readonly<Record<string, Provocation>> = {
  'test_layer_function_quota_exception / create_function_with_six_layers': withLayers((name) =>
    Array.from({ length: 6 }, (_, i) => layerArn(`${name}${i}:1`)),
  ),
  'test_layer_exceptions / get_layer_version_exc_layer_version_doesnotexist_negative': onLayer((LayerName) =>
    lambda.send(new GetLayerVersionCommand({ LayerName, VersionNumber: -1 })),
  ),
  'test_layer_function_exceptions / add_nonexistent_layer_version_exc': withLayers((name) => [layerArn(`${name}:9`)]),
  'test_layer_function_exceptions / add_nonexistent_layer_exc': withLayers(() => [layerArn('doesnotexist:1')]),
  'test_layer_function_exceptions / create_function_with_layer_in_different_region': withLayers((name) => [
    layerArn(`${name}:1`).replace('us-east-1', 'eu-west-1'),
  ]),
  'test_layer_function_exceptions / two_identical_layer_versions_single_function_exc': withLayers((name) => [
    layerArn(`${name}:1`),
    layerArn(`${name}:1`),
  ]),
  'test_layer_function_exceptions / two_layer_versions_single_function_exc': withLayers((name) => [
    layerArn(`${name}:1`),
    layerArn(`${name}:2`),
  ]),
  'test_layer_function_exceptions / add_layer_arn_without_version_exc': withLayers((name) => [layerArn(name)]),
  'test_permission_exceptions / add_permission_principal_invalid': onFunction((name) =>
    permit(name, { Principal: 'invalid.nonaws.com' }),
  ),
  'test_permission_exceptions / add_permission_fn_qualifier_latest': onFunction((name) =>
    permit(name, { Qualifier: '$LATEST' }),
  ),
  'test_permission_exceptions / add_permission_conflicting_statement_id': onFunction(async (name) => {
    await permit(name, { StatementId: 's3' })
    return permit(name, { StatementId: 's3' })
  }),
  'test_permission_exceptions / add_permission_fn_alias_doesnotexist': onFunction((name) =>
    permit(name, { Qualifier: 'alias-doesnotexist' }),
  ),
  'test_permission_exceptions / add_permission_fn_version_doesnotexist': onFunction((name) =>
    permit(name, { Qualifier: '42' }),
  ),
  'test_permission_exceptions / add_permission_fn_qualifier_valid_doesnotexist': onFunction((name) =>
    permit(name, { Qualifier: 'valid-with-$-but-doesnotexist' }),
  ),
  'test_permission_exceptions / add_permission_fn_qualifier_invalid': onFunction((name) =>
    permit(name, { Qualifier: 'invalid-qualifier-with-?-char' }),
  ),
  'test_permission_exceptions / add_permission_invalid_statement_id': onFunction((name) =>
    permit(name, { StatementId: 'example.com' }),
  ),
  'test_permission_exceptions / remove_permission_fn_doesnotexist': () =>
    provoked(lambda.send(new RemovePermissionCommand({ FunctionName: 'doesnotexist', StatementId: 's1' }))),
  'test_permission_exceptions / remove_permission_policy_doesnotexist': onFunction((FunctionName) =>
    lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: 's1' })),
  ),
  'test_remove_multi_permissions / remove_permission_exception_nonexisting_sid': onFunction(async (FunctionName) => {
    await permit(FunctionName)
    return lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: 'non-existent' }))
  }),
  'test_lambda_permission_fn_versioning / add_permission_alias_revision_exception': onFunction(async (FunctionName) => {
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
    return permit(FunctionName, { Qualifier: 'live', RevisionId: 'wrong' })
  }),
  'test_layer_policy_exceptions / layer_permission_wrong_revision': onLayer((name) =>
    permitLayer(name, { RevisionId: 'wrong' }),
  ),
  'test_layer_policy_exceptions / layer_permission_duplicate_statement': onLayer(async (name) => {
    await permitLayer(name)
    return permitLayer(name)
  }),
  'test_layer_policy_exceptions / layer_permission_layername_doesnotexist_add': onLayer((name) =>
    permitLayer(`${name}-doesnotexist`),
  ),
  'test_layer_policy_exceptions / layer_permission_layerversion_doesnotexist_add': onLayer((name) =>
    permitLayer(name, { VersionNumber: 2 }),
  ),
  'test_layer_policy_exceptions / layer_permission_statementid_doesnotexist_remove': onLayer(async (LayerName) => {
    await permitLayer(LayerName)
    return lambda.send(
      new RemoveLayerVersionPermissionCommand({ LayerName, VersionNumber: 1, StatementId: 'doesnotexist' }),
    )
  }),
  'test_layer_policy_exceptions / layer_permission_action_invalid': onLayer((name) =>
    permitLayer(name, { Action: '*' }),
  ),
  'test_layer_exceptions / list_layers_exc_compatiblearchitecture_invalid': () =>
    provoked(lambda.send(new ListLayersCommand({ CompatibleArchitecture: 'archdoesnotexist' as 'arm64' }))),
  'test_layer_exceptions / list_layers_exc_compatibleruntime_invalid': () =>
    provoked(lambda.send(new ListLayersCommand({ CompatibleRuntime: 'runtimedoesnotexist' as Runtime }))),
  'test_layer_exceptions / get_layer_version_by_arn_exc_invalidarn': onLayer((name) =>
    lambda.send(new GetLayerVersionByArnCommand({ Arn: layerArn(name) })),
  ),
  'test_layer_exceptions / publish_layer_version_exc_partially_invalid_values': () =>
    provoked(
      publishLayer(undefined, {
        CompatibleRuntimes: ['invalidruntime', 'invalidruntime2', 'nodejs20.x'] as Runtime[],
        CompatibleArchitectures: ['invalidarch', 'x86_64'] as 'x86_64'[],
      }),
    ),
  'test_layer_exceptions / publish_layer_version_exc_invalid_runtime_arch': () =>
    provoked(
      publishLayer(undefined, {
        CompatibleRuntimes: ['invalidruntime'] as unknown as Runtime[],
        CompatibleArchitectures: ['invalidarch'] as unknown as 'x86_64'[],
      }),
    ),
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, { timeout: 60_000 }, async () => {
      const provoke = provocations[row.seenIn]
      if (provoke === undefined) throw new Error('no provocation for this recording')
      const { sent, is = {} } = await provoke()
      await expect(sent).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row, is)
    })
  }
})
