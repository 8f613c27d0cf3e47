/**
 * The calls that Terraform's AWS provider makes for a function with alias, concurrency, layer and permission: create, refresh, update,
 * refresh twice, destroy. A second refresh must show what the first one showed, or every plan would have something to change.
 */
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAliasCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetLayerVersionCommand,
  GetPolicyCommand,
  type LambdaClient,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  paginateListVersionsByFunction,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { OPERATIONS } from '../../src/api/operations/table.ts'
import { ROLE, zipped } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const has = (operation: string) => OPERATIONS.find(({ name }) => name === operation)?.refused === undefined
const LAYERS = has('PublishLayerVersion')
const PERMISSIONS = has('AddPermission')

const FunctionName = 'terraform'
const LayerName = 'terraform-layer'
const Alias = 'live'
const StatementId = 'AllowEvents'

/** What the resource blocks say. */
interface Desired {
  readonly code: string
  readonly memory: number
  readonly environment: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly concurrency: number
}

let host: TestHost
let client: LambdaClient
beforeAll(async () => {
  host = await startTestHost()
  client = host.client
})
afterAll(() => host?.stop())

const zip = (text: string) => zipped({ 'index.js': `exports.handler = async () => ${JSON.stringify(text)}` })
const waiting = () => ({ client, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.2 })

async function latestVersion(): Promise<string> {
  let latest = ''
  for await (const page of paginateListVersionsByFunction({ client }, { FunctionName, MaxItems: 10_000 })) {
    latest = page.Versions?.at(-1)?.Version ?? latest
  }
  return latest
}

/** What a refresh reads, without what changes with every reading. */
async function refresh(): Promise<object> {
  const { Configuration, Tags, Concurrency, Code } = await client.send(new GetFunctionCommand({ FunctionName }))
  const { $metadata: _1, ...signing } = await client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
  const { $metadata: _2, ...alias } = await client.send(new GetAliasCommand({ FunctionName, Name: Alias }))
  const { $metadata: _3, ...reserved } = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))
  const tags = await client.send(new ListTagsCommand({ Resource: Configuration?.FunctionArn }))
  const versions = await latestVersion()
  return {
    Configuration,
    Tags,
    Concurrency,
    repository: Code?.RepositoryType,
    signing,
    alias,
    reserved,
    tags: tags.Tags,
    versions,
    ...(LAYERS ? { layer: await layer() } : {}),
    ...(PERMISSIONS
      ? {
          policy: JSON.parse(
            (await client.send(new GetPolicyCommand({ FunctionName, Qualifier: Alias }))).Policy ?? '',
          ) as object,
        }
      : {}),
  }
}

async function layer(): Promise<object> {
  const {
    $metadata: _,
    Content,
    ...rest
  } = await client.send(new GetLayerVersionCommand({ LayerName, VersionNumber: 1 }))
  return { ...rest, sha: Content?.CodeSha256 }
}

async function create(desired: Desired): Promise<void> {
  const layers = LAYERS
    ? [
        (
          await client.send(
            new PublishLayerVersionCommand({
              LayerName,
              Content: { ZipFile: await zipped({ 'nodejs/node_modules/l/index.js': 'exports.l = 1' }) },
              CompatibleRuntimes: ['nodejs22.x'],
            }),
          )
        ).LayerVersionArn ?? '',
      ]
    : undefined
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Description: '',
      Role: ROLE,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      MemorySize: desired.memory,
      Timeout: 3,
      Publish: true,
      PackageType: 'Zip',
      Code: { ZipFile: await zip(desired.code) },
      Environment: { Variables: { ...desired.environment } },
      EphemeralStorage: { Size: 512 },
      TracingConfig: { Mode: 'PassThrough' },
      Tags: { ...desired.tags },
      Layers: layers,
    }),
  )
  await waitUntilFunctionActiveV2(waiting(), { FunctionName })
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: desired.concurrency }),
  )
  await client.send(
    new CreateAliasCommand({ FunctionName, Name: Alias, FunctionVersion: await latestVersion(), Description: '' }),
  )
  if (PERMISSIONS) {
    await client.send(
      new AddPermissionCommand({
        FunctionName,
        Qualifier: Alias,
        StatementId,
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: 'arn:aws:events:us-east-1:000000000000:rule/r',
      }),
    )
  }
}

async function update(desired: Desired, before: Desired): Promise<void> {
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }))
  const Resource = Configuration?.FunctionArn
  const gone = Object.keys(before.tags).filter((key) => desired.tags[key] === undefined)
  if (gone.length > 0) await client.send(new UntagResourceCommand({ Resource, TagKeys: gone }))
  await client.send(new TagResourceCommand({ Resource, Tags: { ...desired.tags } }))
  await client.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      MemorySize: desired.memory,
      Environment: { Variables: { ...desired.environment } },
    }),
  )
  await waitUntilFunctionUpdatedV2(waiting(), { FunctionName })
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zip(desired.code) }))
  await waitUntilFunctionUpdatedV2(waiting(), { FunctionName })
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: desired.concurrency }),
  )
  const { Version } = await client.send(new PublishVersionCommand({ FunctionName }))
  await waitUntilFunctionUpdatedV2(waiting(), { FunctionName, Qualifier: Version })
  await client.send(new UpdateAliasCommand({ FunctionName, Name: Alias, FunctionVersion: Version, Description: '' }))
}

async function destroy(): Promise<void> {
  if (PERMISSIONS) await client.send(new RemovePermissionCommand({ FunctionName, Qualifier: Alias, StatementId }))
  await client.send(new DeleteAliasCommand({ FunctionName, Name: Alias }))
  await client.send(new DeleteFunctionCommand({ FunctionName }))
  if (LAYERS) await client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }))
}

it('creates, refreshes, updates and destroys, with nothing to change on a second refresh', async () => {
  const first: Desired = {
    code: 'one',
    memory: 128,
    environment: { STAGE: 'a' },
    tags: { team: 'blue', old: 'x' },
    concurrency: 2,
  }
  const second: Desired = {
    code: 'two',
    memory: 256,
    environment: { STAGE: 'b' },
    tags: { team: 'red' },
    concurrency: 3,
  }
  const shows = (desired: Desired, version: string) => ({
    Configuration: {
      MemorySize: desired.memory,
      Environment: { Variables: desired.environment },
      State: 'Active',
      LastUpdateStatus: 'Successful',
    },
    Tags: desired.tags,
    tags: desired.tags,
    Concurrency: { ReservedConcurrentExecutions: desired.concurrency },
    reserved: { ReservedConcurrentExecutions: desired.concurrency },
    alias: { FunctionVersion: version },
    versions: version,
  })

  await create(first)
  const created = await refresh()
  expect(created).toMatchObject(shows(first, '1'))
  expect(await refresh()).toEqual(created)

  await update(second, first)
  const updated = await refresh()
  expect(updated).toMatchObject(shows(second, '2'))
  expect(await refresh()).toEqual(updated)

  await destroy()
  await expect(client.send(new GetFunctionCommand({ FunctionName }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 404 },
  })
  await expect(client.send(new GetAliasCommand({ FunctionName, Name: Alias }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})
