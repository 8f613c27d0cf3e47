// Writes what Hearth needs of AWS's service models:
//   node scripts/service-model.mjs PATH/TO/lambda/service-2.json PATH/TO/SIBLING/service-2.json …
// the shapes of all inputs (src/api/model/input-shapes.json: requests are checked against them), those of all outputs
// (test/fixtures/output-shapes.json: tests check answers against them), name, method, path and status of each operation
// (test/fixtures/operations.json: tests compare the table of operations), the exceptions (test/fixtures/exceptions.json), and the operations of the services that share Lambda's endpoint
// (src/api/model/sibling-operations.json: they are refused by name). One entry on a line, so that a new model reads as a short diff.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const LOCATIONS = { uri: 'path', querystring: 'query', header: 'header', statusCode: 'status' }

/** `side` is 'input' or 'output'. Shapes that only the other side uses are left out. */
export function compact(model, side) {
  const operations = {}
  const shapes = {}
  for (const name of Object.keys(model.operations).sort()) {
    const root = model.operations[name][side]?.shape
    if (root === undefined) continue
    const { payload } = model.shapes[root]
    operations[name] = payload === undefined ? { shape: root } : { shape: root, payload }
    take(model, root, shapes)
  }
  return { operations, shapes: Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function take(model, name, shapes) {
  if (shapes[name] !== undefined) return
  const shape = model.shapes[name]
  shapes[name] = reduced(shape)
  for (const next of [...Object.values(shape.members ?? {}), shape.member, shape.key, shape.value]) {
    if (next !== undefined) take(model, next.shape, shapes)
  }
}

function reduced({ type, members, required, member, key, value, min, max, pattern, enum: values, sensitive }) {
  return {
    is: type,
    ...(members && { members: Object.fromEntries(Object.entries(members).map(([name, one]) => [name, place(one)])) }),
    ...(required?.length && { required }),
    ...(member && { of: member.shape }),
    ...(key && { keys: key.shape, of: value.shape }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(pattern !== undefined && { pattern }),
    ...(values && { values }),
    ...(sensitive && { sensitive }),
  }
}

/** The name of the shape, and where the member is when that is not the body. */
function place({ shape, location, locationName }) {
  return location === undefined ? shape : [shape, LOCATIONS[location], locationName]
}

export function operationRows(model) {
  return Object.keys(model.operations)
    .sort()
    .map((name) => {
      const { method, requestUri, responseCode } = model.operations[name].http
      return { name, method, requestUri, responseCode }
    })
}

/** Status of each exception, and the members that may carry its text. */
export function exceptionRows(model) {
  return Object.entries(model.shapes)
    .filter(([, shape]) => shape.exception)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { error, members }]) => {
      const keys = Object.keys(members).filter((member) => member.toLowerCase() === 'message')
      return { name, status: error?.httpStatusCode ?? 500, keys }
    })
}

/** Operations of other services at the same endpoint. Those that have method and path of one of Lambda's are left to Lambda's. */
export function siblingRows(lambda, siblings) {
  const route = ({ method, requestUri }) => `${method} ${requestUri.replace(/\{\w+\}/g, '{}')}`
  const taken = new Set(operationRows(lambda).map(route))
  return Object.fromEntries(
    siblings.map((model) => [
      model.metadata.serviceFullName,
      Object.fromEntries(
        operationRows(model)
          .filter((row) => !taken.has(route(row)))
          .map(({ name, method, requestUri }) => [name, [method, requestUri]]),
      ),
    ]),
  )
}

export const writtenRows = (rows) => `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`

/** JSON with one entry of each table on a line. */
export function written(tables) {
  const lines = (table) =>
    Object.entries(table)
      .map(([name, row]) => `    ${JSON.stringify(name)}: ${JSON.stringify(row)}`)
      .join(',\n')
  const parts = Object.entries(tables).map(([name, table]) => `  ${JSON.stringify(name)}: {\n${lines(table)}\n  }`)
  return `{\n${parts.join(',\n')}\n}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path, ...siblings] = process.argv.slice(2)
  if (path === undefined) {
    process.stderr.write(
      'Usage: node scripts/service-model.mjs PATH/TO/service-2.json [PATH/TO/SIBLING/service-2.json …]\n',
    )
    process.exit(2)
  }
  const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
  const model = read(path)
  const write = (name, text) => writeFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), text)
  write('src/api/model/input-shapes.json', written(compact(model, 'input')))
  write('src/api/model/sibling-operations.json', written(siblingRows(model, siblings.map(read))))
  write('test/fixtures/output-shapes.json', written(compact(model, 'output')))
  write('test/fixtures/exceptions.json', writtenRows(exceptionRows(model)))
  write('test/fixtures/operations.json', writtenRows(operationRows(model)))
}
