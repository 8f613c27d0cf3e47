/** Where events end: ARNs of destinations and dead-letter queues, and which kinds each of them may have. */
import type { FunctionKey } from '../function.ts'
import { refused } from '../refusals.ts'

export type DestinationKind = 'sqs' | 'sns' | 'lambda' | 'events' | 's3'

export interface DestinationArn {
  readonly kind: DestinationKind
  readonly arn: string
  readonly region: string
  readonly account: string
  /** The part after the account, e.g. the queue's name, `function:f:live` or `event-bus/default`. */
  readonly resource: string
}

const ARN = /^arn:aws[a-zA-Z0-9-]*:([a-zA-Z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)$/

/** Resources of each service that can take an event; ordered (FIFO) queues and topics cannot. */
const RESOURCES: Readonly<Record<DestinationKind, RegExp>> = {
  sqs: /^[A-Za-z0-9_-]{1,80}$/,
  sns: /^[A-Za-z0-9_-]{1,256}$/,
  lambda: /^function:[a-zA-Z0-9-_]{1,64}(:(\$LATEST|[a-zA-Z0-9-_]{1,128}))?$/,
  events: /^event-bus\/[/.\-_A-Za-z0-9]{1,256}$/,
  s3: /^[0-9a-z.-]{3,63}$/,
}

/** `undefined`: not a resource that events can be sent to. */
export function parseDestination(arn: string): DestinationArn | undefined {
  const [, service = '', region = '', account = '', resource = ''] = ARN.exec(arn) ?? []
  const kind = service as DestinationKind
  if (!Object.hasOwn(RESOURCES, service) || !RESOURCES[kind].test(resource)) return undefined
  // A bucket's ARN has neither region nor account; everything else needs both.
  if (kind !== 's3' && (region === '' || account === '')) return undefined
  return { kind, arn, region, account, resource }
}

/** The function that a destination of kind `lambda` names. */
export function destinationFunction(target: DestinationArn): {
  readonly key: FunctionKey
  readonly qualifier: string | undefined
} {
  const [, name = '', qualifier] = target.resource.split(':')
  return { key: { account: target.account, region: target.region, name }, qualifier }
}

/** ARNs as a request gives them; an empty one takes the destination away. */
export interface Destinations {
  readonly onSuccess?: string
  readonly onFailure?: string
}

/**
 * The destinations that are given, the one for successes first.
 * @throws LambdaException InvalidParameterValueException in AWS's words, which print the whole configuration.
 */
export function checkedDestinations({ onSuccess, onFailure }: Destinations): DestinationArn[] {
  const checked = (arn: string, kinds: (kind: DestinationKind) => boolean) => {
    const target = parseDestination(arn)
    if (target !== undefined && kinds(target.kind)) return target
    const success = onSuccess ? `OnSuccess(destination=${onSuccess})` : 'null'
    const failure = onFailure ? `OnFailure(destination=${onFailure})` : 'null'
    throw refused(
      `The provided destination config DestinationConfig(onSuccess=${success}, onFailure=${failure}) is invalid.`,
    )
  }
  return [
    ...(onSuccess ? [checked(onSuccess, (kind) => kind !== 's3')] : []),
    ...(onFailure ? [checked(onFailure, () => true)] : []),
  ]
}

/** @throws LambdaException InvalidParameterValueException. AWS's wording is not recorded; this one is ours. */
export function checkDeadLetterTarget(arn: string): void {
  const kind = parseDestination(arn)?.kind
  if (kind === 'sqs' || kind === 'sns') return
  throw refused(
    `The provided DeadLetterConfig target ${arn} is invalid: it must be the ARN of a standard SQS queue or a standard SNS topic.`,
  )
}
