/** Every waiter and paginator of the service model whose operation Hearth has, as the SDK for JavaScript runs them. */
import {
  CreateAliasCommand,
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  type LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  PutFunctionEventInvokeConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  paginateListAliases,
  paginateListCodeSigningConfigs,
  paginateListFunctionEventInvokeConfigs,
  paginateListFunctions,
  paginateListFunctionsByCodeSigningConfig,
  paginateListLayers,
  paginateListLayerVersions,
  paginateListProvisionedConcurrencyConfigs,
  paginateListVersionsByFunction,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActive,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
  waitUntilFunctionUpdated,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../src/api/operations/table.ts'
import { controlPlane } from './control-plane-session.ts'

const { host, lambda: client, request } = await controlPlane()

/** Still Pending. */
async function create(in_: LambdaClient = client, Publish = false): Promise<string> {
  const input = request({ Publish })
  await in_.send(new CreateFunctionCommand(input))
  return input.FunctionName ?? ''
}

async function createCodeSigningConfig(in_: LambdaClient): Promise<string> {
  const AllowedPublishers = { SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:/signing-profiles/p'] }
  const { CodeSigningConfig } = await in_.send(new CreateCodeSigningConfigCommand({ AllowedPublishers }))
  return CodeSigningConfig!.CodeSigningConfigArn!
}

/** Polls far more often than the model says, so that a test waits no seconds. */
const quick = () => ({ client, maxWaitTime: 60, minDelay: 0.01, maxDelay: 0.05 })

const WAITERS = {
  FunctionActive: waitUntilFunctionActive,
  FunctionActiveV2: waitUntilFunctionActiveV2,
  PublishedVersionActive: waitUntilPublishedVersionActive,
  FunctionUpdated: waitUntilFunctionUpdated,
  FunctionUpdatedV2: waitUntilFunctionUpdatedV2,
} as const
const OF_UPDATES = ['FunctionUpdated', 'FunctionUpdatedV2']

describe('the waiter', () => {
  for (const [waiter, wait] of Object.entries(WAITERS)) {
    const ofUpdate = OF_UPDATES.includes(waiter)
    const prepare = async (): Promise<{ FunctionName: string; Qualifier?: string }> => {
      if (waiter === 'PublishedVersionActive') return { FunctionName: await create(client, true), Qualifier: '1' }
      const FunctionName = await create()
      if (ofUpdate) await host.settled()
      return { FunctionName }
    }
    const change = async (FunctionName: string) => {
      if (ofUpdate) await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }))
    }

    it(`${waiter} waits until the host is done`, async () => {
      const early = ofUpdate ? undefined : host.images.hold()
      const of = await prepare()
      const release = early ?? host.images.hold()
      await change(of.FunctionName)
      let done = false
      const waited = wait(quick(), of).then((result) => {
        done = true
        return result
      })
      await expect(wait({ ...quick(), maxWaitTime: 0.2 }, of)).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(done).toBe(false)
      release()
      expect((await waited).state).toBe('SUCCESS')
    })

    it(`${waiter} ends with failure when the host could not do it`, async () => {
      const failure = new Error('no space left on device')
      if (!ofUpdate) host.images.failure = failure
      const of = await prepare()
      host.images.failure = failure
      await change(of.FunctionName)
      await host.settled()
      host.images.failure = undefined
      await expect(wait(quick(), of)).rejects.toThrow(/Failed|FAILURE/)
    })
  }

  it('FunctionExists waits for a function that is not there yet', async () => {
    const input = request()
    const { FunctionName } = input
    const waited = waitUntilFunctionExists(quick(), { FunctionName })
    await expect(waitUntilFunctionExists({ ...quick(), maxWaitTime: 0.2 }, { FunctionName })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    await client.send(new CreateFunctionCommand(input))
    expect((await waited).state).toBe('SUCCESS')
  })
})

interface Paged {
  /** All items of all pages, and how many pages there were. */
  readonly items: readonly unknown[]
  readonly pages: number
}

async function walk<P>(pages: AsyncIterable<P>, items: (page: P) => readonly unknown[] | undefined): Promise<Paged> {
  const all: unknown[] = []
  let count = 0
  for await (const page of pages) {
    count++
    all.push(...(items(page) ?? []))
  }
  return { items: all, pages: count }
}

/** A row for each operation that is not refused: makes five items and walks through them, two on a page. */
async function publishLayer(LayerName: string, in_ = client): Promise<void> {
  await in_.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: Buffer.from(`PK${LayerName}`) } }))
}

const PAGINATORS: Readonly<Record<string, () => Promise<Paged>>> = {
  ListFunctions: async () => {
    const own = host.client({ region: 'eu-north-1' })
    for (let i = 0; i < 5; i++) await create(own)
    return walk(paginateListFunctions({ client: own, pageSize: 2 }, {}), (page) =>
      page.Functions?.map(({ FunctionName }) => FunctionName),
    )
  },
  ListVersionsByFunction: async () => {
    const FunctionName = await create()
    await host.settled()
    for (let Timeout = 10; Timeout < 14; Timeout++) {
      await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }))
      await host.settled()
      await client.send(new PublishVersionCommand({ FunctionName }))
    }
    return walk(paginateListVersionsByFunction({ client, pageSize: 2 }, { FunctionName }), (page) =>
      page.Versions?.map(({ Version }) => Version),
    )
  },
  ListLayers: async () => {
    const own = host.client({ region: 'eu-north-1' })
    for (const name of ['l1', 'l2', 'l3', 'l4', 'l5']) await publishLayer(name, own)
    return walk(paginateListLayers({ client: own, pageSize: 2 }, {}), (page) =>
      page.Layers?.map(({ LayerName }) => LayerName),
    )
  },
  ListLayerVersions: async () => {
    for (let i = 0; i < 5; i++) await publishLayer('paged')
    return walk(paginateListLayerVersions({ client, pageSize: 2 }, { LayerName: 'paged' }), (page) =>
      page.LayerVersions?.map(({ Version }) => Version),
    )
  },
  ListAliases: async () => {
    const FunctionName = await create()
    for (const Name of ['a', 'b', 'c', 'd', 'e']) {
      await client.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion: '$LATEST' }))
    }
    return walk(paginateListAliases({ client, pageSize: 2 }, { FunctionName }), (page) =>
      page.Aliases?.map(({ Name }) => Name),
    )
  },
  ListFunctionEventInvokeConfigs: async () => {
    const FunctionName = await create()
    for (const Qualifier of ['a', 'b', 'c', 'd', 'e']) {
      await client.send(new CreateAliasCommand({ FunctionName, Name: Qualifier, FunctionVersion: '$LATEST' }))
      await client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, Qualifier, MaximumRetryAttempts: 1 }))
    }
    return walk(paginateListFunctionEventInvokeConfigs({ client, pageSize: 2 }, { FunctionName }), (page) =>
      page.FunctionEventInvokeConfigs?.map(({ FunctionArn }) => FunctionArn),
    )
  },
  ListCodeSigningConfigs: async () => {
    const own = host.client({ region: 'eu-north-1' })
    for (let i = 0; i < 5; i++) await createCodeSigningConfig(own)
    return walk(paginateListCodeSigningConfigs({ client: own, pageSize: 2 }, {}), (page) =>
      page.CodeSigningConfigs?.map(({ CodeSigningConfigArn }) => CodeSigningConfigArn),
    )
  },
  ListFunctionsByCodeSigningConfig: async () => {
    const CodeSigningConfigArn = await createCodeSigningConfig(client)
    for (let i = 0; i < 5; i++) {
      const FunctionName = await create()
      await client.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }))
    }
    return walk(
      paginateListFunctionsByCodeSigningConfig({ client, pageSize: 2 }, { CodeSigningConfigArn }),
      (page) => page.FunctionArns,
    )
  },
  ListProvisionedConcurrencyConfigs: async () => {
    const FunctionName = await create()
    await host.settled()
    for (let Timeout = 10; Timeout < 15; Timeout++) {
      await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }))
      await host.settled()
      const { Version } = await client.send(new PublishVersionCommand({ FunctionName }))
      const provisioned = { FunctionName, Qualifier: Version, ProvisionedConcurrentExecutions: 1 }
      await client.send(new PutProvisionedConcurrencyConfigCommand(provisioned))
    }
    return walk(paginateListProvisionedConcurrencyConfigs({ client, pageSize: 2 }, { FunctionName }), (page) =>
      page.ProvisionedConcurrencyConfigs?.map(({ FunctionArn }) => FunctionArn),
    )
  },
}

/** Operations that have a paginator: `paginators-1.json` of the model. */
const PAGED = [
  'GetDurableExecutionHistory',
  'GetDurableExecutionState',
  'ListAliases',
  'ListCapacityProviders',
  'ListCodeSigningConfigs',
  'ListDurableExecutionsByFunction',
  'ListEventSourceMappings',
  'ListFunctionEventInvokeConfigs',
  'ListFunctionUrlConfigs',
  'ListFunctionVersionsByCapacityProvider',
  'ListFunctions',
  'ListFunctionsByCodeSigningConfig',
  'ListLayerVersions',
  'ListLayers',
  'ListProvisionedConcurrencyConfigs',
  'ListVersionsByFunction',
]

describe('the paginator of', () => {
  for (const { name, refused, none } of OPERATIONS) {
    // Where there can be nothing, there are no pages.
    if (refused !== undefined || none !== undefined || !PAGED.includes(name)) continue
    it(`${name} gives every item once`, async () => {
      const run = PAGINATORS[name]
      if (run === undefined) throw new Error(`test/conformance/waiters.test.ts does not walk the pages of ${name}`)
      const { items, pages } = await run()
      expect(items).toHaveLength(5)
      expect(new Set(items).size).toBe(5)
      expect(pages).toBe(3)
    })
  }
})
