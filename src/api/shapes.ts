/**
 * A small language for the service model's input shapes. A shape reads one JSON value: it collects violations in AWS's wording and gives a
 * typed value whose members have AWS's lowerCamel names, the ones that the messages use.
 */
import { LambdaException } from '../lambda/errors.ts'
import {
  describeText,
  lengthFaults,
  type NumberConstraint,
  numberFaults,
  type TextConstraint,
  textFaults,
  violation,
} from '../lambda/validation.ts'

export interface Shape<T> {
  /** @throws LambdaException InvalidRequestContentException when the JSON has another type than the model. */
  read(value: unknown, member: string, violations: string[]): T
  /** As Java would print it, which is how AWS shows values. */
  show(value: T): string
}

export type ValueOf<S> = S extends Shape<infer T> ? T : never

function wrongType(member: string, expected: string): LambdaException {
  return new LambdaException(
    'InvalidRequestContentException',
    `Could not parse request body into json: ${member} must be ${expected}`,
  )
}

const plain = (value: unknown) => String(value)

export function text<const V extends string = string>(
  is: TextConstraint & { values?: readonly V[] } = {},
): TextShape<V> {
  return {
    is,
    read(value, member, violations) {
      if (typeof value !== 'string') throw wrongType(member, 'a string')
      violations.push(...textFaults(value, is).map((fault) => violation(value, member, fault)))
      return value as V
    },
    show: plain,
  }
}

interface TextShape<V extends string> extends Shape<V> {
  readonly is: TextConstraint
}

export function integer(is: NumberConstraint = {}): Shape<number> {
  return {
    read(value, member, violations) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType(member, 'an integer')
      violations.push(...numberFaults(value, is).map((fault) => violation(String(value), member, fault)))
      return value
    },
    show: plain,
  }
}

export function bool(): Shape<boolean> {
  return {
    read(value, member) {
      if (typeof value !== 'boolean') throw wrongType(member, 'a boolean')
      return value
    },
    show: plain,
  }
}

/** Base64 in JSON. */
export function blob(): Shape<Uint8Array> {
  return {
    read(value, member) {
      if (typeof value !== 'string') throw wrongType(member, 'a base64 string')
      return Buffer.from(value, 'base64')
    },
    show: (value) => `${value.length} bytes`,
  }
}

const NOT_NULL = 'Member must not be null'

/** @param notNull the model lists "not null" among the rules of this list's members */
export function list<V extends string>(
  items: TextShape<V>,
  is: NumberConstraint & { readonly notNull?: boolean } = {},
): Shape<V[]> {
  const rules = [...describeText(items.is), ...(is.notNull ? [NOT_NULL] : [])].join(', ')
  const show = (value: readonly string[]) => `[${value.join(', ')}]`
  return {
    read(value, member, violations) {
      if (!Array.isArray(value)) throw wrongType(member, 'a list')
      const texts = value.map((item, i) => {
        if (typeof item !== 'string') throw wrongType(`${member}[${i}]`, 'a string')
        return item as V
      })
      const faults = lengthFaults(texts.length, is)
      if (texts.some((item) => textFaults(item, items.is).length > 0)) {
        faults.push(`Member must satisfy constraint: [${rules}]`)
      }
      violations.push(...faults.map((fault) => violation(show(texts), member, fault)))
      return texts
    },
    show,
  }
}

/** A map of texts to texts, or of texts to fractions with `numberMap`. */
export function textMap(keys: TextConstraint, values: TextConstraint): Shape<Record<string, string>> {
  return map(keys, {
    rules: describeText(values),
    read: (value, member) => {
      if (typeof value !== 'string') throw wrongType(member, 'a string')
      return value
    },
    faulty: (value) => textFaults(value, values).length > 0,
    show: plain,
  })
}

export function fractionMap(keys: TextConstraint): Shape<Record<string, number>> {
  return map(keys, {
    rules: [
      'Member must have value less than or equal to 1.0',
      'Member must have value greater than or equal to 0.0',
      NOT_NULL,
    ],
    read: (value, member) => {
      if (typeof value !== 'number') throw wrongType(member, 'a number')
      return value
    },
    faulty: (value) => value < 0 || value > 1,
    show: (value) => (Number.isInteger(value) ? `${value}.0` : String(value)),
  })
}

interface MapValues<T> {
  readonly rules: readonly string[]
  readonly read: (value: unknown, member: string) => T
  readonly faulty: (value: T) => boolean
  readonly show: (value: T) => string
}

function map<T>(keys: TextConstraint, values: MapValues<T>): Shape<Record<string, T>> {
  const show = (value: Record<string, T>) =>
    `{${Object.entries(value)
      .map(([key, item]) => `${key}=${values.show(item)}`)
      .join(', ')}}`
  return {
    read(value, member, violations) {
      const entries = Object.entries(object(value, member)).map(
        ([key, item]) => [key, values.read(item, `${member}.${key}`)] as const,
      )
      const read = Object.fromEntries(entries)
      if (entries.some(([key]) => textFaults(key, keys).length > 0)) {
        const rules = describeText(keys).join(', ')
        violations.push(violation(show(read), member, `Map keys must satisfy constraint: [${rules}]`))
      }
      if (entries.some(([, item]) => values.faulty(item))) {
        violations.push(
          violation(show(read), member, `Map value must satisfy constraint: [${values.rules.join(', ')}]`),
        )
      }
      return read
    },
    show,
  }
}

/** One member of a structure: optional unless it says otherwise. */
export interface Member<S extends Shape<unknown>, R extends boolean> {
  readonly shape: S
  readonly required: R
  /** Name in the JSON where it is not the member's with a capital. */
  readonly wire?: string
}

type Members = Readonly<Record<string, Shape<unknown> | Member<Shape<unknown>, boolean>>>
type MemberValue<M> = M extends Member<infer S, boolean> ? ValueOf<S> : ValueOf<M>
type RequiredNames<M> = { [K in keyof M]: M[K] extends Member<Shape<unknown>, true> ? K : never }[keyof M]

export type StructureOf<M> = { [K in RequiredNames<M>]: MemberValue<M[K]> } & {
  [K in Exclude<keyof M, RequiredNames<M>>]?: MemberValue<M[K]>
}

export function required<S extends Shape<unknown>>(shape: S): Member<S, true> {
  return { shape, required: true }
}

export function named<S extends Shape<unknown>>(wire: string, shape: S): Member<S, false> {
  return { shape, required: false, wire }
}

/** Members that the model does not have are passed over, as AWS does, so that newer clients work. */
export function structure<const M extends Members>(members: M): Shape<StructureOf<M>> {
  const fields = Object.entries(members).map(([name, member]) => {
    const { shape, required, wire } = 'shape' in member ? member : { shape: member, required: false, wire: undefined }
    return { name, shape, required, wire: wire ?? name[0]?.toUpperCase() + name.slice(1) }
  })
  return {
    read(value, member, violations) {
      const json = object(value, member || 'the request')
      const read: Record<string, unknown> = {}
      for (const { name, shape, required, wire } of fields) {
        const path = member === '' ? name : `${member}.${name}`
        const given = json[wire]
        if (given !== undefined && given !== null) read[name] = shape.read(given, path, violations)
        else if (required) violations.push(violation(undefined, path, NOT_NULL))
      }
      return read as StructureOf<M>
    },
    show: (value) => JSON.stringify(value),
  }
}

/** A structure of which only the presence matters, because it is refused as a whole. */
export function anyStructure(): Shape<object> {
  return { read: (value, member) => object(value, member), show: (value) => JSON.stringify(value) }
}

/** A list of structures. Members are named as Java's validator does: `fileSystemConfigs.1.member.arn`. */
export function structures<const M extends Members>(members: M, is: NumberConstraint = {}): Shape<StructureOf<M>[]> {
  const item = structure(members)
  const show = (value: readonly unknown[]) => JSON.stringify(value)
  return {
    read(value, member, violations) {
      if (!Array.isArray(value)) throw wrongType(member, 'a list')
      const read = value.map((one, i) => item.read(one, `${member}.${i + 1}.member`, violations))
      violations.push(...lengthFaults(read.length, is).map((fault) => violation(show(read), member, fault)))
      return read
    },
    show,
  }
}

function object(value: unknown, member: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(member, 'an object')
  return value as Record<string, unknown>
}
