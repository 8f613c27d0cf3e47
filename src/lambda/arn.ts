/** Names of functions as callers write them: plain names, partial and full ARNs, each with or without a qualifier. */
import { LambdaException } from './errors.ts'
import type { FunctionKey } from './function.ts'
import { refuseViolations, type TextConstraint, textFaults, violation, wholeMatch } from './validation.ts'

/** As the service model has it, character for character. */
export const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'
/** A region and nothing else. */
export const ONE_REGION = new RegExp(`^${REGION}$`)
const PREFIX = `(arn:(aws[a-zA-Z-]*)?:lambda:)?(${REGION}:)?(\\d{12}:)?(function:)?`

/**
 * The three expressions that AWS's operations use for FunctionName, character for character, because they are shown in errors.
 * `invoke`: Invoke, Get and Delete; `control`: whatever changes something; `url`: function URLs.
 */
export const FUNCTION_NAME = {
  invoke: {
    min: 1,
    max: 256,
    pattern: `${PREFIX}([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`,
  },
  control: { min: 1, max: 140, pattern: `${PREFIX}([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?` },
  url: { min: 1, max: 140, pattern: `${PREFIX}([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?` },
} as const satisfies Record<string, TextConstraint>

export type FunctionNamePattern = keyof typeof FUNCTION_NAME

export const QUALIFIER = {
  min: 1,
  max: 128,
  pattern: '\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+',
} as const satisfies TextConstraint

/** Places of the parts among the groups of all three expressions. */
const GROUP = { region: 3, account: 9, name: 11, qualifier: 13 } as const

/** The common case, decided without the long expression: nothing but a name. */
const PLAIN = /^[a-zA-Z0-9-_]{1,64}$/

export interface ParsedFunctionName {
  readonly account?: string
  readonly region?: string
  readonly name: string
  readonly qualifier?: string
}

/** `undefined`: the value has none of the accepted forms. */
export function parseFunctionName(value: string, pattern: FunctionNamePattern): ParsedFunctionName | undefined {
  if (PLAIN.test(value)) return { name: value }
  const { max, pattern: form } = FUNCTION_NAME[pattern]
  const match = value.length <= max ? wholeMatch(form).exec(value) : null
  const name = match?.[GROUP.name]
  if (match === null || name === undefined) return undefined
  return {
    name,
    account: match[GROUP.account]?.slice(0, -1),
    region: match[GROUP.region]?.slice(0, -1),
    qualifier: match[GROUP.qualifier],
  }
}

function violations(value: string, member: string, is: TextConstraint): string[] {
  return textFaults(value, is).map((fault) => violation(value, member, fault))
}

/** Where a request is answered: the account that signed it and the region it was sent to. */
export interface RequestScope {
  readonly account: string
  readonly region: string
}

export interface NamedFunction {
  readonly key: FunctionKey
  /** As the caller wrote it, in the name or as Qualifier; `undefined`: neither. */
  readonly qualifier: string | undefined
}

export interface ResolveOptions {
  readonly pattern: FunctionNamePattern
  /** Lambda's IAM action, e.g. `lambda:InvokeFunction`, for the refusal of other accounts' functions. */
  readonly action: string
  /** Whoever calls has asked the resource policy, or asks it later: functions of other accounts are not refused here. */
  readonly granted?: boolean
}

/**
 * Turns FunctionName and Qualifier into the function that is meant, in AWS's order of checks: model constraints (all together), region,
 * qualifier conflict, account. Whether the function exists is not asked.
 *
 * @throws LambdaException ValidationException, ResourceNotFoundException, InvalidParameterValueException, AccessDeniedException
 */
export function resolveFunctionName(
  value: string,
  qualifierQuery: string | undefined,
  scope: RequestScope,
  { pattern, action, granted = false }: ResolveOptions,
): NamedFunction {
  if (qualifierQuery === undefined && PLAIN.test(value)) {
    return { key: { account: scope.account, region: scope.region, name: value }, qualifier: undefined }
  }
  const parsed = parseFunctionName(value, pattern)
  const qualifierFaults = qualifierQuery === undefined ? [] : violations(qualifierQuery, 'qualifier', QUALIFIER)
  if (parsed === undefined || qualifierFaults.length > 0) {
    refuseViolations([...qualifierFaults, ...violations(value, 'functionName', FUNCTION_NAME[pattern])])
    throw new LambdaException('ValidationException', `'${value}' is not the name of a function`)
  }
  if (parsed.region !== undefined && parsed.region !== scope.region) {
    throw new LambdaException(
      'ResourceNotFoundException',
      `Functions from '${parsed.region}' are not reachable in this region ('${scope.region}')`,
    )
  }
  if (parsed.qualifier !== undefined && qualifierQuery !== undefined && parsed.qualifier !== qualifierQuery) {
    throw new LambdaException(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
  }
  const qualifier = qualifierQuery ?? parsed.qualifier
  const key = { account: parsed.account ?? scope.account, region: scope.region, name: parsed.name }
  if (key.account !== scope.account && !granted)
    throw accountRefused(scope.account, action, functionArn(key, qualifier))
  return { key, qualifier }
}

/** Other accounts' functions and layers are out of reach unless a resource policy grants the action. */
export function accountRefused(account: string, action: string, arn: string): LambdaException {
  return new LambdaException(
    'AccessDeniedException',
    `User: arn:aws:iam::${account}:root is not authorized to perform: ${action} on resource: ${arn} because no resource-based policy allows the ${action} action`,
  )
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-iso-', 'aws-iso'],
  ['eusc-', 'aws-eusc'],
]

export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'
}

export function functionArn(key: FunctionKey, qualifier?: string): string {
  const arn = `arn:${partitionOf(key.region)}:lambda:${key.region}:${key.account}:function:${key.name}`
  return qualifier === undefined ? arn : `${arn}:${qualifier}`
}

/** Digits that are a version's number: no sign, no leading zero. There is no version 0. */
export function isVersionNumber(qualifier: string): boolean {
  return /^[1-9][0-9]{0,14}$/.test(qualifier)
}

/** A version by name: `$LATEST` or a number. Any other qualifier is an alias. */
export function isVersion(qualifier: string): boolean {
  return qualifier === '$LATEST' || isVersionNumber(qualifier)
}
