/**
 * No setting is accepted and ignored. Every member that the service model gives an operation is asked for: by the operation when it reads the
 * request, and by the control plane in what was read; or it is refused, and nothing but refused.
 */
import type { Context } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodeLocation } from '../../src/api/admin/code-location.ts'
import { inputViolations } from '../../src/api/model/check.ts'
import { INPUT_MODEL } from '../../src/api/model/shapes.ts'
import { OperationRequest } from '../../src/api/operations/parse.ts'
import { OPERATIONS, type Operation } from '../../src/api/operations/table.ts'
import type { Requests } from '../../src/control/requests.ts'
import { LambdaException } from '../../src/lambda/errors.ts'
import { type ControlPlaneHost, ROOM, startControlPlaneHost } from './control-plane-host.ts'

let host: ControlPlaneHost
let codeLocation: CodeLocation
// One for each test: operations delete what others need.
beforeEach(async () => {
  host = await startControlPlaneHost({ objects: { get: (_, _region, use) => use(Buffer.from('PK')) } })
  codeLocation = new CodeLocation({ secret: new Uint8Array(32), code: { get: async () => undefined }, clock: Date.now })
  KEY = host.keys.create({ account: ACCOUNT, region: 'us-east-1', description: '' }).arn!
  for (const [name, sample] of PREPARATION) {
    expect((await send(operation(name), sample)).error).toBeUndefined()
    await host.settled()
  }
})
afterEach(() => host.close())

const ACCOUNT = '111111111111'
const ARN = `arn:aws:lambda:us-east-1:${ACCOUNT}`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`
const ZIP = Buffer.from('PK').toString('base64')
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:q`
const REVISION = '00000000-0000-4000-8000-000000000000'
const CODE_SIGNING_CONFIG = `${ARN}:code-signing-config:csc-0123456789abcdef0`
let KEY = ''

interface Sample {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
}

const operation = (name: string) => OPERATIONS.find((one) => one.name === name)!

/** By the label of the path; functions, layers and aliases that are there. */
const PATH = {
  FunctionName: 'f',
  Name: 'live',
  LayerName: 'l',
  VersionNumber: '1',
  StatementId: 's1',
  Resource: `${ARN}:function:f`,
  ResourceArn: `${ARN}:function:f`,
  CodeSigningConfigArn: CODE_SIGNING_CONFIG,
}

const QUERY = {
  Qualifier: 'live',
  Marker: 'x',
  MaxItems: '5',
  RevisionId: REVISION,
  FunctionVersion: '1',
  MasterRegion: 'us-east-1',
  CompatibleRuntime: 'nodejs22.x',
  CompatibleArchitecture: 'x86_64',
  Arn: `${ARN}:layer:l:1`,
  tagKeys: 'a',
}

const zipSettings = () => ({
  Runtime: 'nodejs22.x',
  Role: ROLE,
  Handler: 'index.handler',
  Description: 'd',
  Timeout: 3,
  MemorySize: 128,
  EphemeralStorage: { Size: 512 },
  Environment: { Variables: { KEY_A: 'v' } },
  LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'INFO', LogGroup: 'g' },
  TracingConfig: { Mode: 'Active' },
  SnapStart: { ApplyOn: 'None' },
  Layers: [`${ARN}:layer:l:1`],
  VpcConfig: { SubnetIds: ['subnet-0a'], SecurityGroupIds: ['sg-0a'], Ipv6AllowedForDualStack: false },
  DeadLetterConfig: { TargetArn: QUEUE },
  KMSKeyArn: KEY,
  FileSystemConfigs: [{ Arn: Object.keys(ROOM.fileSystems)[0], LocalMountPath: '/mnt/a' }],
})
const ImageConfig = { EntryPoint: ['/a'], Command: ['b'], WorkingDirectory: '/c' }
const s3 = { S3Bucket: 'bucket', S3Key: 'key', S3ObjectVersion: 'v1', S3ObjectStorageMode: 'COPY' }
const PERMISSION = {
  StatementId: 's1',
  Action: 'lambda:InvokeFunction',
  Principal: '222222222222',
  SourceArn: 'arn:aws:s3:::b',
  SourceAccount: ACCOUNT,
  EventSourceToken: 't',
  FunctionUrlAuthType: 'NONE',
  InvokedViaFunctionUrl: true,
  PrincipalOrgID: 'o-1234567890',
  RevisionId: REVISION,
}
const EVENT_INVOKE = {
  MaximumRetryAttempts: 1,
  MaximumEventAgeInSeconds: 60,
  DestinationConfig: {
    OnSuccess: { Destination: QUEUE },
    OnFailure: { Destination: QUEUE },
  },
}
const CODE_SIGNING = {
  Description: 'd',
  AllowedPublishers: { SigningProfileVersionArns: [`arn:aws:signer:us-east-1:${ACCOUNT}:/signing-profiles/p`] },
  CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' },
}
const RoutingConfig = { AdditionalVersionWeights: { '2': 0.5 } }
const published = (changes: object) => ({ FunctionName: 'g', ...zipSettings(), ...changes })

const QUERIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ListFunctions: { FunctionVersion: 'ALL' },
  PutRuntimeManagementConfig: { Qualifier: '1' },
}

/** Bodies with every member that is not refused; several where members exclude one another. */
const BODIES: Readonly<Record<string, () => readonly object[]>> = {
  AddLayerVersionPermission: () => [
    { StatementId: 's2', Action: 'lambda:GetLayerVersion', Principal: '*', OrganizationId: 'o-1234567890' },
  ],
  AddPermission: () => [PERMISSION],
  CreateAlias: () => [{ Name: 'a', FunctionVersion: '1', Description: 'd', RoutingConfig }],
  CreateCodeSigningConfig: () => [{ ...CODE_SIGNING, Tags: { a: 'b' } }],
  CreateFunction: () => [
    published({
      Code: { ZipFile: ZIP, SourceKMSKeyArn: KEY },
      PackageType: 'Zip',
      Architectures: ['x86_64'],
      Publish: true,
      Tags: { a: 'b' },
    }),
    published({ FunctionName: 's', Code: s3 }),
    published({ FunctionName: 'c', Code: { ZipFile: ZIP }, CodeSigningConfigArn: CODE_SIGNING_CONFIG }),
    { FunctionName: 'i', Role: ROLE, PackageType: 'Image', Code: { ImageUri: 'repository:tag' }, ImageConfig },
  ],
  PublishLayerVersion: () => [
    {
      Description: 'd',
      Content: { ZipFile: ZIP },
      CompatibleRuntimes: ['nodejs22.x'],
      CompatibleArchitectures: ['x86_64'],
      LicenseInfo: 'MIT',
    },
    { Content: s3 },
  ],
  PublishVersion: () => [{ CodeSha256: 'x' }, { Description: 'd' }, { RevisionId: REVISION }],
  PutFunctionCodeSigningConfig: () => [{ CodeSigningConfigArn: CODE_SIGNING_CONFIG }],
  PutFunctionConcurrency: () => [{ ReservedConcurrentExecutions: 1 }],
  PutFunctionEventInvokeConfig: () => [EVENT_INVOKE],
  PutFunctionRecursionConfig: () => [{ RecursiveLoop: 'Allow' }],
  PutProvisionedConcurrencyConfig: () => [{ ProvisionedConcurrentExecutions: 1 }],
  PutResourcePolicy: () => [{ Policy: '{}', RevisionId: REVISION }],
  PutRuntimeManagementConfig: () => [
    { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: `arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}` },
  ],
  TagResource: () => [{ Tags: { a: 'b' } }],
  UpdateAlias: () => [{ FunctionVersion: '1', Description: 'd', RoutingConfig, RevisionId: REVISION }],
  UpdateCodeSigningConfig: () => [CODE_SIGNING],
  UpdateFunctionCode: () => [
    { ZipFile: ZIP, SourceKMSKeyArn: KEY, Architectures: ['x86_64'], DryRun: true },
    { ZipFile: ZIP, Publish: true },
    { ZipFile: ZIP, RevisionId: REVISION },
    { ...s3 },
    { ImageUri: 'repository:tag' },
  ],
  UpdateFunctionConfiguration: () => [zipSettings(), { ImageConfig }, { RevisionId: REVISION }],
  UpdateFunctionEventInvokeConfig: () => [EVENT_INVOKE],
}

/** What is refused, with the smallest request that asks for it; members below one are refused with it. */
const s3Files = `arn:aws:s3files:us-east-1:${ACCOUNT}:file-system/fs-${'0'.repeat(17)}/access-point/fsap-${'0'.repeat(17)}`
const SETTINGS_REFUSED = {
  'FileSystemConfigs.S3FilesConfig': {
    FileSystemConfigs: [{ Arn: s3Files, LocalMountPath: '/mnt/a', S3FilesConfig: {} }],
  },
  CapacityProviderConfig: {
    CapacityProviderConfig: {
      LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: `${ARN}:capacity-provider:c` },
    },
  },
  DurableConfig: { DurableConfig: { ExecutionTimeout: 60 } },
  RuntimeConfig: {
    RuntimeConfig: { RuntimeArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:runtime/my-runtime`, RuntimeAlias: 'live' },
  },
  AcceleratorConfig: { AcceleratorConfig: { AcceleratorMemorySize: 16 } },
}
const REFUSED: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  CreateFunction: {
    ...SETTINGS_REFUSED,
    PublishTo: { PublishTo: 'LATEST_PUBLISHED' },
    TenancyConfig: { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } },
  },
  UpdateFunctionConfiguration: SETTINGS_REFUSED,
  UpdateFunctionCode: { PublishTo: { ZipFile: ZIP, PublishTo: 'LATEST_PUBLISHED' } },
  PublishVersion: { PublishTo: { PublishTo: 'LATEST_PUBLISHED' } },
}

/** Values that are refused of members that are not. */
const VALUES_REFUSED: readonly (readonly [operation: string, body: object])[] = [
  ['CreateFunction', published({ Code: { ...s3, S3ObjectStorageMode: 'REFERENCE' } })],
  ['UpdateFunctionCode', { ...s3, S3ObjectStorageMode: 'REFERENCE' }],
  ['PublishLayerVersion', { Content: { ...s3, S3ObjectStorageMode: 'REFERENCE' } }],
  ['CreateFunction', published({ Code: { ZipFile: ZIP }, Runtime: 'custom' })],
  ['UpdateFunctionConfiguration', { Runtime: 'custom' }],
  ['CreateFunction', published({ Code: { ZipFile: ZIP }, SnapStart: { ApplyOn: 'PublishedVersions' } })],
  ['UpdateFunctionConfiguration', { SnapStart: { ApplyOn: 'PublishedVersions' } }],
  ['UpdateFunctionConfiguration', { VpcConfig: { Ipv6AllowedForDualStack: true } }],
]

const PREPARATION: readonly (readonly [name: string, sample: Sample])[] = [
  ['PublishLayerVersion', { path: PATH, body: { Content: { ZipFile: ZIP } } }],
  [
    'CreateFunction',
    {
      body: {
        FunctionName: 'f',
        Role: ROLE,
        Runtime: 'nodejs22.x',
        Handler: 'a.b',
        Code: { ZipFile: ZIP },
        Publish: true,
      },
    },
  ],
  ['CreateAlias', { path: PATH, body: { Name: 'live', FunctionVersion: '1' } }],
]

/** Members as `Code.ZipFile`; structures in lists count as structures. */
function membersOf({ name }: Operation): { path: string; place: string }[] {
  const walk = (shapeName: string, above: string): { path: string; place: string }[] => {
    const shape = INPUT_MODEL.shapes[shapeName]!
    if (shape.is === 'list' && INPUT_MODEL.shapes[shape.of]!.is === 'structure') return walk(shape.of, above)
    if (shape.is !== 'structure') return []
    return Object.entries(shape.members).flatMap(([member, place]) => {
      const path = above === '' ? member : `${above}.${member}`
      return typeof place === 'string'
        ? [{ path, place: 'body' }, ...walk(place, path)]
        : [{ path: place[2], place: place[1] }]
    })
  }
  return walk(INPUT_MODEL.operations[name]!.shape, '')
}

/** Notes every member that is asked for, in small letters: the wire and the control plane differ in capitals alone. */
function recording<T>(value: T, asked: Set<string>, above = ''): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return new Proxy(value, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver)
      if (typeof name !== 'string' || typeof found === 'function') return found
      if (Array.isArray(target)) return recording(found, asked, above)
      const path = above === '' ? name : `${above}.${name}`
      asked.add(path.toLowerCase())
      return recording(found, asked, path)
    },
  })
}

class RecordingRequest extends OperationRequest {
  readonly used = new Set<string>()

  override body<Name extends keyof Requests>(operation: Name): Requests[Name] {
    return recording(super.body(operation), this.used)
  }
}

interface Asked {
  /** Members of the path, the query and the JSON. */
  readonly read: ReadonlySet<string>
  /** Members of what was read of the JSON. */
  readonly used: ReadonlySet<string>
  readonly error: LambdaException | undefined
}

async function send(of: Operation, { path = {}, query = {}, body }: Sample): Promise<Asked> {
  const labels: Record<string, string> = { FunctionName: 'name', Name: 'alias' }
  const parameters = Object.entries(path).map(([label, value]) => [
    labels[label] ?? `${label[0]?.toLowerCase()}${label.slice(1)}`,
    value,
    label,
  ])
  const violations = inputViolations(of.name, {
    body: body ?? {},
    path: (label) => path[label],
    query: (name) => (query[name] === undefined ? undefined : [query[name]]),
    header: () => undefined,
  })
  expect(violations, `${of.name} ${JSON.stringify(body)}`).toEqual([])
  const read = new Set<string>()
  const asked = <T>(name: string, value: T): T => {
    read.add(name.toLowerCase())
    return value
  }
  const req = {
    url: 'http://h/',
    header: () => undefined,
    param: (name: string) => {
      const found = parameters.find(([parameter]) => parameter === name)
      return asked(found?.[2] ?? name, found?.[1])
    },
    query: (name: string) => asked(name, query[name]),
    queries: (name: string) => asked(name, query[name] === undefined ? undefined : [query[name]]),
  }
  const caller = { account: ACCOUNT, region: 'us-east-1' }
  const request = new RecordingRequest({ req } as unknown as Context, caller, of.name, recording(body ?? {}, read))
  const error = await of.handle!(request, { control: host.control, codeLocation }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  // Refusals are answers; anything else is a fault of this test.
  if (error !== undefined && !(error instanceof LambdaException)) throw error
  return { read, used: request.used, error }
}

const below = (path: string, refused: readonly string[]) =>
  refused.some((one) => path === one || path.startsWith(`${one}.`))

describe('every member of the model', () => {
  // Filters and pages of an operation that finds nothing have nothing to select.
  for (const one of OPERATIONS.filter(({ handle, none }) => handle !== undefined && none === undefined)) {
    it(`is used or refused by ${one.name}`, async () => {
      const refused = Object.keys(REFUSED[one.name] ?? {})
      const members = membersOf(one).filter(({ path }) => !below(path, refused))
      const query = Object.fromEntries(
        Object.entries({ ...QUERY, ...QUERIES[one.name] }).filter(([name]) =>
          members.some(({ path }) => path === name),
        ),
      )
      const read = new Set<string>()
      const used = new Set<string>()
      for (const body of BODIES[one.name]?.() ?? [undefined]) {
        const asked = await send(one, { path: PATH, query, body })
        for (const path of asked.read) read.add(path)
        for (const path of asked.used) used.add(path)
        await host.settled()
      }
      expect(members.filter(({ path }) => !read.has(path.toLowerCase())).map(({ path }) => path)).toEqual([])
      const inBody = members.filter(({ place }) => place === 'body')
      expect(inBody.filter(({ path }) => !used.has(path.toLowerCase())).map(({ path }) => path)).toEqual([])
    })
  }
})

describe('members that are refused', () => {
  const minimal = (name: string) =>
    name === 'CreateFunction'
      ? { FunctionName: 'x', Role: ROLE, Runtime: 'nodejs22.x', Handler: 'a.b', Code: { ZipFile: ZIP } }
      : {}
  const rows = Object.entries(REFUSED).flatMap(([name, members]) =>
    Object.entries(members).map(([member, body]) => [name, member, { ...minimal(name), ...body }] as const),
  )
  it.each(rows)('%s %s', async (name, _member, body) => {
    const { error } = await send(operation(name), { path: PATH, body })
    expect(error).toMatchObject({ name: 'InvalidParameterValueException' })
    expect(error?.message).toMatch(/ is not supported by Hearth(?: yet\.|: .+\.)$/)
  })

  it.each(VALUES_REFUSED)('by the value of another: %s (%#)', async (name, body) => {
    const { error } = await send(operation(name), { path: PATH, body })
    expect(error?.message).toMatch(/ is not supported by Hearth(?: yet\.|: .+\.)$/)
  })
})
