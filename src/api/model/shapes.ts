/** The input shapes of all operations, generated from the service model by `scripts/service-model.mjs`. */
import generated from './input-shapes.json' with { type: 'json' }

interface Secrecy {
  /** No value of it may be shown: not in an answer, a log or an event. */
  readonly sensitive?: boolean
}

interface Bounds extends Secrecy {
  /** Of lengths for texts, lists, maps and blobs; of values for numbers. */
  readonly min?: number
  readonly max?: number
}

export interface StructureShape extends Secrecy {
  readonly is: 'structure'
  readonly members: Readonly<Record<string, MemberPlace>>
  readonly required?: readonly string[]
}

export interface TextModel extends Bounds {
  readonly is: 'string'
  readonly pattern?: string
  readonly values?: readonly string[]
}

export interface NumberModel extends Bounds {
  readonly is: 'integer' | 'long' | 'double'
}

export interface ListModel extends Bounds {
  readonly is: 'list'
  /** Name of the items' shape. */
  readonly of: string
}

export interface MapModel extends Bounds {
  readonly is: 'map'
  readonly keys: string
  readonly of: string
}

export interface OtherModel extends Bounds {
  readonly is: 'boolean' | 'blob' | 'timestamp'
}

export type ModelShape = StructureShape | TextModel | NumberModel | ListModel | MapModel | OtherModel

/** The shape of a member of the body, or shape, place and name on the wire of another one. */
export type MemberPlace = string | readonly [shape: string, place: 'path' | 'query' | 'header', wire: string]

export interface InputModel {
  /** `payload`: the member that is the whole body. */
  readonly operations: Readonly<Record<string, { readonly shape: string; readonly payload?: string }>>
  readonly shapes: Readonly<Record<string, ModelShape>>
}

export const INPUT_MODEL = generated as unknown as InputModel
