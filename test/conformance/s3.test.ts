/** Code from S3: the host's client, led by the host's own environment, against a real server of the S3 protocol. */
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { SdkS3Objects } from '../../src/code/s3-objects.ts'
import { Budget } from '../../src/http/budget.ts'
import { freePort, type S3Server, startS3Server } from '../support/s3-server.ts'
import { until } from '../support/until.ts'
import { type ControlPlaneHost, startControlPlaneHost } from './control-plane-host.ts'

let s3: S3Server
let host: ControlPlaneHost
let lambda: ReturnType<ControlPlaneHost['client']>
let objects: SdkS3Objects

beforeAll(async () => {
  s3 = await startS3Server()
  for (const [name, value] of Object.entries(s3.environment)) vi.stubEnv(name, value)
  objects = new SdkS3Objects({ limitBytes: 1000 })
  host = await startControlPlaneHost({ objects })
  lambda = host.client()
  await s3.bucket('packages')
})
afterAll(async () => {
  objects?.close()
  await host?.close()
  await s3?.close()
  vi.unstubAllEnvs()
})

const whole = async (bytes: Uint8Array) => bytes

let names = 0
const create = (Code: object, FunctionName = `s3-${++names}`) =>
  lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'python3.13',
      Role: 'arn:aws:iam::111111111111:role/r',
      Handler: 'handler.handler',
      Code,
    }),
  )

describe('code from S3', () => {
  it('is fetched with the credentials and the endpoint of the host, in the version that was asked for', async () => {
    const first = await s3.put('packages', 'team/f.zip', Buffer.from('PK first'))
    await s3.put('packages', 'team/f.zip', Buffer.from('PK second'))
    const object = { S3Bucket: 'packages', S3Key: 'team/f.zip' }
    const created = await create({ ...object, S3ObjectStorageMode: 'COPY' }, 'versioned')
    expect(created).toMatchObject({ CodeSize: 9, State: 'Pending' })
    await host.settled()
    const updated = await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: 'versioned', ...object, S3ObjectVersion: first }),
    )
    expect(updated.CodeSize).toBe(8)
    await host.settled()
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: 'versioned' }))
    expect(await (await fetch(Code?.Location ?? '')).text()).toBe('PK first')
  })

  it('serves layers too', async () => {
    await s3.put('packages', 'layer.zip', Buffer.from('PK layer'))
    const Content = { S3Bucket: 'packages', S3Key: 'layer.zip' }
    const published = await lambda.send(new PublishLayerVersionCommand({ LayerName: 'from-s3', Content }))
    expect(published).toMatchObject({ Version: 1, Content: { CodeSize: 8 } })
    await expect(
      lambda.send(
        new PublishLayerVersionCommand({ LayerName: 'from-s3', Content: { S3Bucket: 'nowhere', S3Key: 'layer.zip' } }),
      ),
    ).rejects.toThrow(/S3 Error Code: NoSuchBucket/)
  })

  it('is refused with what S3 said', async () => {
    await s3.put('packages', 'f.zip', Buffer.from('PK'))
    for (const [code, said] of [
      [{ S3Bucket: 'nowhere', S3Key: 'f.zip' }, /S3 Error Code: NoSuchBucket/],
      [{ S3Bucket: 'packages', S3Key: 'nothing' }, /S3 Error Code: NoSuchKey/],
      [
        { S3Bucket: 'packages', S3Key: 'f.zip', S3ObjectVersion: 'no-such-version' },
        /^Error occurred while GetObject\. S3 Error Code: /,
      ],
    ] as const) {
      await expect(create(code)).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: expect.stringMatching(said),
      })
    }
  })

  it('has the limits of packages: empty, no zip, and more bytes than a package may have', async () => {
    await s3.put('packages', 'empty.zip', Buffer.alloc(0))
    await s3.put('packages', 'text.zip', Buffer.from('no zip'))
    await s3.put('packages', 'large.zip', Buffer.alloc(1001))
    await expect(create({ S3Bucket: 'packages', S3Key: 'empty.zip' })).rejects.toThrow('non-empty zip')
    await expect(create({ S3Bucket: 'packages', S3Key: 'text.zip' })).rejects.toThrow('Could not unzip')
    await expect(create({ S3Bucket: 'packages', S3Key: 'large.zip' })).rejects.toThrow(
      'Unzipped size must be smaller than 1000 bytes',
    )
  })

  it('is one source only, and a whole one', async () => {
    await expect(create({ ZipFile: Buffer.from('PK'), S3Bucket: 'packages', S3Key: 'f.zip' })).rejects.toThrow(
      'Please do not provide other FunctionCode parameters when providing a ZipFile.',
    )
    await expect(create({ S3Bucket: 'packages' })).rejects.toThrow('Please provide both S3Bucket and S3Key.')
  })
})

describe('S3 that is not there', () => {
  afterEach(() => {
    for (const [name, value] of Object.entries(s3.environment)) vi.stubEnv(name, value)
  })
  const object = { bucket: 'packages', key: 'f.zip' }

  it('is told apart from a missing object, with what the operator can do', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${await freePort()}`)
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
    const elsewhere = new SdkS3Objects()
    await expect(elsewhere.get(object, 'eu-west-1', whole)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(/S3 cannot be reached from this host \(ECONNREFUSED.*AWS_ENDPOINT_URL_S3/),
    })
    elsewhere.close()
  })

  it('is told apart from missing credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
    const anonymous = new SdkS3Objects()
    await expect(anonymous.get(object, 'eu-west-1', whole)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(/This host has no credentials for S3/),
    })
    anonymous.close()
  })

  it('does not keep other requests from being served when one fails', async () => {
    const few = new SdkS3Objects()
    await s3.put('packages', 'again.zip', Buffer.from('PK again'))
    const missing = Array.from({ length: 5 }, () => few.get({ bucket: 'packages', key: 'nothing' }, 'us-east-1', whole))
    const results = await Promise.allSettled([
      ...missing,
      few.get({ bucket: 'packages', key: 'again.zip' }, 'us-east-1', whole),
    ])
    expect(results.map(({ status }) => status)).toEqual([...Array(5).fill('rejected'), 'fulfilled'])
    few.close()
  })

  it('counts against the same budget as the bodies of requests until it is stored', async () => {
    const budget = new Budget({ bytes: 1000, lent: 0, waitMs: 300 })
    const counted = new SdkS3Objects({ share: budget.share() })
    await s3.put('packages', 'counted.zip', Buffer.alloc(800))
    const name = { bucket: 'packages', key: 'counted.zip' }
    expect(await counted.get(name, 'us-east-1', async () => budget.bytes)).toBe(800)
    expect(budget.bytes).toBe(0)
    // Uploads are worked on: one has the room, one has the loan.
    const bodies = budget.share()
    for (const size of [900, 500]) bodies.open({ size, cut: () => {} }).take(size)
    await expect(counted.get(name, 'us-east-1', whole)).rejects.toMatchObject({ name: 'TooManyRequestsException' })
    counted.close()
  })

  it('waits for others no longer than it may', async () => {
    const few = new SdkS3Objects({ waitMs: 100 })
    await s3.put('packages', 'late.zip', Buffer.from('PK'))
    const name = { bucket: 'packages', key: 'late.zip' }
    const ends: (() => void)[] = []
    const working = [1, 2].map(() => few.get(name, 'us-east-1', () => new Promise<void>((end) => ends.push(end))))
    await until(() => ends.length === 2)
    await expect(few.get(name, 'us-east-1', whole)).rejects.toMatchObject({ name: 'TooManyRequestsException' })
    for (const end of ends) end()
    await Promise.all(working)
    expect(await few.get(name, 'us-east-1', async (bytes) => bytes.length)).toBe(2)
    few.close()
  })
})
