/**
 * A small language for the members of requests that Hearth reads. A shape turns one JSON value into a typed one whose members have AWS's
 * lowerCamel names. Constraints are not repeated here: `model/check.ts` has asked the service model before.
 */
import { object, wrongType } from '../model/values.ts'

export interface Shape<T> {
  /** @throws LambdaException InvalidRequestContentException when the JSON has another type than the model. */
  read(value: unknown, member: string): T
}

export type ValueOf<S> = S extends Shape<infer T> ? T : never

/** `V`: the values that the model allows. */
export function text<V extends string = string>(): Shape<V> {
  return {
    read(value, member) {
      if (typeof value !== 'string') throw wrongType(member, 'a string')
      return value as V
    },
  }
}

export function number(): Shape<number> {
  return {
    read(value, member) {
      if (typeof value !== 'number') throw wrongType(member, 'a number')
      return value
    },
  }
}

export function bool(): Shape<boolean> {
  return {
    read(value, member) {
      if (typeof value !== 'boolean') throw wrongType(member, 'a boolean')
      return value
    },
  }
}

/** Base64 in JSON. */
export function blob(): Shape<Uint8Array> {
  return {
    read(value, member) {
      if (typeof value !== 'string') throw wrongType(member, 'a base64 string')
      return Buffer.from(value, 'base64')
    },
  }
}

export function list<T>(items: Shape<T>): Shape<T[]> {
  return {
    read(value, member) {
      if (!Array.isArray(value)) throw wrongType(member, 'a list')
      return value.map((item, i) => items.read(item, `${member}[${i}]`))
    },
  }
}

export function map<T>(values: Shape<T>): Shape<Record<string, T>> {
  return {
    read: (value, member) =>
      Object.fromEntries(
        Object.entries(object(value, member)).map(([key, item]) => [key, values.read(item, `${member}.${key}`)]),
      ),
  }
}

/** One member of a structure: optional unless it says otherwise. */
export interface Member<S extends Shape<unknown>, R extends boolean> {
  readonly shape: S
  /** The model requires it, so it is there. */
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
    const { shape, wire } = 'shape' in member ? member : { shape: member, wire: undefined }
    return { name, shape, wire: wire ?? name[0]?.toUpperCase() + name.slice(1) }
  })
  return {
    read(value, member) {
      const json = object(value, member || 'the request')
      const read: Record<string, unknown> = {}
      for (const { name, shape, wire } of fields) {
        const given = json[wire]
        if (given !== undefined && given !== null)
          read[name] = shape.read(given, member === '' ? name : `${member}.${name}`)
      }
      return read as StructureOf<M>
    },
  }
}

/** A structure of which only the presence matters, because it is refused as a whole. */
export function anyStructure(): Shape<object> {
  return { read: object }
}
