/** Single values of a request: their types, their rules, and how AWS shows them. */
import { LambdaException } from '../../lambda/errors.ts'
import type { TextConstraint } from '../../lambda/validation.ts'
import { LISTED_VALUES, PATTERNS } from './exceptions.ts'
import type { ModelShape, NumberModel, TextModel } from './shapes.ts'

export function constraint(name: string, shape: TextModel): TextConstraint {
  return {
    min: shape.min,
    max: shape.max,
    pattern: PATTERNS[name] ?? shape.pattern,
    values: LISTED_VALUES[name] ?? shape.values,
  }
}

/** `.*` means anything, line breaks too: the text of a licence has them. In other patterns a dot is no line break. */
export function tested(name: string, shape: TextModel): TextConstraint {
  const is = constraint(name, shape)
  return is.pattern === '.*' ? { ...is, pattern: undefined } : is
}

export const outOfRange = (value: number, { min, max }: NumberModel) =>
  (max !== undefined && value > max) || (min !== undefined && value < min)

const fraction = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value))

export function rangeRules({ min, max }: NumberModel): string[] {
  return [
    ...(max === undefined ? [] : [`Member must have value less than or equal to ${fraction(max)}`]),
    ...(min === undefined ? [] : [`Member must have value greater than or equal to ${fraction(min)}`]),
  ]
}

/** As Java would print it, which is how AWS shows values. */
export function shown(shape: ModelShape, value: unknown): string {
  if (shape.is === 'double' && typeof value === 'number') return fraction(value)
  if (shape.is === 'blob') return `${Buffer.byteLength(String(value), 'base64')} bytes`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export function object(value: unknown, member: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrongType(member, 'an object')
}

export function wrongType(
  member: string,
  expected: string,
  what = 'Could not parse request body into json',
): LambdaException {
  return new LambdaException('InvalidRequestContentException', `${what}: ${member} must be ${expected}`)
}
