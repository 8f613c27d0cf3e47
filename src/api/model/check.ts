/**
 * Checks a request against the service model before the operation sees it: every violation of a constraint (required, length, range,
 * pattern, enumeration) is collected in AWS's wording. Operations that Hearth does not have are checked alike. No message shows a value
 * that the model calls sensitive, or one with such a value in it.
 */
import {
  describeText,
  hiddenViolation,
  lengthFaults,
  numberFaults,
  textFaults,
  violation,
} from '../../lambda/validation.ts'
import { BARE_ITEM_RULES, FIRST, NOT_NULL_ITEMS, UNCHECKED } from './exceptions.ts'
import {
  INPUT_MODEL,
  type InputModel,
  type ListModel,
  type MapModel,
  type ModelShape,
  type StructureShape,
} from './shapes.ts'
import { constraint, object, outOfRange, rangeRules, shown, tested, wrongType } from './values.ts'

/** Where the members of one request are. */
export interface RequestMembers {
  /** The parsed body. */
  readonly body: unknown
  path(label: string): string | undefined
  query(name: string): readonly string[] | undefined
  header(name: string): string | undefined
}

const NOT_NULL = 'Member must not be null'

/** `KMSKeyArn` to `kMSKeyArn`, as AWS names members. */
export const memberName = (name: string) => `${name[0]?.toLowerCase()}${name.slice(1)}`

/** Whether the body is a blob, which is not JSON. */
export function hasBlobBody(operation: string, model: InputModel = INPUT_MODEL): boolean {
  const input = model.operations[operation]
  const structure = input && model.shapes[input.shape]
  if (input?.payload === undefined || structure?.is !== 'structure') return false
  const place = structure.members[input.payload]
  return typeof place === 'string' && model.shapes[place]?.is === 'blob'
}

/** @throws LambdaException InvalidRequestContentException when the JSON has another type than the model. */
export function inputViolations(operation: string, request: RequestMembers, model: InputModel = INPUT_MODEL): string[] {
  const input = model.operations[operation]
  if (input === undefined) return []
  return new Check(model).request(input.shape, input.payload, request)
}

class Check {
  readonly #model: InputModel
  readonly #found: string[] = []

  constructor(model: InputModel) {
    this.#model = model
  }

  request(root: string, payload: string | undefined, request: RequestMembers): string[] {
    const structure = this.#shape(root) as StructureShape
    // AWS's order is not the model's and not known; here: values, what is missing, then the name of the resource.
    const missing: string[] = []
    const names: string[] = []
    const first: string[] = []
    const rest: string[] = []
    for (const [name, place] of Object.entries(structure.members)) {
      const member = memberName(name)
      const full = `${root}.${name}`
      if (UNCHECKED.has(full)) continue
      const shape = typeof place === 'string' ? place : place[0]
      if (payload === name && this.#shape(shape).is === 'blob') continue
      const given =
        typeof place === 'string' ? bodyMember(request.body, name, payload) : this.#elsewhere(place, request, member)
      this.#found.length = 0
      if (given !== undefined && given !== null) this.#value(shape, given, member)
      else if (structure.required?.includes(name)) missing.push(violation(undefined, member, NOT_NULL))
      const named = name === 'FunctionName' || (typeof place !== 'string' && place[1] === 'path')
      const list = FIRST.has(full) ? first : named ? names : rest
      list.push(...this.#found)
    }
    return [...first, ...rest, ...missing, ...names]
  }

  /** A value that came as text, as the type that the model gives it. */
  #elsewhere(
    [shape, place, wire]: readonly [string, string, string],
    request: RequestMembers,
    member: string,
  ): unknown {
    const model = this.#shape(shape)
    if (place === 'query' && model.is === 'list') return request.query(wire)
    const text =
      place === 'path' ? request.path(wire) : place === 'query' ? request.query(wire)?.[0] : request.header(wire)
    if (text === undefined || model.is === 'string' || model.is === 'timestamp') return text
    if (model.is === 'boolean') {
      if (text === 'true' || text === 'false') return text === 'true'
      throw wrongType(member, 'a boolean', 'Could not parse request')
    }
    return /^-?\d{1,15}$/.test(text) ? Number(text) : new NotANumber(text)
  }

  #shape(name: string): ModelShape {
    const shape = this.#model.shapes[name]
    if (shape === undefined) throw new Error(`the service model has no shape ${name}`)
    return shape
  }

  #value(name: string, value: unknown, member: string): void {
    const shape = this.#shape(name)
    switch (shape.is) {
      case 'structure':
        this.#structure(shape, value, member)
        break
      case 'list':
        this.#list(name, shape, value, member)
        break
      case 'map':
        this.#map(name, shape, value, member)
        break
      default:
        if (value instanceof NotANumber) this.#fault(name, () => value.text, member, 'Member must be an integer')
        else
          for (const fault of this.#faults(name, shape, value, member))
            this.#fault(name, () => shown(shape, value), member, fault)
    }
  }

  /** @param show the value, for shapes that have nothing to hide */
  #fault(name: string, show: () => string, member: string, fault: string): void {
    this.#found.push(this.#hides(name) ? hiddenViolation(member, fault) : violation(show(), member, fault))
  }

  /** Whether a value of the shape is sensitive or has something sensitive in it. */
  #hides(name: string, above: readonly string[] = []): boolean {
    const shape = this.#shape(name)
    if (shape.sensitive) return true
    // Shapes may contain themselves.
    if (above.includes(name)) return false
    const within =
      shape.is === 'structure'
        ? Object.values(shape.members).map((place) => (typeof place === 'string' ? place : place[0]))
        : shape.is === 'map'
          ? [shape.keys, shape.of]
          : shape.is === 'list'
            ? [shape.of]
            : []
    return within.some((one) => this.#hides(one, [...above, name]))
  }

  #structure(shape: StructureShape, value: unknown, member: string): void {
    const json = object(value, member)
    for (const [name, place] of Object.entries(shape.members)) {
      const given = json[name]
      const path = `${member}.${memberName(name)}`
      if (given !== undefined && given !== null) this.#value(place as string, given, path)
      else if (shape.required?.includes(name)) this.#found.push(violation(undefined, path, NOT_NULL))
    }
  }

  #list(name: string, shape: ListModel, value: unknown, member: string): void {
    if (!Array.isArray(value)) throw wrongType(member, 'a list')
    const items = value as unknown[]
    const item = this.#shape(shape.of)
    const show = () => `[${items.map((one) => shown(item, one)).join(', ')}]`
    for (const fault of lengthFaults(items.length, shape)) this.#fault(name, show, member, fault)
    if (item.is === 'structure') {
      for (const [i, one] of items.entries()) this.#structure(item, one, `${member}.${i + 1}.member`)
    } else if (items.some((one, i) => this.#faults(shape.of, item, one, `${member}[${i}]`).length > 0)) {
      const rules = [...this.#rules(shape.of, item), ...(NOT_NULL_ITEMS.has(name) ? [NOT_NULL] : [])].join(', ')
      this.#fault(name, show, member, BARE_ITEM_RULES.has(name) ? rules : `Member must satisfy constraint: [${rules}]`)
    }
  }

  #map(name: string, shape: MapModel, value: unknown, member: string): void {
    const entries = Object.entries(object(value, member))
    const [keys, item] = [this.#shape(shape.keys), this.#shape(shape.of)]
    const show = () => `{${entries.map(([key, one]) => `${key}=${shown(item, one)}`).join(', ')}}`
    for (const fault of lengthFaults(entries.length, shape)) this.#fault(name, show, member, fault)
    const under = (key: string) => (this.#hides(shape.keys) ? `${member}.value` : `${member}.${key}`)
    const faulty = entries.map(([key, one]) => ({
      key: this.#faults(shape.keys, keys, key, member).length > 0,
      value:
        item.is === 'list'
          ? this.#listFaulty(item, one, under(key))
          : this.#faults(shape.of, item, one, under(key)).length > 0,
    }))
    if (faulty.some(({ key }) => key)) {
      this.#fault(name, show, member, `Map keys must satisfy constraint: [${this.#rules(shape.keys, keys).join(', ')}]`)
    }
    if (faulty.some((one) => one.value)) {
      this.#fault(name, show, member, `Map value must satisfy constraint: [${this.#rules(shape.of, item).join(', ')}]`)
    }
  }

  #listFaulty(shape: ListModel, value: unknown, member: string): boolean {
    if (!Array.isArray(value)) throw wrongType(member, 'a list')
    const item = this.#shape(shape.of)
    return (
      lengthFaults(value.length, shape).length > 0 ||
      value.some((one, i) => this.#faults(shape.of, item, one, `${member}[${i}]`).length > 0)
    )
  }

  /** What is wrong with a value that has no members. @throws LambdaException when it has another type. */
  #faults(name: string, shape: ModelShape, value: unknown, member: string): string[] {
    switch (shape.is) {
      case 'string':
        if (typeof value !== 'string') throw wrongType(member, 'a string')
        return textFaults(value, tested(name, shape))
      case 'integer':
      case 'long':
        if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType(member, 'an integer')
        return numberFaults(value, shape)
      case 'double':
        if (typeof value !== 'number') throw wrongType(member, 'a number')
        return outOfRange(value, shape) ? rangeRules(shape) : []
      case 'boolean':
        if (typeof value !== 'boolean') throw wrongType(member, 'a boolean')
        return []
      case 'blob':
        if (typeof value !== 'string') throw wrongType(member, 'a base64 string')
        return lengthFaults(Buffer.byteLength(value, 'base64'), shape)
      case 'timestamp':
        if (typeof value !== 'number' && typeof value !== 'string') throw wrongType(member, 'a timestamp')
        return []
      default:
        throw new Error(`${member}: a ${shape.is} within a ${shape.is} is not in the service model`)
    }
  }

  /** All rules of a shape, which AWS lists for members of lists and maps whether broken or not. */
  #rules(name: string, shape: ModelShape): string[] {
    switch (shape.is) {
      case 'string':
        return describeText(constraint(name, shape))
      case 'double':
        return [...rangeRules(shape), NOT_NULL]
      case 'list':
        return [
          ...describeText({ min: shape.min, max: shape.max }),
          `Member must satisfy constraint: [${this.#rules(shape.of, this.#shape(shape.of)).join(', ')}]`,
        ]
      default:
        return []
    }
  }
}

class NotANumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

function bodyMember(body: unknown, name: string, payload: string | undefined): unknown {
  if (payload === name) return body
  return payload === undefined ? object(body, 'the request')[name] : undefined
}
