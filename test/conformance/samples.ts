/**
 * One call of each operation that ends with success, and what must be there before it. A branch that adds an operation adds its row: the
 * test fails for an operation without one.
 */
import {
  CreateAliasCommand,
  type LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
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

  /** A function with version 1 and the alias `live`. */
  async withAlias(): Promise<string> {
    const FunctionName = await this.function()
    await this.client.send(new PublishVersionCommand({ FunctionName }))
    await this.client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
    return FunctionName
  }
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

export const SAMPLES: Readonly<Record<string, (host: SampleHost) => Promise<Sample>>> = {
  CreateAlias: async (host) => {
    const FunctionName = await host.function()
    await host.client.send(new PublishVersionCommand({ FunctionName }))
    return { path: { FunctionName }, body: { Name: 'live', FunctionVersion: '1', Description: 'd' } }
  },
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
  DeleteFunction: ofFunction,
  DeleteFunctionConcurrency: ofReserved,
  GetAccountSettings: () => Promise.resolve({}),
  GetAlias: ofAlias,
  GetFunction: ofReserved,
  GetFunctionCodeSigningConfig: ofFunction,
  GetFunctionConcurrency: ofReserved,
  GetFunctionConfiguration: ofFunction,
  GetRuntimeManagementConfig: ofFunction,
  Invoke: async (host) => ({
    ...(await ofFunction(host)),
    headers: { 'X-Amz-Log-Type': 'Tail' },
    body: { hello: 'you' },
  }),
  ListAliases: async (host) => ({ path: { FunctionName: await host.withAlias() } }),
  ListFunctions: async (host) => {
    await host.function()
    return { query: { FunctionVersion: 'ALL', MaxItems: '10' } }
  },
  ListTags: async (host) => ({ path: { Resource: arnOf(await host.function()) } }),
  ListVersionsByFunction: async (host) => ({ path: { FunctionName: await host.withAlias() } }),
  PublishVersion: async (host) => ({ ...(await ofFunction(host)), body: { Description: 'first' } }),
  PutFunctionConcurrency: async (host) => ({ ...(await ofFunction(host)), body: { ReservedConcurrentExecutions: 1 } }),
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
  UpdateFunctionCode: async (host) => ({
    ...(await ofFunction(host)),
    body: { ZipFile: Buffer.from(await zipped({ ...FILES, 'more.txt': 'more' })).toString('base64') },
  }),
  UpdateFunctionConfiguration: async (host) => {
    const FunctionName = await host.function()
    await active(host.client, FunctionName)
    return { path: { FunctionName }, body: { MemorySize: 256 } }
  },
}
