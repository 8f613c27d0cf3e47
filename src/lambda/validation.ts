/** AWS's wording of model constraints (recorded), as pure checks that collect every violation of a request. */
import { LambdaException } from './errors.ts'

export interface TextConstraint {
  readonly min?: number
  readonly max?: number
  /** Must match the whole value; shown to the caller as it is written here. */
  readonly pattern?: string
  readonly values?: readonly string[]
}

export interface NumberConstraint {
  readonly min?: number
  readonly max?: number
}

const compiled = new Map<string, RegExp>()

/** A pattern of the service model, compiled once. AWS's are anchored at both ends whatever they say themselves. */
export function wholeMatch(pattern: string): RegExp {
  let regex = compiled.get(pattern)
  if (regex === undefined) {
    regex = new RegExp(`^(?:${pattern})$`, pattern.includes('\\p{') ? 'u' : '')
    compiled.set(pattern, regex)
  }
  return regex
}

const longerThan = (n: number) => `Member must have length greater than or equal to ${n}`
const shorterThan = (n: number) => `Member must have length less than or equal to ${n}`
const oneOf = (values: readonly string[]) => `Member must satisfy enum value set: [${values.join(', ')}]`
const matching = (pattern: string) => `Member must satisfy regular expression pattern: ${pattern}`

/** Characters up to which a value that is too long is matched against its pattern all the same: the cost has a bound. */
const PATTERN_TESTED_MAX = 512

/** What is wrong with one text, one sentence each. AWS names every rule that is broken. */
export function textFaults(value: string, is: TextConstraint): string[] {
  const faults: string[] = []
  if (is.max !== undefined && value.length > is.max) faults.push(shorterThan(is.max))
  if (is.min !== undefined && value.length < is.min) faults.push(longerThan(is.min))
  const tooLong = is.max !== undefined && value.length > Math.max(is.max, PATTERN_TESTED_MAX)
  if (is.pattern !== undefined && !tooLong && !wholeMatch(is.pattern).test(value)) faults.push(matching(is.pattern))
  if (is.values !== undefined && !is.values.includes(value)) faults.push(oneOf(is.values))
  return faults
}

export function numberFaults(value: number, is: NumberConstraint): string[] {
  const faults: string[] = []
  if (is.max !== undefined && value > is.max) faults.push(`Member must have value less than or equal to ${is.max}`)
  if (is.min !== undefined && value < is.min) faults.push(`Member must have value greater than or equal to ${is.min}`)
  return faults
}

export function lengthFaults(length: number, is: NumberConstraint): string[] {
  const faults: string[] = []
  if (is.max !== undefined && length > is.max) faults.push(shorterThan(is.max))
  if (is.min !== undefined && length < is.min) faults.push(longerThan(is.min))
  return faults
}

/** All rules of a text, as AWS lists them for members of lists and maps whether broken or not. */
export function describeText(is: TextConstraint): string[] {
  return [
    ...(is.max === undefined ? [] : [shorterThan(is.max)]),
    ...(is.min === undefined ? [] : [longerThan(is.min)]),
    ...(is.pattern === undefined ? [] : [matching(is.pattern)]),
    ...(is.values === undefined ? [] : [oneOf(is.values)]),
  ]
}

/** One item of the message: `Value 'x' at 'member' failed to satisfy constraint: …`. `undefined` shows as null, without quotes. */
export function violation(shown: string | undefined, member: string, fault: string): string {
  return `Value ${shown === undefined ? 'null' : `'${shown}'`} at '${member}' failed to satisfy constraint: ${fault}`
}

/** The same for a value that the service model calls sensitive: AWS leaves it out. */
export function hiddenViolation(member: string, fault: string): string {
  return `Value at '${member}' failed to satisfy constraint: ${fault}`
}

/** `2 validation errors detected: …; …` */
export function violationMessage(violations: readonly string[]): string {
  const noun = violations.length === 1 ? 'error' : 'errors'
  return `${violations.length} validation ${noun} detected: ${violations.join('; ')}`
}

export function refuseViolations(violations: readonly string[]): void {
  if (violations.length > 0) throw new LambdaException('ValidationException', violationMessage(violations))
}
