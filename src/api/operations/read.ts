/**
 * The body of a request as `control/requests.ts` types it, read by the service model: names as properties, blobs as bytes, `null` as absent.
 * `model/check.ts` has asked the constraints before; the few members that it leaves out are asked for their type here.
 */
import type { Requests } from '../../control/requests.ts'
import { bodyMembers, propertyName } from '../model/request-types.ts'
import { INPUT_MODEL, type ModelShape, type StructureShape } from '../model/shapes.ts'
import { object, wrongType } from '../model/values.ts'

/** @throws LambdaException InvalidRequestContentException when the JSON has another type than the model. */
export function readBody<Name extends keyof Requests>(operation: Name, json: unknown): Requests[Name] {
  const root = shapeOf(INPUT_MODEL.operations[operation]?.shape ?? '') as StructureShape
  return structure(root, object(json, 'the request'), '') as unknown as Requests[Name]
}

/** Members that the model does not have are passed over, as AWS does, so that newer clients work. */
function structure(shape: StructureShape, json: Readonly<Record<string, unknown>>, path: string): object {
  const read: Record<string, unknown> = {}
  for (const [name, of] of bodyMembers(shape)) {
    const property = propertyName(name)
    const given = json[name]
    if (given !== undefined && given !== null) read[property] = value(of, given, path + property)
  }
  return read
}

function value(name: string, given: unknown, path: string): unknown {
  const shape = shapeOf(name)
  switch (shape.is) {
    case 'structure':
      return structure(shape, object(given, path), `${path}.`)
    case 'list':
      if (!Array.isArray(given)) throw wrongType(path, 'a list')
      return given.map((item, i) => value(shape.of, item, `${path}[${i}]`))
    case 'map':
      return Object.fromEntries(
        Object.entries(object(given, path)).map(([key, item]) => [key, value(shape.of, item, `${path}.${key}`)]),
      )
    case 'string':
      if (typeof given !== 'string') throw wrongType(path, 'a string')
      return given
    case 'blob':
      if (typeof given !== 'string') throw wrongType(path, 'a base64 string')
      return Buffer.from(given, 'base64')
    case 'boolean':
      if (typeof given !== 'boolean') throw wrongType(path, 'a boolean')
      return given
    case 'timestamp':
      return given
    default:
      if (typeof given !== 'number') throw wrongType(path, 'a number')
      return given
  }
}

function shapeOf(name: string): ModelShape {
  const shape = INPUT_MODEL.shapes[name]
  if (shape === undefined) throw new Error(`the service model has no shape ${name}`)
  return shape
}
