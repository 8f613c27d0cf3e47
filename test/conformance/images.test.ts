/** Image functions, code from S3 and runtime management through the official client: recorded errors, shapes and rules. */
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  PutRuntimeManagementConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, it } from 'vitest'
import { LambdaException } from '../../src/lambda/errors.ts'
import observed from '../fixtures/observed-errors-images.json' with { type: 'json' }
import { arn, controlPlane, ROLE, zip } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const S3_SAYS: Readonly<Record<string, string>> = {
  nowhere: 'NoSuchBucket. S3 Error Message: The specified bucket does not exist',
  bucket: 'NoSuchKey. S3 Error Message: The specified key does not exist.',
}

// s3.test.ts has a real server; here its words are those that S3 was recorded with.
const objects = {
  get: ({ bucket }: { bucket: string }) =>
    Promise.reject(
      new LambdaException(
        'InvalidParameterValueException',
        `Error occurred while GetObject. S3 Error Code: ${S3_SAYS[bucket]}`,
      ),
    ),
}
const { host, lambda, newName, request, answered } = await controlPlane({ objects })

const imageFunction = (changes: Partial<CreateFunctionCommandInput> = {}): CreateFunctionCommandInput => ({
  FunctionName: newName(),
  Role: ROLE,
  PackageType: 'Image',
  Code: { ImageUri: 'repository:tag' },
  ...changes,
})
async function create(input: CreateFunctionCommandInput): Promise<string> {
  await lambda.send(new CreateFunctionCommand(input))
  await host.settled()
  return input.FunctionName ?? ''
}

const provocations: Record<string, () => Promise<unknown>> = {
  'test_lambda_code_location_s3_errors / create-error-wrong-bucket': () =>
    lambda.send(new CreateFunctionCommand(request({ Code: { S3Bucket: 'nowhere', S3Key: 'k' } }))),
  'test_lambda_code_location_s3_errors / create-error-wrong-key': () =>
    lambda.send(new CreateFunctionCommand(request({ Code: { S3Bucket: 'bucket', S3Key: 'k' } }))),
  'test_lambda_image_crud / image-to-zipfile-error': async () => {
    const FunctionName = await create(imageFunction())
    return lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip() }))
  },
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, async () => {
      const provoke = provocations[row.seenIn]
      if (provoke === undefined) throw new Error('this row has no provocation')
      await expect(provoke()).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row)
    })
  }
})

describe('an image function', () => {
  it('shows the digest of its image, and nothing of runtimes', async () => {
    const input = imageFunction({ ImageConfig: { Command: ['app.handler'], WorkingDirectory: '/app' } })
    await lambda.send(new CreateFunctionCommand(input))
    expect(lambda.last().status).toBe(201)
    expect(answered()).toMatchObject({
      PackageType: 'Image',
      CodeSize: 0,
      CodeSha256: 'a'.repeat(64),
      State: 'Pending',
      ImageConfigResponse: { ImageConfig: { Command: ['app.handler'], WorkingDirectory: '/app' } },
    })
    for (const absent of ['Runtime', 'Handler', 'RuntimeVersionConfig']) expect(answered()).not.toHaveProperty(absent)
    await host.settled()
    const { FunctionName = '' } = input
    await lambda.send(new GetFunctionCommand({ FunctionName }))
    expect(answered()).toMatchObject({
      Configuration: { State: 'Active', LastUpdateStatus: 'Successful' },
      Code: {
        RepositoryType: 'ECR',
        ImageUri: 'repository:tag',
        ResolvedImageUri: `repository@sha256:${'a'.repeat(64)}`,
      },
    })
    await lambda.send(new ListFunctionsCommand({}))
    const listed = (answered().Functions as Record<string, unknown>[]).find((one) => one.FunctionName === FunctionName)
    expect(listed).toMatchObject({ PackageType: 'Image' })
  })

  it('is updated to another image, published with it, and only tried with DryRun', async () => {
    const FunctionName = await create(imageFunction())
    const next = { FunctionName, ImageUri: 'repository:next' }
    await lambda.send(new UpdateFunctionCodeCommand({ ...next, DryRun: true }))
    expect(answered()).toMatchObject({ CodeSha256: 'b'.repeat(64) })
    expect((await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).CodeSha256).toBe('a'.repeat(64))
    await lambda.send(new UpdateFunctionCodeCommand({ ...next, Publish: true }))
    await host.settled()
    const { Code, Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: '1' }))
    expect(Configuration).toMatchObject({ Version: '1', State: 'Active', CodeSha256: 'b'.repeat(64) })
    expect(Code?.ImageUri).toBe('repository:next')
  })

  it('takes no Runtime and no Handler, ever', async () => {
    const message = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE."
    await expect(lambda.send(new CreateFunctionCommand(imageFunction({ Runtime: 'python3.12' })))).rejects.toThrow(
      message,
    )
    const FunctionName = await create(imageFunction())
    await expect(lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler: 'a.b' }))).rejects.toThrow(
      message,
    )
    await expect(lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))).rejects.toThrow(
      /container images/,
    )
    await expect(
      lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'Auto' })),
    ).rejects.toThrow(/container images/)
  })
})

describe('runtime management', () => {
  it('is Auto, then what was put, for $LATEST and for a version apart', async () => {
    const FunctionName = await create(request())
    await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))
    expect(answered()).toEqual({ UpdateRuntimeOn: 'Auto', FunctionArn: arn(FunctionName) })
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    const { RuntimeVersionConfig } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
    const RuntimeVersionArn = RuntimeVersionConfig?.RuntimeVersionArn
    const pinned = { UpdateRuntimeOn: 'Manual', FunctionArn: arn(`${FunctionName}:1`), RuntimeVersionArn }
    const before = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' }))
    await lambda.send(
      new PutRuntimeManagementConfigCommand({
        FunctionName,
        Qualifier: '1',
        UpdateRuntimeOn: 'Manual',
        RuntimeVersionArn,
      }),
    )
    expect(answered()).toEqual(pinned)
    await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier: '1' }))
    expect(answered()).toEqual(pinned)
    const after = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' }))
    expect(after.RevisionId).not.toBe(before.RevisionId)
    await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))
    expect(answered()).toMatchObject({ UpdateRuntimeOn: 'Auto' })
  })

  it('refuses what cannot be pinned', async () => {
    const FunctionName = await create(request())
    const put = (input: object) =>
      lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'Manual', ...input }))
    const unknown = `arn:aws:lambda:us-east-1::runtime:${'f'.repeat(64)}`
    await expect(put({})).rejects.toThrow('RuntimeVersionArn is mandatory')
    await expect(put({ RuntimeVersionArn: unknown })).rejects.toThrow('is not one of python3.12 on this host')
    await expect(put({ UpdateRuntimeOn: 'Auto', RuntimeVersionArn: unknown })).rejects.toThrow('only used with')
    await expect(put({ UpdateRuntimeOn: 'Never' })).rejects.toMatchObject({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value 'Never' at 'updateRuntimeOn' failed to satisfy constraint: Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]",
    })
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
    await expect(put({ Qualifier: 'live', RuntimeVersionArn: unknown })).rejects.toThrow('not for aliases')
    await expect(put({ Qualifier: '9', RuntimeVersionArn: unknown })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(
      lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName: 'no-such-function' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('keeps a pinned runtime from being changed to another language', async () => {
    const FunctionName = await create(request())
    const { RuntimeVersionConfig } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
    await lambda.send(
      new PutRuntimeManagementConfigCommand({
        FunctionName,
        UpdateRuntimeOn: 'Manual',
        RuntimeVersionArn: RuntimeVersionConfig?.RuntimeVersionArn,
      }),
    )
    const change = new UpdateFunctionConfigurationCommand({ FunctionName, Runtime: 'nodejs22.x' })
    await expect(lambda.send(change)).rejects.toThrow('pinned to one of python3.12')
    await lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }))
    expect(await lambda.send(change)).toMatchObject({ Runtime: 'nodejs22.x' })
    await host.settled()
  })
})
