/** Provisioned concurrency over the wire: answers and refusals as recorded from AWS. */
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import { arn, controlPlane } from './control-plane-session.ts'

const { host, lambda, create } = await controlPlane()

/** A function with version 1 and the alias `live` on it. */
async function published(): Promise<string> {
  const name = await create()
  await lambda.send(new PublishVersionCommand({ FunctionName: name }))
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'live', FunctionVersion: '1' }))
  return name
}

const put = (FunctionName: string, Qualifier: string, ProvisionedConcurrentExecutions = 1) =>
  lambda.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }))
const get = (FunctionName: string, Qualifier: string) =>
  lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
const remove = (FunctionName: string, Qualifier: string) =>
  lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))

/** Status and body of the last answer, its header's error name included. */
async function refusal(call: Promise<unknown>) {
  await expect(call).rejects.toThrow()
  const { status, headers, body } = lambda.last()
  return { status, code: headers['x-amzn-errortype'], ...(JSON.parse(body) as Record<string, unknown>) }
}

describe('provisioned concurrency', () => {
  it('is accepted with 202, read, listed and deleted', async () => {
    const name = await published()
    await put(name, 'live', 2)
    expect(lambda.last().status).toBe(202)
    const config = {
      RequestedProvisionedConcurrentExecutions: 2,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/) as string,
    }
    expect(JSON.parse(lambda.last().body)).toEqual(config)
    await get(name, 'live')
    expect(JSON.parse(lambda.last().body)).toEqual(config)
    await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name }))
    expect(JSON.parse(lambda.last().body)).toEqual({
      ProvisionedConcurrencyConfigs: [{ FunctionArn: arn(`${name}:live`), ...config }],
    })
    await remove(name, 'live')
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await remove(name, 'live')
    expect(lambda.last().status).toBe(204)
  })

  it('is listed in pages', async () => {
    const name = await published()
    await lambda.send(new PublishVersionCommand({ FunctionName: name, Description: 'same code, same version' }))
    await put(name, 'live')
    const list = (MaxItems: number) =>
      lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name, MaxItems }))
    expect((await list(1)).NextMarker).toBeUndefined()
    expect(await refusal(list(51))).toMatchObject({ status: 400, code: 'ValidationException' })
  })

  it('is refused for what is not published', async () => {
    const name = await published()
    expect(await refusal(put(name, '$LATEST'))).toEqual({
      status: 400,
      code: 'InvalidParameterValueException',
      Type: 'User',
      message: 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    })
    for (const call of [get, remove]) {
      expect(await refusal(call(name, '$LATEST'))).toEqual({
        status: 400,
        code: 'InvalidParameterValueException',
        Type: 'User',
        message: 'The function resource provided must be an alias or a published version.',
      })
    }
  })

  it('of something that does not exist is refused in the words for that thing', async () => {
    const name = await published()
    const missing = (message: string) => ({
      status: 404,
      code: 'ResourceNotFoundException',
      Type: 'User',
      Message: message,
    })
    for (const call of [put, get, remove]) {
      expect(await refusal(call(name, 'noalias'))).toEqual(missing(`Cannot find alias arn: ${arn(`${name}:noalias`)}`))
      expect(await refusal(call('nothere', 'noalias'))).toEqual(
        missing(`Cannot find alias arn: ${arn('nothere:noalias')}`),
      )
      expect(await refusal(call('nothere', '1'))).toEqual(missing(`Function not found: ${arn('nothere:1')}`))
    }
    expect(await refusal(get(name, 'live'))).toEqual({
      status: 404,
      code: 'ProvisionedConcurrencyConfigNotFoundException',
      Type: 'User',
      message: 'No Provisioned Concurrency Config found for this function',
    })
    expect(
      await refusal(lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'nothere' }))),
    ).toEqual(missing(`Function not found: ${arn('nothere')}`))
  })

  it('of 0 is refused by validation', async () => {
    const name = await published()
    expect(await refusal(put(name, '1', 0))).toEqual({
      status: 400,
      code: 'ValidationException',
      message:
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
    })
  })

  it('belongs to a version or to its alias', async () => {
    const name = await published()
    const conflict = (message: string) => ({ status: 409, code: 'ResourceConflictException', Type: 'User', message })
    await put(name, 'live')
    expect(await refusal(put(name, '1'))).toEqual(conflict('Version is pointed by a Provisioned Concurrency alias'))
    await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: 'live' }))
    expect(await refusal(get(name, 'live'))).toMatchObject({ Message: `Cannot find alias arn: ${arn(`${name}:live`)}` })
    await put(name, '1')
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: 'live', FunctionVersion: '1' }))
    expect(await refusal(put(name, 'live'))).toEqual(
      conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"),
    )
    await lambda.send(new UpdateAliasCommand({ FunctionName: name, Name: 'live', Description: 'free' }))
    await remove(name, '1')
  })

  it('stays within the reservation and within the account', async () => {
    const name = await published()
    const reserve = (ReservedConcurrentExecutions: number) =>
      lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions }))
    const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}))
    const unreserved = AccountLimit?.UnreservedConcurrentExecutions ?? 0
    expect(await refusal(put(name, '1', unreserved + 1))).toEqual({
      status: 400,
      code: 'InvalidParameterValueException',
      message: `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved}].`,
    })
    expect(await refusal(put(name, '1', unreserved - 99))).toEqual({
      status: 400,
      code: 'InvalidParameterValueException',
      message:
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    })
    await put(name, '1', 2)
    const settings = await lambda.send(new GetAccountSettingsCommand({}))
    expect(settings.AccountLimit?.UnreservedConcurrentExecutions).toBe(unreserved - 2)
    expect(await refusal(reserve(1))).toEqual({
      status: 400,
      code: 'InvalidParameterValueException',
      message:
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
    })
    await reserve(2)
    expect(await refusal(put(name, '1', 3))).toEqual({
      status: 400,
      code: 'InvalidParameterValueException',
      Type: 'User',
      message:
        'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    })
  })
})

describe('TracingConfig', () => {
  it('is kept, shown and changed', async () => {
    const name = await published()
    const mode = async () =>
      (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).TracingConfig
    expect(await mode()).toEqual({ Mode: 'PassThrough' })
    const update = (changes: Partial<UpdateFunctionConfigurationCommandInput>) =>
      lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ...changes }))
    await update({ TracingConfig: { Mode: 'Active' } })
    await host.settled()
    await update({ Description: 'nothing about tracing' })
    expect(await mode()).toEqual({ Mode: 'Active' })
  })
})
