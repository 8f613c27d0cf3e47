/**
 * Compares answers with the service model: the table of output shapes in `test/fixtures/output-shapes.json`, written by
 * `scripts/service-model.mjs`.
 */
import generated from '../fixtures/output-shapes.json' with { type: 'json' }

interface OutputShape {
  readonly is:
    | 'structure'
    | 'list'
    | 'map'
    | 'string'
    | 'integer'
    | 'long'
    | 'double'
    | 'boolean'
    | 'blob'
    | 'timestamp'
  /** The name of a shape, or shape, place and name on the wire of a member that is not in the body. */
  readonly members?: Readonly<Record<string, string | readonly [string, string, string?]>>
  readonly required?: readonly string[]
  readonly of?: string
  readonly values?: readonly string[]
}

const MODEL = generated as unknown as {
  readonly operations: Readonly<Record<string, { readonly shape: string; readonly payload?: string }>>
  readonly shapes: Readonly<Record<string, OutputShape>>
}

/** Members that the model requires and that AWS was recorded to leave out. */
const NOT_REQUIRED: ReadonlySet<string> = new Set([
  // {} for a function without a configuration
  'GetFunctionCodeSigningConfig.CodeSigningConfigArn',
  'GetFunctionCodeSigningConfig.FunctionName',
])

/** Values that AWS was recorded to answer with although its model lacks them, by shape. */
const RECORDED_VALUES: Readonly<Record<string, readonly string[]>> = {
  LastUpdateStatusReasonCode: ['Creating'],
}

/**
 * What an answer has that the model does not allow, one sentence each: unknown members, missing ones, other types, unknown values of
 * enumerations, null.
 *
 * @param body of a successful answer, as text
 */
export function answerFaults(operation: string, body: string): string[] {
  const output = MODEL.operations[operation]
  const shape = output && MODEL.shapes[output.shape]
  const inBody = Object.values(shape?.members ?? {}).filter((place) => typeof place === 'string')
  if (output === undefined || inBody.length === 0) return body === '' ? [] : [`${operation} has no body in the model`]
  if (output.payload !== undefined) return []
  const faults: string[] = []
  compare(output.shape, JSON.parse(body), operation, faults)
  return faults
}

function compare(name: string, value: unknown, path: string, faults: string[]): void {
  const shape = MODEL.shapes[name]
  if (shape === undefined) throw new Error(`the model has no shape ${name}`)
  const { is } = shape
  if (!hasType(is, value)) {
    faults.push(`${path} is ${value === null ? 'null' : `of type ${typeof value}`} and not a ${is}`)
  } else if (is === 'structure') {
    structure(shape, value as Record<string, unknown>, path, faults)
  } else if (is === 'list') {
    for (const [i, item] of (value as unknown[]).entries()) compare(shape.of ?? '', item, `${path}[${i}]`, faults)
  } else if (is === 'map') {
    for (const [key, item] of Object.entries(value as object)) compare(shape.of ?? '', item, `${path}.${key}`, faults)
  } else if (shape.values && ![...shape.values, ...(RECORDED_VALUES[name] ?? [])].includes(value as string)) {
    faults.push(`${path} is '${String(value)}', not one of ${shape.values.join(', ')}`)
  }
}

function structure(shape: OutputShape, value: Record<string, unknown>, path: string, faults: string[]): void {
  for (const [name, given] of Object.entries(value)) {
    const place = shape.members?.[name]
    if (typeof place === 'string') compare(place, given, `${path}.${name}`, faults)
    else faults.push(`${path}.${name} is not in the model`)
  }
  for (const name of shape.required ?? []) {
    if (value[name] === undefined && !NOT_REQUIRED.has(`${path}.${name}`)) faults.push(`${path}.${name} is missing`)
  }
}

function hasType(is: OutputShape['is'], value: unknown): boolean {
  switch (is) {
    case 'structure':
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'list':
      return Array.isArray(value)
    case 'string':
    case 'blob':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'long':
      return Number.isSafeInteger(value)
    case 'double':
    case 'timestamp':
      return typeof value === 'number'
  }
}
