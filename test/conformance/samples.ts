/**
 * One call of each operation that ends with success, and what must be there before it. A branch that adds an operation adds its row: the
 * test fails for an operation without one.
 */
import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateAliasCommand,
  CreateCodeSigningConfigCommand,
  type LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  TagResourceCommand,
} from '@aws-sdk/client-lambda'
import { active, createFunction, ROLE, zipped } from '../support/functions.ts'

export interface Sample {
  /** By label of the operation's path. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object
}

const FILES = { 'index.js': 'exports.handler = async (event) => event' }
const zipFile = async () => Buffer.from(await zipped(FILES)).toString('base64')
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`

/** What the samples build on. */
export class SampleHost {
  readonly client: LambdaClient
  #names = 0

  constructor(client: LambdaClient) {
    this.client = client
  }

  newName(): string {
    return `sample-${++this.#names}`
  }

  /** A function with all that answers can show of one: environment, tags, reserved concurrency. */
  async function(): Promise<string> {
    const name = this.newName()
    await createFunction(this.client, name, FILES, {
      Description: 'a sample',
      Environment: { Variables: { KEY: 'value' } },
      Tags: { team: 'blue' },
    })
    return name
  }

  /** Version 1 of a layer. */
  async layer(): Promise<string> {
    const LayerName = this.newName()
    const Content = { ZipFile: await zipped({ 'nodejs/node_modules/l/index.js': 'exports.l = 1' }) }
    const CompatibleRuntimes = ['nodejs22.x' as const]
    await this.client.send(new PublishLayerVersionCommand({ LayerName, Content, CompatibleRuntimes, Description: 'd' }))
    return LayerName
  }

  /** A function with version 1 and the alias `live`. */
  async withAlias(): Promise<string> {
    const FunctionName = await this.function()
    await this.client.send(new PublishVersionCommand({ FunctionName }))
    await this.client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
    return FunctionName
  }
}

const PERMISSION = { StatementId: 's1', Action: 'lambda:InvokeFunction', Principal: '111111111111' }
const POLICY = (Resource: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 's1',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::111111111111:root' },
        Action: 'lambda:InvokeFunction',
        Resource,
      },
    ],
  })
const ofPermitted = async (host: SampleHost): Promise<Sample> => {
  const FunctionName = await host.function()
  await host.client.send(new AddPermissionCommand({ FunctionName, ...PERMISSION }))
  return { path: { FunctionName, StatementId: 's1', ResourceArn: arnOf(FunctionName) } }
}
const LAYER_PERMISSION = { StatementId: 's1', Action: 'lambda:GetLayerVersion', Principal: '*' }
const ofLayer = async (host: SampleHost): Promise<Sample> => {
  const LayerName = await host.layer()
  return { path: { LayerName, VersionNumber: '1', StatementId: 's1' } }
}
const ofSharedLayer = async (host: SampleHost): Promise<Sample> => {
  const sample = await ofLayer(host)
  const LayerName = sample.path?.LayerName
  await host.client.send(new AddLayerVersionPermissionCommand({ LayerName, VersionNumber: 1, ...LAYER_PERMISSION }))
  return sample
}
const ofFunction = async (host: SampleHost): Promise<Sample> => ({ path: { FunctionName: await host.function() } })
const ofAlias = async (host: SampleHost): Promise<Sample> => ({
  path: { FunctionName: await host.withAlias(), Name: 'live' },
})
const ofReserved = async (host: SampleHost): Promise<Sample> => {
  const FunctionName = await host.function()
  await host.client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 2 }))
  return { path: { FunctionName } }
}

const CODE_SIGNING = {
  Description: 'd',
  AllowedPublishers: {
    SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:/signing-profiles/sample/0000000001'],
  },
}
const ofCodeSigning = async (host: SampleHost) => {
  const { CodeSigningConfig } = await host.client.send(new CreateCodeSigningConfigCommand(CODE_SIGNING))
  return { path: { CodeSigningConfigArn: CodeSigningConfig?.CodeSigningConfigArn ?? '' } }
}
const ofSignedFunction = async (host: SampleHost) => {
  const [FunctionName, { path }] = [await host.function(), await ofCodeSigning(host)]
  await host.client.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, ...path }))
  return { path: { FunctionName, ...path } }
}

const EVENT_INVOKE = { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 120 }
const ofEventInvoke = async (host: SampleHost): Promise<Sample> => {
  const FunctionName = await host.function()
  await host.client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...EVENT_INVOKE }))
  return { path: { FunctionName } }
}
const ofProvisioned = async (host: SampleHost): Promise<Sample> => {
  const FunctionName = await host.withAlias()
  const provisioned = { FunctionName, Qualifier: 'live', ProvisionedConcurrentExecutions: 1 }
  await host.client.send(new PutProvisionedConcurrencyConfigCommand(provisioned))
  return { path: { FunctionName }, query: { Qualifier: 'live' } }
}

export const SAMPLES: Readonly<Record<string, (host: SampleHost) => Promise<Sample>>> = {
  AddLayerVersionPermission: async (host) => ({ ...(await ofLayer(host)), body: LAYER_PERMISSION }),
  AddPermission: async (host) => ({ ...(await ofFunction(host)), body: PERMISSION }),
  CreateAlias: async (host) => {
    const FunctionName = await host.function()
    await host.client.send(new PublishVersionCommand({ FunctionName }))
    return { path: { FunctionName }, body: { Name: 'live', FunctionVersion: '1', Description: 'd' } }
  },
  CreateCodeSigningConfig: () => Promise.resolve({ body: { ...CODE_SIGNING, Tags: { team: 'blue' } } }),
  CreateFunction: async (host) => ({
    body: {
      FunctionName: host.newName(),
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: await zipFile() },
      Environment: { Variables: { KEY: 'value' } },
      Tags: { team: 'blue' },
      Publish: true,
    },
  }),
  DeleteAlias: ofAlias,
  DeleteCodeSigningConfig: ofCodeSigning,
  DeleteFunctionCodeSigningConfig: ofSignedFunction,
  DeleteFunction: ofFunction,
  DeleteFunctionConcurrency: ofReserved,
  DeleteLayerVersion: ofLayer,
  DeleteResourcePolicy: ofPermitted,
  DeleteFunctionEventInvokeConfig: ofEventInvoke,
  DeleteProvisionedConcurrencyConfig: ofProvisioned,
  GetAccountSettings: () => Promise.resolve({}),
  GetAlias: ofAlias,
  GetFunction: ofReserved,
  GetCodeSigningConfig: ofCodeSigning,
  GetFunctionCodeSigningConfig: ofSignedFunction,
  GetFunctionConcurrency: ofReserved,
  GetFunctionConfiguration: ofFunction,
  GetLayerVersion: ofLayer,
  GetLayerVersionByArn: async (host) => ({
    query: { Arn: `arn:aws:lambda:us-east-1:000000000000:layer:${await host.layer()}:1` },
  }),
  GetLayerVersionPolicy: ofSharedLayer,
  GetPolicy: ofPermitted,
  GetFunctionEventInvokeConfig: ofEventInvoke,
  GetFunctionRecursionConfig: ofFunction,
  GetProvisionedConcurrencyConfig: ofProvisioned,
  GetResourcePolicy: ofPermitted,
  GetRuntimeManagementConfig: ofFunction,
  Invoke: async (host) => ({
    ...(await ofFunction(host)),
    headers: { 'X-Amz-Log-Type': 'Tail' },
    body: { hello: 'you' },
  }),
  InvokeAsync: async (host) => ({ ...(await ofFunction(host)), body: { hello: 'later' } }),
  ListAliases: async (host) => ({ path: { FunctionName: await host.withAlias() } }),
  ListCodeSigningConfigs: async (host) => {
    await ofCodeSigning(host)
    return {}
  },
  ListFunctionEventInvokeConfigs: ofEventInvoke,
  ListFunctionsByCodeSigningConfig: ofSignedFunction,
  ListFunctions: async (host) => {
    await host.function()
    return { query: { FunctionVersion: 'ALL', MaxItems: '10' } }
  },
  ListLayerVersions: ofLayer,
  ListLayers: async (host) => {
    await host.layer()
    return { query: { CompatibleRuntime: 'nodejs22.x' } }
  },
  ListTags: async (host) => ({ path: { Resource: arnOf(await host.function()) } }),
  ListVersionsByFunction: async (host) => ({ path: { FunctionName: await host.withAlias() } }),
  PublishLayerVersion: async (host) => ({
    path: { LayerName: host.newName() },
    body: {
      Content: { ZipFile: await zipFile() },
      CompatibleRuntimes: ['nodejs22.x'],
      CompatibleArchitectures: ['x86_64'],
      LicenseInfo: 'MIT',
    },
  }),
  PublishVersion: async (host) => ({ ...(await ofFunction(host)), body: { Description: 'first' } }),
  PutFunctionCodeSigningConfig: async (host) => ({
    ...(await ofFunction(host)),
    body: { CodeSigningConfigArn: (await ofCodeSigning(host)).path.CodeSigningConfigArn },
  }),
  PutFunctionConcurrency: async (host) => ({ ...(await ofFunction(host)), body: { ReservedConcurrentExecutions: 1 } }),
  PutFunctionEventInvokeConfig: async (host) => ({ ...(await ofFunction(host)), body: EVENT_INVOKE }),
  PutFunctionRecursionConfig: async (host) => ({ ...(await ofFunction(host)), body: { RecursiveLoop: 'Allow' } }),
  PutProvisionedConcurrencyConfig: async (host) => ({
    path: { FunctionName: await host.withAlias() },
    query: { Qualifier: '1' },
    body: { ProvisionedConcurrentExecutions: 1 },
  }),
  PutResourcePolicy: async (host) => {
    const ResourceArn = arnOf(await host.function())
    return { path: { ResourceArn }, body: { Policy: POLICY(ResourceArn) } }
  },
  PutRuntimeManagementConfig: async (host) => ({
    ...(await ofFunction(host)),
    body: { UpdateRuntimeOn: 'FunctionUpdate' },
  }),
  RemoveLayerVersionPermission: ofSharedLayer,
  RemovePermission: ofPermitted,
  TagResource: async (host) => ({ path: { Resource: arnOf(await host.function()) }, body: { Tags: { a: 'b' } } }),
  UntagResource: async (host) => {
    const Resource = arnOf(await host.function())
    await host.client.send(new TagResourceCommand({ Resource, Tags: { a: 'b' } }))
    return { path: { Resource }, query: { tagKeys: 'a' } }
  },
  UpdateAlias: async (host) => {
    const { path } = await ofAlias(host)
    const FunctionName = path?.FunctionName ?? ''
    return { path, body: { FunctionVersion: '$LATEST', Description: `of ${FunctionName}` } }
  },
  UpdateCodeSigningConfig: async (host) => ({
    ...(await ofCodeSigning(host)),
    body: { CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' } },
  }),
  UpdateFunctionCode: async (host) => ({
    ...(await ofFunction(host)),
    body: { ZipFile: Buffer.from(await zipped({ ...FILES, 'more.txt': 'more' })).toString('base64') },
  }),
  UpdateFunctionConfiguration: async (host) => {
    const FunctionName = await host.function()
    await active(host.client, FunctionName)
    return { path: { FunctionName }, body: { MemorySize: 256 } }
  },
  UpdateFunctionEventInvokeConfig: async (host) => ({
    ...(await ofEventInvoke(host)),
    body: { MaximumRetryAttempts: 0 },
  }),
  ListProvisionedConcurrencyConfigs: async (host) => {
    const sample = await ofProvisioned(host)
    return { ...sample, query: { List: 'ALL' } }
  },
}
