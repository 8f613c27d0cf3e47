/** Code-signing configurations through the official client: AWS's recorded answers, and what each of them lets be deployed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateCodeSigningConfigCommand,
  type CreateCodeSigningConfigCommandInput,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionCommand,
  ListCodeSigningConfigsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedPackage } from '../../src/cli/package/signed-package.ts'
import observed from '../fixtures/observed-errors-code-signing.json' with { type: 'json' }
import { type Issued, issue } from '../support/certificates.ts'
import { zipped } from '../support/functions.ts'
import { unpackingCodeStore } from './control-plane-host.ts'
import { arn, controlPlane } from './control-plane-session.ts'
import { expectRecorded } from './recorded-error.ts'

const signer = (rest: string) => `arn:aws:signer:us-east-1:111111111111:/signing-${rest}`
const PROFILE = signer('profiles/release/0000000001')
const OTHER = signer('profiles/other/0000000001')
const EXPIRED = signer('profiles/expired/0000000001')
const REVOKED_JOB = signer('jobs/revoked')
const JOB = signer('jobs/job-1')
const NO_CONFIG = 'arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-00000000000000000'

const folder = mkdtempSync(join(tmpdir(), 'hearth-code-signing-'))
afterAll(() => rmSync(folder, { recursive: true }))
const signers: Readonly<Record<string, Issued>> = {
  [PROFILE]: await issue({ name: 'release' }),
  [OTHER]: await issue({ name: 'other' }),
  [EXPIRED]: await issue({ name: 'expired', until: new Date('2024-01-01') }),
}
const profiles = Object.entries(signers).map(([profile, { certificate, pem }]) => {
  const path = join(folder, `${certificate.subject}.pem`)
  writeFileSync(path, pem)
  return [profile, path] as const
})
const {
  host,
  lambda,
  newName,
  request: anyRequest,
  answered: body,
} = await controlPlane({
  code: unpackingCodeStore(join(folder, 'code'), Object.fromEntries(profiles)),
  revoked: [REVOKED_JOB],
})
const packages: Record<string, Uint8Array> = {}
beforeAll(async () => {
  const plain = await zipped({ 'index.js': 'exports.handler = async () => 1', 'lib/a.js': 'a' })
  packages.trusted = await sign(plain)
  packages.unsigned = plain
  packages.mismatch = await sign(plain, OTHER)
  packages.expired = await sign(plain, EXPIRED)
  packages.outdated = await sign(plain, PROFILE, JOB, Date.parse('2024-01-01'))
  packages.revoked = await sign(plain, PROFILE, REVOKED_JOB)
  // Names are there as they are, contents are compressed: a file has another name than was signed.
  const renamed = Buffer.from(packages.trusted).toString('latin1').replaceAll('lib/a.js', 'lib/b.js')
  packages.integrity = Buffer.from(renamed, 'latin1')
})

function sign(zip: Uint8Array, profileVersionArn = PROFILE, jobArn = JOB, expires?: number): Promise<Buffer> {
  const { key, certificate } = signers[profileVersionArn]!
  return signedPackage(zip, { key, certificates: [certificate], profileVersionArn, jobArn, expires })
}

async function config(policy?: 'Warn' | 'Enforce', rest: Partial<CreateCodeSigningConfigCommandInput> = {}) {
  const { CodeSigningConfig } = await lambda.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE, EXPIRED] },
      ...(policy && { CodeSigningPolicies: { UntrustedArtifactOnDeployment: policy } }),
      ...rest,
    }),
  )
  return CodeSigningConfig!.CodeSigningConfigArn!
}

const request = (changes: Partial<CreateFunctionCommandInput> = {}) =>
  anyRequest({ Runtime: 'nodejs22.x', Code: { ZipFile: packages.trusted }, ...changes })

async function create(changes: Partial<CreateFunctionCommandInput> = {}) {
  const created = await lambda.send(new CreateFunctionCommand(request(changes)))
  await host.settled()
  return created
}

async function functionWith(CodeSigningConfigArn: string): Promise<string> {
  return (await create({ CodeSigningConfigArn })).FunctionName!
}

async function update(FunctionName: string, ZipFile: Uint8Array | undefined, rest: object = {}) {
  const updated = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, ...rest }))
  await host.settled()
  return updated
}

async function publishLayer(ZipFile: Uint8Array | undefined): Promise<string> {
  const LayerName = newName()
  return (await lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile } }))).LayerVersionArn!
}

const shown = async (FunctionName: string) => {
  const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
  return { profile: found.SigningProfileVersionArn, job: found.SigningJobArn }
}
const SHOWN = { profile: PROFILE, job: JOB }
const NOT_SHOWN = { profile: undefined, job: undefined }

describe('a code-signing configuration', () => {
  it('is made, read, changed and deleted with the documented members', async () => {
    const made = await config(undefined, { Description: 'first', Tags: { a: 'b' } })
    expect(made).toMatch(/^arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-[0-9a-f]{17}$/)
    expect(lambda.last().status).toBe(201)
    const expected = {
      CodeSigningConfigId: made.split(':').at(-1),
      CodeSigningConfigArn: made,
      Description: 'first',
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE, EXPIRED] },
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' },
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
    }
    expect(body()).toEqual({ CodeSigningConfig: expected })
    await lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: made }))
    expect(body()).toEqual({ CodeSigningConfig: expected })

    const change = { CodeSigningConfigArn: made, AllowedPublishers: { SigningProfileVersionArns: [OTHER] } }
    await lambda.send(new UpdateCodeSigningConfigCommand(change))
    expect(body()).toEqual({
      CodeSigningConfig: { ...expected, AllowedPublishers: { SigningProfileVersionArns: [OTHER] } },
    })
    await lambda.send(new ListCodeSigningConfigsCommand({}))
    expect(body().CodeSigningConfigs).toContainEqual({
      ...expected,
      AllowedPublishers: { SigningProfileVersionArns: [OTHER] },
    })
    await lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: made }))
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await expect(lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: made }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `The Lambda code signing configuration ${made} can not be found.`,
    })
  })

  it('has tags', async () => {
    const Resource = await config('Warn', { Tags: { a: 'b' } })
    await lambda.send(new TagResourceCommand({ Resource, Tags: { c: 'd' } }))
    await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['a', 'z'] }))
    expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ c: 'd' })
    const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v']))
    await expect(lambda.send(new TagResourceCommand({ Resource, Tags }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'Number of tags exceeds resource tag limit.',
    })
    await expect(lambda.send(new ListTagsCommand({ Resource: NO_CONFIG }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  it('belongs to its account and region', async () => {
    const CodeSigningConfigArn = await config('Warn')
    const strangers = [
      host.client({ credentials: { accessKeyId: 'AKIDOFTWO', secretAccessKey: 'x' } }),
      host.client({ region: 'eu-west-1' }),
    ]
    for (const stranger of strangers) {
      await expect(stranger.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }))).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      })
      await expect(stranger.send(new CreateFunctionCommand(request({ CodeSigningConfigArn })))).rejects.toMatchObject({
        name: 'CodeSigningConfigNotFoundException',
      })
      expect((await stranger.send(new ListCodeSigningConfigsCommand({}))).CodeSigningConfigs).toEqual([])
    }
  })

  it('allows one to twenty publishers', async () => {
    for (const length of [0, 21]) {
      const SigningProfileVersionArns = Array.from({ length }, () => PROFILE)
      await expect(config('Warn', { AllowedPublishers: { SigningProfileVersionArns } })).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining("at 'allowedPublishers.signingProfileVersionArns' failed to satisfy"),
      })
    }
  })

  it('is given to functions, listed with them and taken away', async () => {
    const CodeSigningConfigArn = await config('Enforce')
    const FunctionName = (await create()).FunctionName!
    await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }))
    expect(body()).toEqual({ CodeSigningConfigArn, FunctionName })
    await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
    expect(body()).toEqual({ CodeSigningConfigArn, FunctionName })
    await lambda.send(new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }))
    expect(body()).toEqual({ FunctionArns: [arn(FunctionName)] })
    await expect(lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))).rejects.toMatchObject({
      name: 'ResourceConflictException',
    })
    await lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }))
    expect(lambda.last()).toMatchObject({ status: 204, body: '' })
    await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
    expect(body()).toEqual({})
    await lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))
  })

  it('is not for container images', async () => {
    const CodeSigningConfigArn = await config('Warn')
    const image = {
      PackageType: 'Image',
      Code: { ImageUri: 'repository:tag' },
      Runtime: undefined,
      Handler: undefined,
    } as const
    const refusal = {
      name: 'InvalidParameterValueException',
      message: 'Code signing is not supported for functions defined as container images.',
    }
    await expect(create({ ...image, CodeSigningConfigArn })).rejects.toMatchObject(refusal)
    const { FunctionName } = await create(image)
    const put = new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn })
    await expect(lambda.send(put)).rejects.toMatchObject(refusal)
  })
})

describe('code of an allowed publisher', () => {
  it('is deployed under Enforce, and its versions tell who signed it', async () => {
    const created = await create({ CodeSigningConfigArn: await config('Enforce'), Publish: true })
    expect([created.SigningProfileVersionArn, created.SigningJobArn]).toEqual([PROFILE, JOB])
    const FunctionName = created.FunctionName!
    expect(await shown(`${FunctionName}:1`)).toEqual(SHOWN)
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }))
    await host.settled()
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    expect(await shown(`${FunctionName}:2`)).toEqual(SHOWN)
  })

  it('tells nothing without a configuration, for it was not verified', async () => {
    const { FunctionName } = await create()
    expect(await shown(FunctionName!)).toEqual(NOT_SHOWN)
  })
})

/** Package, and what the refusal says of it. */
const UNTRUSTED = [
  ['unsigned', /the deployment package: it is not signed\.$/],
  ['mismatch', /signed by arn:.*\/other\/0000000001, which is no allowed publisher\.$/],
  ['expired', /the certificate of its signer \(CN=expired\) expired on 2024-01-01T00:00:00\.000Z\.$/],
  ['outdated', /its signature expired on 2024-01-01T00:00:00\.000Z\.$/],
  ['revoked', /signing-jobs\/revoked is revoked\.$/],
] as const

describe('code that is not trusted', () => {
  for (const [name, reason] of UNTRUSTED) {
    it(`is not deployed under Enforce: ${name}`, async () => {
      const CodeSigningConfigArn = await config('Enforce')
      const refusal = { name: 'CodeVerificationFailedException', message: expect.stringMatching(reason) }
      const given = request({ CodeSigningConfigArn, Code: { ZipFile: packages[name] } })
      await expect(lambda.send(new CreateFunctionCommand(given))).rejects.toMatchObject(refusal)
      expect(lambda.last().status).toBe(400)
      expect(Object.keys(body())).toEqual(['Type', 'Message'])
      const { FunctionName } = given
      await expect(lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).rejects.toThrow('not found')

      const existing = await functionWith(CodeSigningConfigArn)
      await expect(update(existing, packages[name])).rejects.toMatchObject(refusal)
      await expect(update(existing, packages[name], { DryRun: true })).rejects.toMatchObject(refusal)
      expect(await shown(existing)).toEqual(SHOWN)
    })

    it(`is deployed under Warn, logged and counted, and nobody is shown as its signer: ${name}`, async () => {
      const FunctionName = await functionWith(await config('Warn'))
      expect(await shown(FunctionName)).toEqual(SHOWN)
      const [logged, events] = [host.logged.length, host.events.length]
      await update(FunctionName, packages[name], { DryRun: true })
      expect([host.logged.length, host.events.length]).toEqual([logged, events])
      await update(FunctionName, packages[name])
      expect(await shown(FunctionName)).toEqual(NOT_SHOWN)
      expect(host.logged.slice(logged).map(({ message }) => `${message}.`)).toEqual([expect.stringMatching(reason)])
      const fault = name === 'outdated' ? 'expired' : name
      expect(host.events.slice(events)).toMatchObject([
        { type: 'code.untrusted', function: { name: FunctionName }, fault },
      ])
    })
  }

  it('is never deployed when it was changed after it was signed', async () => {
    for (const policy of ['Warn', 'Enforce'] as const) {
      const CodeSigningConfigArn = await config(policy)
      const refusal = {
        name: 'InvalidCodeSignatureException',
        message: expect.stringContaining('"lib/b.js" is not covered by the signature'),
      }
      const Code = { ZipFile: packages.integrity }
      await expect(create({ CodeSigningConfigArn, Code })).rejects.toMatchObject(refusal)
      await expect(update(await functionWith(CodeSigningConfigArn), packages.integrity)).rejects.toMatchObject(refusal)
      expect(Object.keys(body())).toEqual(['Type', 'Message'])
    }
  })

  it('stays where it is deployed already: only the next deployment is verified', async () => {
    const { FunctionName } = await create({ Code: { ZipFile: packages.unsigned } })
    const CodeSigningConfigArn = await config('Enforce')
    await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }))
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }))
    await host.settled()
    await expect(update(FunctionName!, packages.unsigned)).rejects.toMatchObject({
      name: 'CodeVerificationFailedException',
    })
    await lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }))
    await update(FunctionName!, packages.unsigned)
  })

  it('follows the configuration as it is now', async () => {
    const CodeSigningConfigArn = await config('Enforce')
    const FunctionName = await functionWith(CodeSigningConfigArn)
    const AllowedPublishers = { SigningProfileVersionArns: [OTHER] }
    await lambda.send(new UpdateCodeSigningConfigCommand({ CodeSigningConfigArn, AllowedPublishers }))
    await expect(update(FunctionName, packages.trusted)).rejects.toMatchObject({
      name: 'CodeVerificationFailedException',
    })
    await update(FunctionName, packages.mismatch)
    expect(await shown(FunctionName)).toEqual({ profile: OTHER, job: JOB })
  })
})

describe('layers', () => {
  it('tell who signed them, and are verified with the functions that use them', async () => {
    const [trusted, unsigned] = [await publishLayer(packages.trusted), await publishLayer(packages.unsigned)]
    const [, , , , , , LayerName] = trusted.split(':')
    await lambda.send(new GetLayerVersionCommand({ LayerName, VersionNumber: 1 }))
    expect(body().Content).toMatchObject({ SigningProfileVersionArn: PROFILE, SigningJobArn: JOB })

    const CodeSigningConfigArn = await config('Enforce')
    const refusal = {
      name: 'CodeVerificationFailedException',
      message: expect.stringContaining(`for ${unsigned}: it is not signed.`),
    }
    await expect(create({ CodeSigningConfigArn, Layers: [trusted, unsigned] })).rejects.toMatchObject(refusal)
    const { FunctionName, Layers } = await create({ CodeSigningConfigArn, Layers: [trusted] })
    expect(Layers).toMatchObject([{ Arn: trusted, SigningProfileVersionArn: PROFILE, SigningJobArn: JOB }])
    const add = new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [unsigned] })
    await expect(lambda.send(add)).rejects.toMatchObject(refusal)

    const { FunctionName: free } = await create({ Layers: [unsigned] })
    await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: free, CodeSigningConfigArn }))
    await expect(update(free!, packages.trusted)).rejects.toMatchObject(refusal)
  })

  it('that were changed after they were signed may be published, but not under a configuration', async () => {
    const broken = await publishLayer(packages.integrity)
    expect(body().Content).not.toHaveProperty('SigningProfileVersionArn')
    const FunctionName = await functionWith(await config('Warn'))
    const add = new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [broken] })
    await expect(lambda.send(add)).rejects.toMatchObject({ name: 'InvalidCodeSignatureException' })
  })
})

const provocations: Readonly<Record<string, () => Promise<unknown>>> = {
  'test_code_signing_not_found_excs / put_function_csc_invalid_csc_arn': async () => {
    const { FunctionName } = await create()
    return lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn: NO_CONFIG }))
  },
  'test_code_signing_not_found_excs / delete_function_csc_fnnotfound': () =>
    lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: 'csc-test-doesnotexist' })),
  'test_code_signing_not_found_excs / delete_csc_notfound': () =>
    lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: NO_CONFIG })),
}

describe('recorded errors', () => {
  for (const row of observed) {
    it(`${row.httpStatus} ${row.code}: ${row.seenIn}`, async () => {
      const provoke = provocations[row.seenIn]
      if (provoke === undefined) throw new Error('no provocation for this recording')
      await expect(provoke()).rejects.toMatchObject({ name: row.code })
      expectRecorded(lambda.last(), row, { '<csc_arn_invalid>': NO_CONFIG })
    })
  }
})
