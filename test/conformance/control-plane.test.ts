import {
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  paginateListFunctions,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import observed from '../fixtures/observed-errors.json' with { type: 'json' }
import type { RawAnswer } from './control-plane-host.ts'
import { arn, controlPlane, ROLE, zip } from './control-plane-session.ts'
import { type DifferentText, expectRecorded } from './recorded-error.ts'

const { host, lambda, request, create } = await controlPlane()

async function publish(name: string, changes: { Timeout?: number } = {}): Promise<string> {
  if (Object.keys(changes).length > 0) {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ...changes }))
    await host.settled()
  }
  return (await lambda.send(new PublishVersionCommand({ FunctionName: name }))).Version ?? ''
}

/** The last answer's JSON, with what differs from run to run replaced. */
function answered(): unknown {
  const text = JSON.stringify(json(lambda.last()))
    .replace(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, '"<uuid>"')
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"/g, '"<date>"')
    .replace(/runtime:[0-9a-f]{64}/g, 'runtime:<hash>')
  return JSON.parse(text)
}

const json = (answer: RawAnswer) => JSON.parse(answer.body) as Record<string, unknown>

/** Recorded shape of a function's configuration; lists show it without `states`. */
const configuration = (name: string, changes: object = {}) => ({
  FunctionName: name,
  FunctionArn: arn(name),
  Runtime: 'python3.12',
  Role: ROLE,
  Handler: 'handler.handler',
  CodeSize: 3,
  Description: '',
  Timeout: 3,
  MemorySize: 128,
  LastModified: '<date>',
  CodeSha256: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  Version: '$LATEST',
  TracingConfig: { Mode: 'PassThrough' },
  RevisionId: '<uuid>',
  PackageType: 'Zip',
  Architectures: ['x86_64'],
  EphemeralStorage: { Size: 512 },
  SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
  ...changes,
})
const versionConfig = { RuntimeVersionConfig: { RuntimeVersionArn: 'arn:aws:lambda:us-east-1::runtime:<hash>' } }
const pending = {
  ...versionConfig,
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
}
const active = { ...versionConfig, State: 'Active', LastUpdateStatus: 'Successful' }

describe('recorded answers', () => {
  it('CreateFunction answers 201 with a Pending function that becomes Active', async () => {
    const input = request()
    const name = input.FunctionName ?? ''
    await lambda.send(new CreateFunctionCommand(input))
    expect(lambda.last().status).toBe(201)
    expect(answered()).toEqual(configuration(name, pending))
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: name })
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(answered()).toEqual(configuration(name, active))
  })

  it('every answer carries a request id and no null', async () => {
    await create()
    await lambda.send(new ListFunctionsCommand({}))
    expect(lambda.last().headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/)
    expect(lambda.last().headers['content-type']).toBe('application/json')
    expect(lambda.last().body).not.toContain('null')
  })

  it('CreateFunction keeps every supported setting', async () => {
    const settings = {
      Description: 'd',
      Timeout: 900,
      MemorySize: 10_240,
      EphemeralStorage: { Size: 10_240 },
      Environment: { Variables: { KEY_A: 'ä', KEY_B: '' } },
      LoggingConfig: { LogFormat: 'Text', LogGroup: 'my/group' },
    } as const
    const name = await create({
      ...settings,
      Architectures: ['x86_64'],
      Tags: { a: 'b' },
      TracingConfig: { Mode: 'PassThrough' },
    })
    await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(answered()).toMatchObject({ Configuration: settings, Tags: { a: 'b' } })
  })

  it('Environment is there only when the request had it, also when it is empty', async () => {
    const name = await create({ Environment: {} })
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(answered()).toMatchObject({ Environment: { Variables: {} } })
  })

  it('CreateFunction with Publish answers version 1 with the unqualified ARN', async () => {
    const input = request({ Publish: true })
    const name = input.FunctionName ?? ''
    await lambda.send(new CreateFunctionCommand(input))
    expect(answered()).toEqual(configuration(name, { ...pending, Version: '1' }))
    await host.settled()
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: '1' }))
    expect(answered()).toEqual(configuration(name, { ...active, Version: '1', FunctionArn: arn(`${name}:1`) }))
  })

  it('GetFunction repeats the qualifier that was asked for in the ARN', async () => {
    const name = await create()
    await publish(name)
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'live', FunctionVersion: '1' }))
    const asked = async (FunctionName: string, Qualifier?: string) => {
      const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier }))
      return [Configuration?.FunctionArn, Configuration?.Version]
    }
    expect(await asked(name)).toEqual([arn(name), '$LATEST'])
    expect(await asked(name, '$LATEST')).toEqual([arn(`${name}:$LATEST`), '$LATEST'])
    expect(await asked(name, '1')).toEqual([arn(`${name}:1`), '1'])
    expect(await asked(`${name}:live`)).toEqual([arn(`${name}:live`), '1'])
    expect(await asked(arn(`${name}:live`), 'live')).toEqual([arn(`${name}:live`), '1'])
    expect(await asked(`111111111111:function:${name}`)).toEqual([arn(name), '$LATEST'])
  })

  it('GetFunction shows tags and concurrency only when there are some', async () => {
    const name = await create()
    await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(Object.keys(json(lambda.last())).sort()).toEqual(['Code', 'Configuration'])
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }))
    await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(answered()).toMatchObject({ Concurrency: { ReservedConcurrentExecutions: 0 } })
  })

  it('Code.Location gives the uploaded zip, for ten minutes and to nobody who changed it', async () => {
    const name = await create({ Code: { ZipFile: zip('location') } })
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(Code?.RepositoryType).toBe('S3')
    const location = Code?.Location ?? ''
    const download = await fetch(location)
    expect(download.status).toBe(200)
    expect(Buffer.from(await download.arrayBuffer()).toString()).toBe('PKlocation')
    expect((await fetch(location.replace(/expires=\d+/, 'expires=99999999999'))).status).toBe(403)
    expect((await fetch(location.replace(/code\/./, 'code/0').replace(/code\/0(.)/, 'code/0$1'))).status).toBeOneOf([
      200, 403,
    ])
    expect((await fetch(location.replace(/signature=.*/, ''))).status).toBe(403)
    host.advance(601_000)
    expect((await fetch(location)).status).toBe(403)
  })

  it('UpdateFunctionConfiguration changes what is supplied and goes through InProgress', async () => {
    const name = await create({ Environment: { Variables: { KEY_A: '1' } } })
    const release = host.images.hold()
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        MemorySize: 256,
        Environment: { Variables: { KEY_B: '2' } },
      }),
    )
    expect(answered()).toEqual(
      configuration(name, {
        ...versionConfig,
        MemorySize: 256,
        Environment: { Variables: { KEY_B: '2' } },
        State: 'Active',
        LastUpdateStatus: 'InProgress',
        LastUpdateStatusReason: 'The function is being created.',
        LastUpdateStatusReasonCode: 'Creating',
      }),
    )
    release()
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: name })
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: name }))
    expect(Configuration).toMatchObject({ MemorySize: 256, Timeout: 3, Environment: { Variables: { KEY_B: '2' } } })
  })

  it('UpdateFunctionCode with Publish answers the new version in state Pending', async () => {
    const name = await create()
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip('v2'), Publish: true }))
    expect(answered()).toEqual(
      configuration(name, { ...pending, Version: '1', FunctionArn: arn(`${name}:1`), CodeSize: 4 }),
    )
    await host.settled()
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: '1' }))
    expect(answered()).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful', CodeSize: 4 })
  })

  it('UpdateFunctionCode with DryRun changes nothing', async () => {
    const name = await create()
    const before = (await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration
    const dry = await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip('dry'), DryRun: true }),
    )
    expect(dry.CodeSha256).not.toBe(before?.CodeSha256)
    const outdated = { FunctionName: name, ZipFile: zip('dry'), DryRun: true, RevisionId: 'another' }
    await expect(lambda.send(new UpdateFunctionCodeCommand(outdated))).rejects.toMatchObject({
      name: 'PreconditionFailedException',
    })
    expect((await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration).toEqual(before)
  })

  it('RevisionId changes with every mutation and every transition', async () => {
    const seen = new Set<string | undefined>()
    const created = await lambda.send(new CreateFunctionCommand(request()))
    const name = created.FunctionName ?? ''
    const current = async () =>
      (await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration?.RevisionId
    seen.add(created.RevisionId)
    await host.settled()
    seen.add(await current())
    const updated = await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 4, RevisionId: await current() }),
    )
    seen.add(updated.RevisionId)
    await host.settled()
    seen.add(await current())
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    seen.add(await current())
    await lambda.send(new TagResourceCommand({ Resource: arn(name), Tags: { a: 'b' } }))
    seen.add(await current())
    expect(seen.size).toBe(6)
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'live', FunctionVersion: '1' }))
    expect(seen.has(await current())).toBe(true)
  })

  it('PublishVersion answers 201 with the qualified ARN, and the same version when nothing changed', async () => {
    const name = await create()
    await lambda.send(new PublishVersionCommand({ FunctionName: name, Description: 'first' }))
    expect(lambda.last().status).toBe(201)
    const first = configuration(name, { ...active, Version: '1', FunctionArn: arn(`${name}:1`), Description: 'first' })
    expect(answered()).toEqual(first)
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    expect(lambda.last().status).toBe(201)
    expect(answered()).toEqual(first)
    expect(await publish(name, { Timeout: 8 })).toBe('2')
  })

  it('ListVersionsByFunction lists $LATEST first and all with qualified ARNs', async () => {
    const name = await create()
    await publish(name)
    await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: name }))
    expect(answered()).toEqual({
      Versions: [
        configuration(name, { FunctionArn: arn(`${name}:$LATEST`) }),
        configuration(name, { FunctionArn: arn(`${name}:1`), Version: '1' }),
      ],
    })
  })

  it('ListFunctions pages through the functions of the caller, without states', async () => {
    const own = host.client({ region: 'eu-west-1' })
    const created: string[] = []
    for (let i = 0; i < 5; i++) {
      const { FunctionName } = await own.send(new CreateFunctionCommand(request()))
      created.push(FunctionName ?? '')
    }
    await host.settled()
    await own.send(new PublishVersionCommand({ FunctionName: created[0] }))
    const seen: (string | undefined)[] = []
    let pages = 0
    for await (const page of paginateListFunctions({ client: own, pageSize: 2 }, {})) {
      pages++
      seen.push(...(page.Functions ?? []).map(({ FunctionName }) => FunctionName))
    }
    expect(seen).toEqual([...created].sort())
    expect(pages).toBe(3)
    const { Functions } = await own.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }))
    expect(Functions).toHaveLength(6)
    expect(Functions?.every(({ FunctionArn }) => /:(\$LATEST|1)$/.test(FunctionArn ?? ''))).toBe(true)
    expect(Functions?.[0]).not.toHaveProperty('State')
    await expect(own.send(new ListFunctionsCommand({ MasterRegion: 'us-east-1' }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'MasterRegion selects replicas of Lambda@Edge, which Hearth does not have. Leave it out.',
    })
  })

  it('aliases are created, read, changed, listed and deleted', async () => {
    const name = await create()
    await publish(name)
    await publish(name, { Timeout: 7 })
    await lambda.send(
      new CreateAliasCommand({
        FunctionName: name,
        Name: 'live',
        FunctionVersion: '1',
        RoutingConfig: { AdditionalVersionWeights: { '2': 0.25 } },
      }),
    )
    expect(lambda.last().status).toBe(201)
    const alias = {
      AliasArn: arn(`${name}:live`),
      Name: 'live',
      FunctionVersion: '1',
      Description: '',
      RoutingConfig: { AdditionalVersionWeights: { '2': 0.25 } },
      RevisionId: '<uuid>',
    }
    expect(answered()).toEqual(alias)
    await lambda.send(new GetAliasCommand({ FunctionName: name, Name: 'live' }))
    expect(answered()).toEqual(alias)
    await lambda.send(
      new UpdateAliasCommand({ FunctionName: name, Name: 'live', RoutingConfig: { AdditionalVersionWeights: {} } }),
    )
    const { RoutingConfig: _routing, ...plain } = alias
    expect(answered()).toEqual(plain)
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'a', FunctionVersion: '$LATEST' }))
    const { Aliases } = await lambda.send(new ListAliasesCommand({ FunctionName: name }))
    expect(Aliases?.map(({ Name }) => Name)).toEqual(['a', 'live'])
    const { Aliases: ones } = await lambda.send(new ListAliasesCommand({ FunctionName: name, FunctionVersion: '1' }))
    expect(ones?.map(({ Name }) => Name)).toEqual(['live'])
    for (const Name of ['live', 'live', 'never-existed']) {
      await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name }))
      expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    }
  })

  it('reserved concurrency is put, read and deleted, and leaves the account that much less', async () => {
    const client = host.client({ region: 'ap-south-1' })
    const input = request()
    await client.send(new CreateFunctionCommand(input))
    const FunctionName = input.FunctionName ?? ''
    await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))
    expect(json(client.last())).toEqual({})
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 900 }))
    expect(json(client.last())).toEqual({ ReservedConcurrentExecutions: 900 })
    await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))
    expect(json(client.last())).toEqual({ ReservedConcurrentExecutions: 900 })
    await client.send(new GetAccountSettingsCommand({}))
    expect(json(client.last())).toEqual({
      AccountLimit: {
        TotalCodeSize: 322122547200,
        CodeSizeUnzipped: 262144000,
        CodeSizeZipped: 52428800,
        ConcurrentExecutions: 1000,
        UnreservedConcurrentExecutions: 100,
      },
      AccountUsage: { TotalCodeSize: 3, FunctionCount: 1 },
    })
    for (let i = 0; i < 2; i++) {
      await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
      expect(client.last()).toMatchObject({ status: 204, body: '' })
    }
  })

  it('tags are added, listed and removed', async () => {
    const name = await create({ Tags: { a: '1' } })
    await lambda.send(new TagResourceCommand({ Resource: arn(name), Tags: { b: '2', c: '3' } }))
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await lambda.send(new UntagResourceCommand({ Resource: arn(name), TagKeys: ['a', 'c', 'never'] }))
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await lambda.send(new ListTagsCommand({ Resource: arn(name) }))
    expect(json(lambda.last())).toEqual({ Tags: { b: '2' } })
    await lambda.send(new UntagResourceCommand({ Resource: arn(name), TagKeys: ['b'] }))
    await lambda.send(new ListTagsCommand({ Resource: arn(name) }))
    expect(json(lambda.last())).toEqual({ Tags: {} })
  })

  it('DeleteFunction answers 204 and takes versions one by one or everything at once', async () => {
    const name = await create({ Publish: true })
    for (const Qualifier of ['1', '1221']) {
      await lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier }))
      expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    }
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await create({ FunctionName: name })
    expect(await publish(name)).toBe('2')
  })

  it('answers what tools ask beside: no code signing, runtimes updated automatically', async () => {
    const name = await create()
    await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: name }))
    expect(json(lambda.last())).toEqual({})
    await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName: name }))
    expect(json(lambda.last())).toEqual({ UpdateRuntimeOn: 'Auto', FunctionArn: arn(name) })
  })

  it('keeps accounts and regions apart', async () => {
    const name = await create()
    const other = host.client({ credentials: { accessKeyId: 'AKIDOFTWO', secretAccessKey: 'x' } })
    await expect(other.send(new GetFunctionCommand({ FunctionName: name }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: arn:aws:lambda:us-east-1:222222222222:function:${name}`,
    })
    await expect(other.send(new GetFunctionCommand({ FunctionName: arn(name) }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })
})

describe('functions that cannot be made ready', () => {
  it('end as Failed with the reason, and an update repairs them', async () => {
    host.images.failure = new Error('no space left on device')
    const name = await create()
    host.images.failure = undefined
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(answered()).toMatchObject({
      State: 'Failed',
      StateReason: 'The image of the runtime python3.12 could not be prepared: no space left on device',
      StateReasonCode: 'InternalError',
    })
    expect(host.logged.at(-1)?.message).toBe('a function could not be made ready')
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip('again') }))
    await host.settled()
    await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    expect(answered()).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' })
  })

  it('are refused at once when the host does not offer the runtime', async () => {
    host.images.unavailable = 'The runtime python3.12 is not available on this host. Available: nodejs22.x.'
    await expect(lambda.send(new CreateFunctionCommand(request()))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'The runtime python3.12 is not available on this host. Available: nodejs22.x.',
    })
    host.images.unavailable = undefined
  })
})

describe('settings that Hearth cannot honour', () => {
  const refusals: [string, Partial<CreateFunctionCommandInput>][] = [
    ['VpcConfig Ipv6AllowedForDualStack', { VpcConfig: { Ipv6AllowedForDualStack: true } }],
    [
      'FileSystemConfigs with an S3 Files access point',
      {
        FileSystemConfigs: [
          {
            Arn: `arn:aws:s3files:us-east-1:111111111111:file-system/fs-${'0'.repeat(17)}/access-point/fsap-${'0'.repeat(17)}`,
            LocalMountPath: '/mnt/a',
          },
        ],
      },
    ],
    ['SnapStart ApplyOn PublishedVersions', { SnapStart: { ApplyOn: 'PublishedVersions' } }],
    ['PublishTo', { PublishTo: 'LATEST_PUBLISHED' }],
    ['TenancyConfig', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }],
    ['DurableConfig', { DurableConfig: { ExecutionTimeout: 60 } }],
    ['S3ObjectStorageMode REFERENCE', { Code: { S3Bucket: 'bucket', S3Key: 'key', S3ObjectStorageMode: 'REFERENCE' } }],
  ]
  for (const [setting, input] of refusals) {
    it(`are refused by name: ${setting}`, async () => {
      const given = request(input)
      await expect(lambda.send(new CreateFunctionCommand(given))).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: expect.stringMatching(new RegExp(`^${setting} is not supported by Hearth(?: yet\\.|: .+\\.)$`)),
      })
      await expect(lambda.send(new GetFunctionCommand({ FunctionName: given.FunctionName }))).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      })
    })
  }

  it('are accepted where they say "none"', async () => {
    await create({
      Layers: [],
      VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
      DeadLetterConfig: { TargetArn: '' },
      KMSKeyArn: '',
      FileSystemConfigs: [],
      SnapStart: { ApplyOn: 'None' },
      TracingConfig: { Mode: 'PassThrough' },
      LoggingConfig: { LogFormat: 'Text' },
      ImageConfig: {},
    })
  })

  it("say which architecture's code the host can run", async () => {
    await expect(lambda.send(new CreateFunctionCommand(request({ Architectures: ['arm64'] })))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(/arm64 cannot run on this host: its container engine runs x86_64/),
    })
  })

  it('include whole operations, named in the answer', async () => {
    const FunctionName = await create()
    await expect(
      lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' })),
    ).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringMatching(/^CreateFunctionUrlConfig: Function URLs are not supported by Hearth yet/),
    })
  })
})

/** How each recorded error is provoked; the strings replace the placeholders of the recording. */
type Provocation = () => Promise<{ sent: Promise<unknown>; is?: Record<string, string> }>

const provoked = (sent: Promise<unknown>, is: Record<string, string> = {}) => Promise.resolve({ sent, is })
const creation =
  (changes: Partial<CreateFunctionCommandInput>): Provocation =>
  () =>
    provoked(lambda.send(new CreateFunctionCommand(request(changes))))
const aliasWith =
  (weights: Record<string, number>, FunctionVersion = '1'): Provocation =>
  async () => {
    const name = await create()
    await publish(name)
    await publish(name, { Timeout: 9 })
    return provoked(
      lambda.send(
        new CreateAliasCommand({
          FunctionName: name,
          Name: 'custom',
          FunctionVersion,
          RoutingConfig: { AdditionalVersionWeights: weights },
        }),
      ),
    )
  }
const tagging =
  (Resource: string, is: Record<string, string> = {}): Provocation =>
  () =>
    provoked(lambda.send(new TagResourceCommand({ Resource, Tags: { a: 'b' } })), is)
const lambdaArn = (rest: string) => `arn:aws:lambda:us-east-1:111111111111:${rest}`
const UUID = '00000000-0000-0000-0000-000000000000'
const A65 = 'a'.repeat(65)

const provocations: Record<string, Provocation> = {
  'test_function_arns / function_arn_other_account_exc': creation({
    FunctionName: 'arn:aws:lambda:us-east-1:999999999999:function:f',
  }),
  'test_notfound_and_invalid_routingconfigs / target_version_exc_version_latest': aliasWith({ '1': 0.5 }, '$LATEST'),
  'test_ops_with_arn_qualifier_mismatch[delete_function] / match_exception': () =>
    provoked(
      lambda.send(new DeleteFunctionCommand({ FunctionName: arn('some-function:$LATEST'), Qualifier: '$LATEST' })),
    ),
  'test_function_arns / long_function_name_exc': creation({ FunctionName: A65 }),
  'test_tag_exceptions / tag_empty_tags': async () => {
    const name = await create()
    return provoked(lambda.send(new TagResourceCommand({ Resource: arn(name), Tags: {} })))
  },
  'test_publish_with_wrong_sha256 / publish_wrong_sha256_exc': async () => {
    const name = await create()
    const { CodeSha256 = '' } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    return provoked(
      lambda.send(new PublishVersionCommand({ FunctionName: name, CodeSha256: 'somenonexistentsha256' })),
      { '<code-sha256:1>': CodeSha256 },
    )
  },
  'test_create_lambda_exceptions / invalid_zip_exc': creation({ Code: { ZipFile: Buffer.from('this is no zip') } }),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_sameversion': aliasWith({ '1': 0.5 }),
  'test_large_environment_variables_fails / failed_create_fn_result': () =>
    provoked(
      lambda.send(new CreateFunctionCommand(request({ Environment: { Variables: { LARGE_VAR: 'x'.repeat(4081) } } }))),
      { '<x:len(4081)>': 'x'.repeat(4081) },
    ),
  'test_large_environment_fails_multiple_keys / failured_create_fn_result_multi_key': () =>
    provoked(
      lambda.send(
        new CreateFunctionCommand(
          request({ Environment: { Variables: { SMALL_VAR: 'ok', LARGE_VAR: 'x'.repeat(4064) } } }),
        ),
      ),
      { '<x:len(4064)>': 'x'.repeat(4064) },
    ),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_toomany': aliasWith({ '1': 0.2, '2': 0.2 }),
  'test_tag_limits / tag_lambda_too_many_tags': async () => {
    const name = await create()
    const Tags = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a_key_${i}`, 'v']))
    return provoked(lambda.send(new TagResourceCommand({ Resource: arn(name), Tags })))
  },
  'test_lambda_zip_file_to_image / zipfile-to-image-error': async () => {
    const name = await create()
    return provoked(lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: 'repository:tag' })))
  },
  'test_function_concurrency_limits / put_function_concurrency_account_limit_exceeded': async () => {
    const name = await create()
    return provoked(
      lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 901 })),
      { '<min_unreserved_concurrency>': '100' },
    )
  },
  'test_tag_exceptions / tag_lambda_qualifier_doesnotexist': tagging(arn('f:v1')),
  'test_ops_with_arn_qualifier_mismatch[delete_function] / not_match_exception': () =>
    provoked(lambda.send(new DeleteFunctionCommand({ FunctionName: arn('some-function:1'), Qualifier: '2' }))),
  'test_function_concurrency_exceptions / put_function_concurrency_with_qualified_arn': async () => {
    const name = await create()
    return provoked(
      lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName: arn(`${name}:1`), ReservedConcurrentExecutions: 1 }),
      ),
    )
  },
  'test_create_lambda_exceptions / uppercase_runtime_exc': creation({ Runtime: 'PYTHON3.9' as 'python3.9' }),
  'test_create_lambda_exceptions / invalid_runtime_exc': creation({ Runtime: 'non-existent-runtime' as 'python3.9' }),
  'test_publish_with_wrong_revisionid / publish_wrong_revisionid_exc': async () => {
    const name = await create()
    return provoked(lambda.send(new PublishVersionCommand({ FunctionName: name, RevisionId: 'doesnotexist' })))
  },
  'test_oversized_request_create_lambda / invalid_param_exc': creation({ Code: { ZipFile: Buffer.alloc(53_000_000) } }),
  'test_oversized_zipped_create_lambda / invalid_param_exc': creation({ Code: { ZipFile: Buffer.alloc(52_428_801) } }),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_already_exist': async () => {
    const name = await create()
    const alias = new CreateAliasCommand({ FunctionName: name, Name: 'custom', FunctionVersion: await publish(name) })
    await lambda.send(alias)
    return provoked(lambda.send(alias), { '<function-name:1>': name })
  },
  'test_lambda_concurrent_code_updates / update-during-in-progress-update-exc': async () => {
    const name = await create()
    const release = host.images.hold()
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip('b') }))
    const sent = lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip('c') }))
    await sent.catch(() => {})
    release()
    await host.settled()
    return provoked(sent, { '<function-name:1>': name })
  },
  'test_non_existent_alias_update / update_alias_response': async () => {
    const name = await create()
    return provoked(
      lambda.send(new UpdateAliasCommand({ FunctionName: name, Name: 'non-existent', Description: 'd' })),
      { '<function-name:1>': name },
    )
  },
  'test_notfound_and_invalid_routingconfigs / alias_does_not_exist_esc': async () => {
    const name = await create()
    return provoked(lambda.send(new GetAliasCommand({ FunctionName: name, Name: 'non-existent' })), {
      '<function-name:1>': name,
    })
  },
  'test_tag_exceptions[capacity_provider] / not_found_exception_tag': tagging(lambdaArn('capacity-provider:c'), {
    '<resource-name>': 'c',
  }),
  'test_tag_exceptions[event_source_mapping] / not_found_exception_tag': tagging(
    lambdaArn(`event-source-mapping:${UUID}`),
    { '<resource-name>': UUID },
  ),
  'test_delete_on_nonexisting_version / delete_function_response_non_existent': () =>
    provoked(lambda.send(new DeleteFunctionCommand({ FunctionName: 'nope', Qualifier: '1' })), { '<fn-name>': 'nope' }),
  'test_ops_on_nonexisting_version[get_function] / version_not_found_exception': async () => {
    const name = await create()
    return provoked(lambda.send(new GetFunctionCommand({ FunctionName: name, Qualifier: '1221' })), {
      '<fn-name>': name,
    })
  },
  'test_function_lifecycle / delete_postdelete': async () => {
    const name = await create()
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    return provoked(lambda.send(new DeleteFunctionCommand({ FunctionName: name })), { '<function-name:1>': name })
  },
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_fn_doesnotexist': () =>
    provoked(
      lambda.send(
        new CreateAliasCommand({
          FunctionName: 'nope-unknown',
          Name: 'custom',
          FunctionVersion: '1',
          RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } },
        }),
      ),
      { '<function-name:1>': 'nope' },
    ),
  'test_notfound_and_invalid_routingconfigs / target_version_doesnotexist': async () => {
    const name = await create()
    return provoked(
      lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'custom', FunctionVersion: '10' })),
      { '<function-name:1>': name },
    )
  },
  'test_alias_lifecycle / get_function_alias_notfound_exc': async () => {
    const name = await create()
    return provoked(lambda.send(new GetFunctionCommand({ FunctionName: name, Qualifier: 'aliasdoesnotexist' })), {
      '<function-name:1>': name,
    })
  },
  'test_ops_on_nonexisting_fn[delete_function] / not_found_exception': () =>
    provoked(lambda.send(new DeleteFunctionCommand({ FunctionName: 'nope' })), { '<nonexisting-fn-name>': 'nope' }),
  'test_tag_exceptions[lambda_function] / not_found_exception_tag': tagging(arn('nope'), { '<resource-name>': 'nope' }),
  'test_ops_with_arn_qualifier_mismatch[get_function] / match_exception': () =>
    provoked(lambda.send(new GetFunctionCommand({ FunctionName: arn('some-function:$LATEST'), Qualifier: '$LATEST' }))),
  'test_get_function_wrong_region[get_function] / wrong_region_exception': () =>
    provoked(
      lambda.send(new GetFunctionCommand({ FunctionName: 'arn:aws:lambda:eu-west-3:111111111111:function:f' })),
      { '<wrong-region>': 'eu-west-3' },
    ),
  'test_function_arns / function_arn_other_region_exc': creation({
    FunctionName: 'arn:aws:lambda:ap-southeast-1:111111111111:function:f',
  }),
  'test_alias_naming / create_alias_number_exception': async () => {
    const name = await create()
    return provoked(
      lambda.send(new CreateAliasCommand({ FunctionName: name, Name: '2024', FunctionVersion: '$LATEST' })),
    )
  },
  'test_invalid_vpc_config_security_group / create-response-invalid-format-security-group': () =>
    provoked(
      lambda.send(
        new CreateFunctionCommand(request({ VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['bad_group'] } })),
      ),
      { '<security_group_id_2>': 'bad_group' },
    ),
  'test_invalid_vpc_config_subnet / create-response-invalid-format-subnet-id': () =>
    provoked(
      lambda.send(
        new CreateFunctionCommand(request({ VpcConfig: { SubnetIds: ['bad_subnet'], SecurityGroupIds: ['sg-1'] } })),
      ),
      { '<subnet_id_2>': 'bad_subnet' },
    ),
  'test_invalid_vpc_config_security_group / create-response-non-existent-security-group': () =>
    provoked(
      lambda.send(
        new CreateFunctionCommand(request({ VpcConfig: { SubnetIds: ['subnet-0a'], SecurityGroupIds: ['sg-none'] } })),
      ),
      { '<security_group_id_1>': 'sg-none' },
    ),
  'test_invalid_vpc_config_subnet / create-response-non-existent-subnet-id': () =>
    provoked(
      lambda.send(
        new CreateFunctionCommand(request({ VpcConfig: { SubnetIds: ['subnet-none'], SecurityGroupIds: ['sg-0a'] } })),
      ),
      { '<subnet_id_1>': 'subnet-none' },
    ),
  'test_create_lambda_exceptions / uppercase_architecture': creation({ Architectures: ['X86_64' as 'x86_64'] }),
  'test_layer_function_exceptions / add_layer_arn_without_version_exc': () =>
    provoked(lambda.send(new CreateFunctionCommand(request({ Layers: [lambdaArn('layer:l')] }))), {
      '<resource:1>': 'l',
    }),
  'test_create_lambda_exceptions / multiple_architectures': creation({ Architectures: ['x86_64', 'arm64'] }),
  'test_tag_exceptions[capacity_provider] / aliased_arn_exception': tagging(lambdaArn('capacity-provider:c:alias'), {
    '<resource-name>': 'c',
  }),
  'test_tag_exceptions[event_source_mapping] / aliased_arn_exception': tagging(
    lambdaArn(`event-source-mapping:${UUID}:alias`),
    { '<resource-name>': UUID },
  ),
  'test_tag_exceptions[lambda_function] / invalid_arn_exception': tagging(lambdaArn('foobar:x'), {
    '<resource-name>': 'x',
  }),
  'test_function_arns / long_function_arn_exc': () =>
    provoked(lambda.send(new CreateFunctionCommand(request({ FunctionName: arn('a'.repeat(100)) }))), {
      '<function-name>': 'a'.repeat(100),
    }),
  'test_tag_exceptions / tag_lambda_invalidarn': tagging('arn:aws:something'),
  'test_list_functions / list_functions_invalid_functionversion': () =>
    provoked(lambda.send(new ListFunctionsCommand({ FunctionVersion: 'invalid' as 'ALL' }))),
  'test_function_arns / invalid_function_name_exc': creation({ FunctionName: 'invalid:function:name' }),
  'test_snapstart_exceptions / create_function_invalid_snapstart_apply': creation({
    SnapStart: { ApplyOn: 'invalidOption' as 'None' },
  }),
  'test_create_lambda_exceptions / invalid_role_arn_exc': creation({ Role: 'r1' }),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_version_latest': aliasWith({ $LATEST: 0.5 }),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_subzero': aliasWith({ '2': -1 }),
  'test_notfound_and_invalid_routingconfigs / routing_config_exc_toohigh': aliasWith({ '2': 2 }),
  'test_tag_exceptions / untag_empty_keys': async () => {
    const name = await create()
    return provoked(lambda.send(new UntagResourceCommand({ Resource: arn(name), TagKeys: [] })))
  },
  ...Object.fromEntries(
    ['dotnetcore3.1', 'go1.x', 'java8', 'nodejs12.x', 'nodejs14.x', 'provided', 'python3.7', 'ruby2.7'].map(
      (Runtime) => [
        `test_create_deprecated_function_runtime_with_validation_enabled[${Runtime}] / deprecation_error`,
        creation({ Runtime: Runtime as 'go1.x' }),
      ],
    ),
  ),
}

/** AWS repeats the variables, which its own model calls sensitive. */
const TOO_LARGE: DifferentText = {
  key: 'message',
  text: /^Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit\. String measured: 409\d bytes$/,
}

/** Where Hearth says something else than AWS did, and why. */
const DIFFERENT_TEXT: Readonly<Record<string, DifferentText>> = {
  'test_large_environment_variables_fails / failed_create_fn_result': TOO_LARGE,
  'test_large_environment_fails_multiple_keys / failured_create_fn_result_multi_key': TOO_LARGE,
  // The recording is an empty text; other denials of AWS say who may not do what, which helps.
  'test_function_arns / function_arn_other_account_exc': {
    key: 'Message',
    text: /^User: .* is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:999999999999:function:f /,
  },
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, { timeout: 60_000 }, async () => {
      const provoke = provocations[row.seenIn]
      if (provoke === undefined) throw new Error('no provocation for this recording')
      const { sent, is = {} } = await provoke()
      await expect(sent).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row, is, DIFFERENT_TEXT[row.seenIn])
    })
  }
})

describe('what reaches the host without an SDK', () => {
  it('takes paths with a trailing slash as older SDKs send them', async () => {
    for (const path of ['/2015-03-31/functions/', '/2016-08-19/account-settings/']) {
      expect((await fetch(host.url + path)).status).toBe(200)
    }
  })

  it('answers unknown paths and methods in the form of the API', async () => {
    const answer = await fetch(`${host.url}/nowhere`)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException')
    expect(await answer.json()).toEqual({
      Message: 'There is no operation GET /nowhere in the Lambda API 2015-03-31.',
    })
  })

  it('refuses bodies that are not JSON objects', async () => {
    for (const body of ['{', '[]', '"text"', 'null', '\xff']) {
      const answer = await fetch(`${host.url}/2015-03-31/functions`, { method: 'POST', body })
      expect(answer.status).toBe(400)
      expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidRequestContentException')
    }
  })

  it('names the member whose JSON has the wrong type', async () => {
    const answer = await fetch(`${host.url}/2015-03-31/functions`, {
      method: 'POST',
      body: JSON.stringify({ FunctionName: 'f', Role: ROLE, Code: {}, Timeout: '3' }),
    })
    expect(await answer.json()).toEqual({
      Type: 'User',
      message: 'Could not parse request body into json: timeout must be an integer',
    })
  })

  it('collects all violations of a request in one message', async () => {
    const answer = await fetch(`${host.url}/2015-03-31/functions`, {
      method: 'POST',
      body: JSON.stringify({ FunctionName: 'a!', Timeout: 0, MemorySize: 1 }),
    })
    expect(((await answer.json()) as { message: string }).message).toMatch(
      /^5 validation errors detected: Value '0' at 'timeout'/,
    )
  })

  it('bounds requests that change a configuration', async () => {
    const answer = await fetch(`${host.url}/2015-03-31/functions/f/configuration`, {
      method: 'PUT',
      body: JSON.stringify({ Description: 'x'.repeat(6000) }),
    })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toEqual({
      message: 'Request must be smaller than 5120 bytes for the UpdateFunctionConfiguration operation',
    })
  })

  it('hands invokes to the data plane with their caller', async () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=AKIDOFTWO/20260101/eu-central-1/lambda/aws4_request, SignedHeaders=host, Signature=0'
    const answer = await fetch(`${host.url}/2015-03-31/functions/${encodeURIComponent(arn('f:live'))}/invocations`, {
      method: 'POST',
      headers: { authorization },
      body: '{}',
    })
    expect(await answer.json()).toEqual({ invoked: arn('f:live'), account: '222222222222', region: 'eu-central-1' })
  })
})
