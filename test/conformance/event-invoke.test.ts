/** Event-invoke configurations, recursion settings and dead-letter queues through the official client, against AWS's recorded answers. */
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionRecursionConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  type RecursiveLoop,
  UpdateFunctionConfigurationCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import observed from '../fixtures/observed-errors-event-invoke.json' with { type: 'json' }
import { arn, controlPlane } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const { host, lambda, create, answered } = await controlPlane()
const QUEUE = 'arn:aws:sqs:us-east-1:111111111111:q'

const put = (FunctionName: string, rest: object = {}) =>
  lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0, ...rest }))
const update = (FunctionName: string, rest: object) =>
  lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName, ...rest }))
const get = (FunctionName: string, Qualifier?: string) =>
  lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier }))

describe('an event invoke configuration', () => {
  it('is put, read, changed and deleted with the recorded members', async () => {
    const name = await create()
    await put(name)
    const plain = {
      LastModified: expect.any(Number),
      FunctionArn: arn(`${name}:$LATEST`),
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: {}, OnFailure: {} },
    }
    expect(answered()).toEqual(plain)
    const modified = answered().LastModified as number
    expect(Math.abs(modified - Date.now() / 1000)).toBeLessThan(600)
    await update(name, { MaximumEventAgeInSeconds: 60, DestinationConfig: { OnFailure: { Destination: QUEUE } } })
    const changed = {
      ...plain,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: QUEUE } },
    }
    expect(answered()).toEqual(changed)
    await get(name, '$LATEST')
    expect(answered()).toEqual(changed)
    await update(name, { DestinationConfig: { OnFailure: { Destination: '' } } })
    expect(answered()).toMatchObject({ DestinationConfig: { OnSuccess: {}, OnFailure: {} } })
    await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumEventAgeInSeconds: 21_600 }))
    expect(answered()).not.toHaveProperty('MaximumRetryAttempts')
    await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: name }))
    expect(lambda.last().status).toBe(204)
    await expect(get(name)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('belongs to one function, version or alias, and ends with it', async () => {
    const name = await create()
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const alias = { FunctionName: name, Name: 'live', FunctionVersion: '1' }
    await lambda.send(new CreateAliasCommand(alias))
    for (const Qualifier of ['$LATEST', '1', 'live']) await put(name, { Qualifier })
    expect((await get(`${name}:live`)).FunctionArn).toBe(arn(`${name}:live`))
    const page = await lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: name, MaxItems: 2 }))
    const rest = await lambda.send(
      new ListFunctionEventInvokeConfigsCommand({ FunctionName: name, Marker: page.NextMarker }),
    )
    expect(
      [...page.FunctionEventInvokeConfigs!, ...rest.FunctionEventInvokeConfigs!].map((each) => each.FunctionArn),
    ).toEqual([arn(`${name}:$LATEST`), arn(`${name}:1`), arn(`${name}:live`)])
    await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: 'live' }))
    await lambda.send(new CreateAliasCommand(alias))
    await expect(get(name, 'live')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it.each([
    [{ MaximumRetryAttempts: 3 }, 'maximumRetryAttempts', 'less than or equal to 2'],
    [{ MaximumEventAgeInSeconds: 59 }, 'maximumEventAgeInSeconds', 'greater than or equal to 60'],
    [{ MaximumEventAgeInSeconds: 21_601 }, 'maximumEventAgeInSeconds', 'less than or equal to 21600'],
  ])('has limits: %o', async (rest, member, limit) => {
    const sent = put('any', rest)
    await expect(sent).rejects.toMatchObject({ name: 'ValidationException' })
    expect(answered().message).toContain(`at '${member}' failed to satisfy constraint: Member must have value ${limit}`)
  })

  it('takes a bucket for failures only, and no ordered queue', async () => {
    const name = await create()
    const bucket = { Destination: 'arn:aws:s3:::bucket' }
    await put(name, { DestinationConfig: { OnFailure: bucket } })
    await expect(put(name, { DestinationConfig: { OnSuccess: bucket } })).rejects.toThrow('is invalid')
    await expect(put(name, { DestinationConfig: { OnFailure: { Destination: `${QUEUE}.fifo` } } })).rejects.toThrow(
      'is invalid',
    )
  })
})

describe('a dead-letter queue', () => {
  it('is part of the configuration, and of published versions', async () => {
    const name = await create({ DeadLetterConfig: { TargetArn: QUEUE } })
    expect(await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).toMatchObject({
      DeadLetterConfig: { TargetArn: QUEUE },
    })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, DeadLetterConfig: { TargetArn: '' } }),
    )
    expect(answered()).not.toHaveProperty('DeadLetterConfig')
    await host.settled()
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Timeout: 9 }))
    expect(answered()).not.toHaveProperty('DeadLetterConfig')
    await host.settled()
    const published = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${name}:1` }))
    expect(published.DeadLetterConfig).toEqual({ TargetArn: QUEUE })
  })

  it('must be a queue or a topic', async () => {
    await expect(create({ DeadLetterConfig: { TargetArn: arn('other') } })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    })
  })
})

describe('recursion settings', () => {
  it('are Terminate unless changed, and again for a new function of the name', async () => {
    const name = await create()
    const read = async () =>
      (await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: name }))).RecursiveLoop
    expect(await read()).toBe('Terminate')
    await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: name, RecursiveLoop: 'Allow' }))
    expect(answered()).toEqual({ RecursiveLoop: 'Allow' })
    expect(await read()).toBe('Allow')
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('recorded errors', () => {
  const remove = (FunctionName: string) => lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }))
  const destination = (side: 'OnSuccess' | 'OnFailure', Destination: string) => ({
    DestinationConfig: { [side]: { Destination } },
  })
  /** By the recording's place: provokes the error; the second value stands for the recording's placeholder of the function's name. */
  const provocations: Record<string, () => Promise<[sent: () => Promise<unknown>, name: string]>> = {
    put_destination_lambda_doesntexist: async () => {
      const name = await create()
      return [() => put(name, destination('OnSuccess', arn('doesnotexist'))), name]
    },
    put_destination_invalid_service_arn: async () => {
      const name = await create()
      return [() => put(name, destination('OnSuccess', arn(name).replace(':lambda:', ':iam:'))), name]
    },
    put_destination_invalid_arn_pattern: async () => {
      const name = await create()
      return [() => put(name, destination('OnFailure', arn(name).replace(':lambda:', ':_-/!lambda:'))), name]
    },
    put_destination_recursive: async () => {
      const name = await create()
      return [() => put(name, destination('OnSuccess', arn(name))), name]
    },
    put_functionname_nootherargs: async () => {
      const name = await create()
      return [() => put(name, { MaximumRetryAttempts: undefined }), name]
    },
    delete_function_not_found: async () => {
      const name = await create()
      return [() => remove(name), name]
    },
    delete_function_doesnotexist: async () => [() => remove('doesnotexist'), 'doesnotexist'],
    get_invokeconfig_postpublish: async () => {
      const name = await create()
      await put(name)
      await lambda.send(new PublishVersionCommand({ FunctionName: name }))
      return [() => get(name, '1'), name]
    },
    get_qualifier_doesnotexist: async () => {
      const name = await create()
      return [() => get(name, 'doesnotexist'), name]
    },
    get_eventinvokeconfig_doesnotexist: async () => {
      const name = await create()
      await lambda.send(
        new CreateAliasCommand({ FunctionName: name, Name: 'eventinvokealias', FunctionVersion: '$LATEST' }),
      )
      return [() => get(name, 'eventinvokealias'), name]
    },
    version_not_found_exception: async () => {
      const name = await create()
      return [() => get(name, '1221'), name]
    },
    put_functionname_name_notfound: async () => [() => put('nobody'), 'nobody'],
    not_found_exception: async () => [() => get('nobody'), 'nobody'],
    put_recursion_invalid_value_error: async () => {
      const name = await create()
      const RecursiveLoop = 'InvalidValue' as RecursiveLoop
      return [() => lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: name, RecursiveLoop })), name]
    },
  }
  for (const row of observed) {
    const place = row.seenIn.split(' / ')[1] ?? ''
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, async () => {
      const provoke = provocations[place]
      if (provoke === undefined) throw new Error(`no provocation for ${place}`)
      const [sent, name] = await provoke()
      await expect(sent()).rejects.toMatchObject({ name: row.code })
      const is = Object.fromEntries(['<function-name:1>', '<fn-name>', '<nonexisting-fn-name>'].map((of) => [of, name]))
      expectRecorded(lambda.last(), row, is)
    })
  }
})
