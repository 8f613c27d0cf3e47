/**
 * Operations of kinds that cannot exist here yet answer as AWS does where there are none. Tools ask for function URLs, mappings and the like beside
 * every function; an error other than "not found" stops them.
 */
import {
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListDurableExecutionsByFunctionCommand,
  ListEventSourceMappingsCommand,
  ListFunctionUrlConfigsCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS, type Operation } from '../../src/api/operations/table.ts'
import observed from '../fixtures/observed-errors-absent.json' with { type: 'json' }
import { answerFaults } from '../support/model.ts'
import { arn, controlPlane } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const { host, lambda, create, answered } = await controlPlane()
const absent = OPERATIONS.filter(({ none }) => none !== undefined)

const DURABLE = `${arn('f')}:1/durable-execution/name/id`
let FunctionName = ''
beforeAll(async () => {
  FunctionName = await create()
  await lambda.send(new PublishVersionCommand({ FunctionName }))
})

async function call({ method, path }: Operation, query = ''): Promise<Response> {
  const labels: Readonly<Record<string, string>> = {
    FunctionName,
    UUID: '00000000-0000-4000-8000-000000000000',
    CapacityProviderName: 'provider',
    DurableExecutionArn: DURABLE,
  }
  const filled = path.replace(/\{(\w+)\}/g, (_, label: string) => encodeURIComponent(labels[label] ?? ''))
  return fetch(`${host.url}${filled}${query}`, { method })
}

const NOT_FOUND: Readonly<Record<string, string>> = {
  '{UUID}': 'The resource you requested does not exist.',
  '/url': 'The resource you requested does not exist.',
  '{CapacityProviderName}':
    'Capacity provider not found: arn:aws:lambda:us-east-1:111111111111:capacity-provider:provider',
  '{DurableExecutionArn}': `Durable execution not found: ${DURABLE}`,
}

describe('what cannot exist here yet', () => {
  for (const operation of absent.filter(({ path }) => Object.keys(NOT_FOUND).some((one) => path.includes(one)))) {
    if (operation.path.endsWith('/urls')) continue
    it(`is not found: ${operation.name}`, async () => {
      const answer = await call(operation, '?CheckpointToken=dG9rZW4%3D')
      const [, Message] = Object.entries(NOT_FOUND).find(([part]) => operation.path.includes(part)) ?? []
      expect(answer.headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException')
      expect([answer.status, await answer.json()]).toEqual([404, { Type: 'User', Message }])
    })
  }

  for (const operation of absent.filter(({ name }) => name.startsWith('List') && !name.endsWith('CapacityProvider'))) {
    it(`is an empty list: ${operation.name}`, async () => {
      const answer = await call(operation, '?MaxItems=10')
      const body = await answer.text()
      expect(answer.status).toBe(200)
      expect(answerFaults(operation.name, body)).toEqual([])
      expect(Object.values(JSON.parse(body) as object)).toEqual([[]])
    })
  }

  it('leaves a version without settings of scaling', async () => {
    const scaling = OPERATIONS.find(({ name }) => name === 'GetFunctionScalingConfig')!
    expect(await (await call(scaling, '?Qualifier=1')).json()).toEqual({ FunctionArn: arn(`${FunctionName}:1`) })
    expect(await (await call(scaling, '?Qualifier=2')).json()).toEqual({
      Type: 'User',
      Message: `Function not found: ${arn(`${FunctionName}:2`)}`,
    })
  })

  it('is looked for by functions that exist', async () => {
    await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: 'nobody' }))
    expect(answered()).toEqual({ EventSourceMappings: [] })
    await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName }))
    expect(answered()).toEqual({ FunctionUrlConfigs: [] })
    await expect(lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(
      lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: 'nobody' })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arn('nobody:$LATEST')}`,
    })
  })

  it("is not looked for in another account's functions", async () => {
    const other = 'arn:aws:lambda:us-east-1:999999999999:function:f'
    await expect(lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: other }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await expect(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: other }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })
})

const PROVOCATIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  'test_url_config_list_paging / list_function_notfound': () =>
    lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'nobody' })),
  'test_ops_on_nonexisting_fn[get_function_url_config] / not_found_exception': () =>
    lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: 'nobody' })),
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.code}: ${row.seenIn}`, async () => {
      const send = PROVOCATIONS[row.seenIn]
      if (send === undefined) throw new Error('no provocation for this recording')
      await expect(send()).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row, {})
    })
  }
})
