// Writes what Hearth needs of AWS's service model:
//   node scripts/service-model.mjs PATH/TO/service-2.json
// the shapes of all inputs (src/api/model/input-shapes.json: requests are checked against them) and those of all outputs
// (test/fixtures/output-shapes.json: tests check answers against them). One shape on a line, so that a new model reads as a short diff.
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

function reduced({ type, members, required, member, key, value, min, max, pattern, enum: values }) {
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
  }
}

/** The name of the shape, and where the member is when that is not the body. */
function place({ shape, location, locationName }) {
  return location === undefined ? shape : [shape, LOCATIONS[location], locationName]
}

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
  const [path] = process.argv.slice(2)
  if (path === undefined) {
    process.stderr.write('Usage: node scripts/service-model.mjs PATH/TO/service-2.json\n')
    process.exit(2)
  }
  const model = JSON.parse(readFileSync(path, 'utf8'))
  const target = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
  writeFileSync(target('src/api/model/input-shapes.json'), written(compact(model, 'input')))
  writeFileSync(target('test/fixtures/output-shapes.json'), written(compact(model, 'output')))
}
