/**
 * THE table of operations that functions may call from inside their sandbox. What has no row does not exist there: a new operation of the API
 * is out of reach until somebody has decided about it here.
 */
import { LambdaException } from '../lambda/errors.ts'

/** HEARTH_FUNCTION_API, where it is not `off`. */
export type SandboxApiMode = 'invoke' | 'all'

export interface SandboxOperation {
  readonly name: string
  /** The least mode in which it exists. */
  readonly mode: SandboxApiMode
  /** Requests of it that are refused all the same. */
  readonly never?: readonly HostWork[]
}

/** Something that the host would do with its own credentials or connections, which the operator gave it and not the function. */
interface HostWork {
  /** Whether the body asks for it. */
  readonly asked: (body: Members) => boolean
  readonly sentence: string
}

type Members = Readonly<Record<string, unknown>>

const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {})
const isGiven = (value: unknown) =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== ''

const hasObject = (code: Members) => isGiven(code.S3Bucket) || isGiven(code.S3Key)

const S3 = "The host reads S3 with its operator's credentials. Send the package as ZipFile."
const REGISTRY = "The host pulls images with its operator's logins. Let the operator set the image."
const DESTINATION =
  "The host sends to queues, topics, buses, buckets and webhooks with its operator's credentials. A function may be the destination."
const ROOM = "VpcConfig and FileSystemConfigs connect functions with the operator's networks and file systems."

const OBJECT_IN_CODE: HostWork = { asked: ({ Code }) => hasObject(membersOf(Code)), sentence: S3 }
const OBJECT_IN_CONTENT: HostWork = { asked: ({ Content }) => hasObject(membersOf(Content)), sentence: S3 }
const OBJECT: HostWork = { asked: hasObject, sentence: S3 }
const IMAGE_IN_CODE: HostWork = { asked: ({ Code }) => isGiven(membersOf(Code).ImageUri), sentence: REGISTRY }
const IMAGE: HostWork = { asked: ({ ImageUri }) => isGiven(ImageUri), sentence: REGISTRY }
const DEAD_LETTERS: HostWork = {
  asked: ({ DeadLetterConfig }) => isGiven(membersOf(DeadLetterConfig).TargetArn),
  sentence: DESTINATION,
}
const DESTINATIONS: HostWork = {
  asked: ({ DestinationConfig }) => {
    const { OnSuccess, OnFailure } = membersOf(DestinationConfig)
    return [OnSuccess, OnFailure].some((one) => {
      const { Destination } = membersOf(one)
      return isGiven(Destination) && !/^arn:[^:]*:lambda:/.test(String(Destination))
    })
  },
  sentence: DESTINATION,
}
const MACHINE_ROOM: HostWork = {
  asked: ({ VpcConfig, FileSystemConfigs }) => {
    const { SubnetIds, SecurityGroupIds } = membersOf(VpcConfig)
    return [SubnetIds, SecurityGroupIds, FileSystemConfigs].some(isGiven)
  },
  sentence: ROOM,
}

const inAll = (name: string, ...never: readonly HostWork[]): SandboxOperation => ({ name, mode: 'all', never })

export const SANDBOX_OPERATIONS: readonly SandboxOperation[] = [
  { name: 'Invoke', mode: 'invoke' },
  { name: 'InvokeAsync', mode: 'invoke' },
  { name: 'InvokeWithResponseStream', mode: 'invoke' },
  inAll('AddLayerVersionPermission'),
  inAll('AddPermission'),
  inAll('CreateAlias'),
  inAll('CreateCodeSigningConfig'),
  inAll('CreateFunction', OBJECT_IN_CODE, IMAGE_IN_CODE, DEAD_LETTERS, MACHINE_ROOM),
  inAll('DeleteAlias'),
  inAll('DeleteCapacityProvider'),
  inAll('DeleteCodeSigningConfig'),
  inAll('DeleteDurableExecution'),
  inAll('DeleteEventSourceMapping'),
  inAll('DeleteFunction'),
  inAll('DeleteFunctionCodeSigningConfig'),
  inAll('DeleteFunctionConcurrency'),
  inAll('DeleteFunctionEventInvokeConfig'),
  inAll('DeleteFunctionUrlConfig'),
  inAll('DeleteLayerVersion'),
  inAll('DeleteProvisionedConcurrencyConfig'),
  inAll('DeleteResourcePolicy'),
  inAll('GetAccountSettings'),
  inAll('GetAlias'),
  inAll('GetCapacityProvider'),
  inAll('GetCodeSigningConfig'),
  inAll('GetDurableExecution'),
  inAll('GetDurableExecutionHistory'),
  inAll('GetDurableExecutionState'),
  inAll('GetEventSourceMapping'),
  inAll('GetFunction'),
  inAll('GetFunctionCodeSigningConfig'),
  inAll('GetFunctionConcurrency'),
  inAll('GetFunctionConfiguration'),
  inAll('GetFunctionEventInvokeConfig'),
  inAll('GetFunctionRecursionConfig'),
  inAll('GetFunctionScalingConfig'),
  inAll('GetFunctionUrlConfig'),
  inAll('GetLayerVersion'),
  inAll('GetLayerVersionByArn'),
  inAll('GetLayerVersionPolicy'),
  inAll('GetPolicy'),
  inAll('GetProvisionedConcurrencyConfig'),
  inAll('GetResourcePolicy'),
  inAll('GetRuntimeManagementConfig'),
  inAll('ListAliases'),
  inAll('ListCapacityProviders'),
  inAll('ListCodeSigningConfigs'),
  inAll('ListDurableExecutionsByFunction'),
  inAll('ListEventSourceMappings'),
  inAll('ListFunctionEventInvokeConfigs'),
  inAll('ListFunctionUrlConfigs'),
  inAll('ListFunctionVersionsByCapacityProvider'),
  inAll('ListFunctions'),
  inAll('ListFunctionsByCodeSigningConfig'),
  inAll('ListLayerVersions'),
  inAll('ListLayers'),
  inAll('ListProvisionedConcurrencyConfigs'),
  inAll('ListTags'),
  inAll('ListVersionsByFunction'),
  inAll('PublishLayerVersion', OBJECT_IN_CONTENT),
  inAll('PublishVersion'),
  inAll('PutFunctionCodeSigningConfig'),
  inAll('PutFunctionConcurrency'),
  inAll('PutFunctionEventInvokeConfig', DESTINATIONS),
  inAll('PutFunctionRecursionConfig'),
  inAll('PutProvisionedConcurrencyConfig'),
  inAll('PutResourcePolicy'),
  inAll('PutRuntimeManagementConfig'),
  inAll('RemoveLayerVersionPermission'),
  inAll('RemovePermission'),
  inAll('TagResource'),
  inAll('UntagResource'),
  inAll('UpdateAlias'),
  inAll('UpdateCodeSigningConfig'),
  inAll('UpdateFunctionCode', OBJECT, IMAGE),
  inAll('UpdateFunctionConfiguration', DEAD_LETTERS, MACHINE_ROOM),
  inAll('UpdateFunctionEventInvokeConfig', DESTINATIONS),
]

/** Operations that have no row although the host has them, each with its reason. A test holds both lists complete. */
export const NEVER_INSIDE: Readonly<Record<string, string>> = {
  CreateEventSourceMapping: "the host would read queues and streams with its operator's credentials",
  UpdateEventSourceMapping: "the host would read queues and streams with its operator's credentials",
}

const ROWS: ReadonlyMap<string, SandboxOperation> = new Map(SANDBOX_OPERATIONS.map((row) => [row.name, row]))

export function existsInside(operation: string, mode: SandboxApiMode): boolean {
  const row = ROWS.get(operation)
  return row !== undefined && (row.mode === 'invoke' || mode === 'all')
}

/** @throws LambdaException AccessDeniedException when the request would make the host act for the function */
export function refuseHostWork(operation: string, json: unknown): void {
  const work = ROWS.get(operation)?.never?.find(({ asked }) => asked(membersOf(json)))
  if (work !== undefined) {
    throw new LambdaException('AccessDeniedException', `${operation} from inside a function: ${work.sentence}`)
  }
}

/** Body members that may name something of another account. */
const NAMES = ['FunctionName', 'CodeSigningConfigArn', 'Layers'] as const

/** The account in an ARN, or in the short form `123456789012:function:name`, with or without a region before it. */
const ACCOUNT = /^(?:arn:[^:]*:[^:]*:[^:]*:|[a-z0-9-]+:)?(\d{12}):/

/** The other account that a request names, in its path, its query or its body. Only invocations may cross accounts. */
export function foreignAccount(
  own: string,
  request: { readonly values: readonly string[]; readonly body: unknown },
): string | undefined {
  const body = membersOf(request.body)
  const named = NAMES.flatMap((name) => body[name] ?? []).filter((value) => typeof value === 'string')
  const { OnSuccess, OnFailure } = membersOf(body.DestinationConfig)
  const destinations = [OnSuccess, OnFailure].map((one) => membersOf(one).Destination ?? '')
  return [...request.values, ...named, ...destinations]
    .map((value) => ACCOUNT.exec(String(value))?.[1])
    .find((account) => account !== undefined && account !== own)
}
