/** The Condition element of a statement: which operators and keys there are, and whether a condition holds for a call. Pure. */
import { matchesArn, matchesWildcard } from './wildcard.ts'

type Test = (expected: string, actual: string) => boolean

export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

/** What one call carries, by key in small letters. A key that exists but that this call does not carry is absent. */
export type ConditionContext = Readonly<Partial<Record<ConditionKey, string>>>

/** Every key that some call to this host carries. A condition on any other key is one that the host cannot judge. */
const KEYS = [
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalisawsservice',
  'aws:principalservicename',
  'aws:principaltype',
  'aws:sourceaccount',
  'aws:sourcearn',
  'lambda:eventsourcetoken',
  'lambda:functionurlauthtype',
  'lambda:invokedviafunctionurl',
] as const

export type ConditionKey = (typeof KEYS)[number]

const isKey = (name: string): name is ConditionKey => (KEYS as readonly string[]).includes(name)

const equals: Test = (expected, actual) => expected === actual
const equalsIgnoringCase: Test = (expected, actual) => expected.toLowerCase() === actual.toLowerCase()

/** Each operator's test of one value; `negated` ones hold when no value passes it. */
const OPERATORS: Readonly<Record<string, { readonly test: Test; readonly negated?: true }>> = {
  StringEquals: { test: equals },
  StringNotEquals: { test: equals, negated: true },
  StringEqualsIgnoreCase: { test: equalsIgnoringCase },
  StringNotEqualsIgnoreCase: { test: equalsIgnoringCase, negated: true },
  StringLike: { test: matchesWildcard },
  StringNotLike: { test: matchesWildcard, negated: true },
  ArnEquals: { test: matchesArn },
  ArnNotEquals: { test: matchesArn, negated: true },
  ArnLike: { test: matchesArn },
  ArnNotLike: { test: matchesArn, negated: true },
  Bool: { test: equalsIgnoringCase },
}

const IF_EXISTS = 'IfExists'

export function isOperator(name: string): boolean {
  return name === 'Null' || operatorOf(name) !== undefined
}

function operatorOf(name: string) {
  const base = name.endsWith(IF_EXISTS) ? name.slice(0, -IF_EXISTS.length) : name
  return Object.hasOwn(OPERATORS, base) ? OPERATORS[base] : undefined
}

/**
 * Whether all conditions hold: all operators and all keys, each with any of its values. A key that the call does not carry fails all but
 * negated and IfExists operators (developer guide of IAM, "Condition operators").
 *
 * @returns `unknown` where an operator or a key is none of ours: whoever asks takes the side that lets fewer calls through
 */
export function conditionsHold(conditions: Conditions | undefined, context: ConditionContext): boolean | 'unknown' {
  let all: boolean | 'unknown' = true
  for (const [operator, keys] of Object.entries(conditions ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      const name = key.toLowerCase()
      const holds = isKey(name) ? conditionHolds(operator, many(values), context[name]) : 'unknown'
      if (holds === false) return false
      if (holds === 'unknown') all = 'unknown'
    }
  }
  return all
}

function conditionHolds(name: string, expected: readonly string[], actual: string | undefined): boolean | 'unknown' {
  if (name === 'Null') return expected.some((value) => equalsIgnoringCase(value, String(actual === undefined)))
  const operator = operatorOf(name)
  if (operator === undefined) return 'unknown'
  const negated = operator.negated === true
  if (actual === undefined) return negated || name.endsWith(IF_EXISTS)
  return expected.some((value) => operator.test(value, actual)) !== negated
}

function many(values: string | readonly string[]): readonly string[] {
  return typeof values === 'string' ? [values] : values
}
