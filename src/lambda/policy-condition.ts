/** The Condition element of a statement: which operators there are, and whether they hold for a call. Pure. */
import { matchesWildcard } from './wildcard.ts'

type Test = (expected: string, actual: string) => boolean

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
  ArnEquals: { test: matchesWildcard },
  ArnNotEquals: { test: matchesWildcard, negated: true },
  ArnLike: { test: matchesWildcard },
  ArnNotLike: { test: matchesWildcard, negated: true },
  Bool: { test: equalsIgnoringCase },
}

const IF_EXISTS = /IfExists$/

export function isOperator(name: string): boolean {
  return Object.hasOwn(OPERATORS, name.replace(IF_EXISTS, ''))
}

/** @param context what the call carries, by the key in small letters; a key that is missing fails all but negated and IfExists operators */
export function conditionsHold(
  conditions: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>> | undefined,
  context: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(conditions ?? {}).every(([name, keys]) => {
    const operator = OPERATORS[name.replace(IF_EXISTS, '')]
    if (operator === undefined) return false
    return Object.entries(keys).every(([key, values]) => {
      const actual = Object.hasOwn(context, key.toLowerCase()) ? context[key.toLowerCase()] : undefined
      if (actual === undefined) return IF_EXISTS.test(name) || operator.negated === true
      const expected = typeof values === 'string' ? [values] : values
      return expected.some((value) => operator.test(value, actual)) !== (operator.negated === true)
    })
  })
}
