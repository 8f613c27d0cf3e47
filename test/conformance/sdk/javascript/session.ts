/** One session with the official SDK for JavaScript v3; prints what came back, one `name=value` on each line. */
import { readFile } from 'node:fs/promises'
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetPolicyCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  paginateListVersionsByFunction,
  RemovePermissionCommand,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'

const FunctionName = 'javascript-sdk'

const [endpoint = '', code = '', layer = ''] = process.argv.slice(2)
const client = new LambdaClient({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})

const { FunctionArn: arn } = await client.send(
  new CreateFunctionCommand({
    FunctionName,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Role: 'arn:aws:iam::000000000000:role/r',
    Code: { ZipFile: await readFile(code) },
  }),
)
show('arn', arn)
await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName })
const answer = await invoke('you')
show('status', answer.StatusCode)
show('payload', answer.Payload?.transformToString())

const { Version: version } = await client.send(new PublishVersionCommand({ FunctionName }))
show('version', version)
const alias = await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: version }))
show('alias', alias.AliasArn)
const through = await invoke('alias', { Qualifier: 'live' })
show('executed', through.ExecutedVersion)
show('through', through.Payload?.transformToString())

const { LayerVersionArn } = await client.send(
  new PublishLayerVersionCommand({ LayerName: FunctionName, Content: { ZipFile: await readFile(layer) } }),
)
show('layer', LayerVersionArn)
await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [String(LayerVersionArn)] }))
await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 60 }, { FunctionName })
show('layered', (await invoke('layer')).Payload?.transformToString())

await client.send(
  new AddPermissionCommand({
    FunctionName,
    StatementId: 's3',
    Action: 'lambda:InvokeFunction',
    Principal: 's3.amazonaws.com',
    SourceArn: 'arn:aws:s3:::bucket',
  }),
)
show('policy', (await client.send(new GetPolicyCommand({ FunctionName }))).Policy)
await client.send(new RemovePermissionCommand({ FunctionName, StatementId: 's3' }))
show('unpolicied', (await missing(() => client.send(new GetPolicyCommand({ FunctionName })))).name)

await client.send(new TagResourceCommand({ Resource: arn, Tags: { team: 'blue' } }))
show('tag', (await client.send(new ListTagsCommand({ Resource: arn }))).Tags?.team)
await client.send(new UntagResourceCommand({ Resource: arn, TagKeys: ['team'] }))

const versions: unknown[] = []
for await (const page of paginateListVersionsByFunction({ client, pageSize: 1 }, { FunctionName })) {
  versions.push(...(page.Versions ?? []).map(({ Version }) => Version))
}
show('versions', versions)

await client.send(new DeleteFunctionCommand({ FunctionName }))
const gone = await missing(() => client.send(new GetFunctionCommand({ FunctionName })))
show('missing', gone.name)
show('text', gone.message)

function invoke(name: string, input: Partial<InvokeCommandInput> = {}) {
  return client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ name }), ...input }))
}

async function missing(call: () => Promise<unknown>): Promise<ResourceNotFoundException> {
  try {
    await call()
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return error
    throw error
  }
  throw new Error('something is there that was removed')
}

function show(name: string, value: unknown): void {
  process.stdout.write(`${name}=${value}\n`)
}
