import { describe, expect, it } from 'vitest'
import { infer, type PackageFile } from '../../../src/cli/package/infer.ts'

const files = (content: Readonly<Record<string, string>>): PackageFile[] =>
  Object.entries(content).map(([path, text]) => ({ path, executable: true, text: () => text }))

const python = 'def lambda_handler(event, context):\n    return event\n'

describe('infer', () => {
  it('finds Node.js functions and the name that is exported', () => {
    expect(infer(files({ 'index.mjs': 'export const handler = async () => 1' }), {})).toEqual({
      ok: true,
      value: { runtime: 'nodejs22.x', handler: 'index.handler' },
    })
    expect(infer(files({ 'app.js': 'exports.lambdaHandler = () => {}' }), {})).toMatchObject({
      value: { handler: 'app.lambdaHandler' },
    })
    expect(infer(files({ 'orders.cjs': 'module.exports = { handler }' }), {})).toMatchObject({
      value: { handler: 'orders.handler' },
    })
  })

  it('names the only export of a module by its name, default', () => {
    const of = (text: string) => infer(files({ 'index.mjs': text }), {})
    expect(of('export default async () => 1')).toMatchObject({ value: { handler: 'index.default' } })
    expect(of('export { f as default }')).toMatchObject({ value: { handler: 'index.handler' } })
    expect(of("export * from './lib/index.mjs'")).toMatchObject({ value: { handler: 'index.handler' } })
  })

  it.each([
    ['index.mjs', 'export default { fetch() {} }'],
    ['index.mjs', 'console.log(1)'],
    ['index.js', 'module.exports = async (event) => event'],
    ['index.js', 'module.exports = (event) => event'],
    ['index.js', 'module.exports = function () {}'],
  ])('refuses a file that plainly exports no handler: %s with %s', (path, text) => {
    const example = path === 'index.mjs' ? 'export const handler = …' : 'exports.handler = …'
    expect(infer(files({ [path]: text }), {})).toEqual({
      ok: false,
      reason:
        `${path} does not export a function with a name that Lambda can call, such as handler: write ${example}, ` +
        'or name another exported function with --handler index.NAME.',
    })
    expect(infer(files({ [path]: text }), { handler: 'index.other' })).toMatchObject({ ok: true })
  })

  it.each([
    'module.exports = require("./lib")',
    'module.exports = __toCommonJS(index_exports)',
    '0&&(module.exports={handler})',
  ])('does not guess about exports that it cannot read: %s', (text) =>
    expect(infer(files({ 'index.js': text }), {})).toMatchObject({ value: { handler: 'index.handler' } }),
  )

  it('finds Python functions and the function that is defined', () => {
    expect(infer(files({ 'lambda_function.py': python }), {})).toEqual({
      ok: true,
      value: { runtime: 'python3.13', handler: 'lambda_function.lambda_handler' },
    })
    expect(infer(files({ 'work.py': 'def handler(e, c): pass' }), {})).toMatchObject({
      value: { handler: 'work.handler' },
    })
  })

  it('finds an own runtime by its bootstrap', () => {
    expect(infer(files({ bootstrap: '' }), {})).toMatchObject({
      value: { runtime: 'provided.al2023', handler: 'bootstrap' },
    })
  })

  it('refuses a bootstrap that could not be started, unless runtime and handler are given', () => {
    const [bootstrap] = files({ bootstrap: '' })
    const inert = [{ ...bootstrap!, executable: false }]
    expect(infer(inert, {})).toMatchObject({ ok: false, reason: expect.stringContaining('chmod +x bootstrap') })
    expect(infer(inert, { runtime: 'provided.al2', handler: 'h' })).toMatchObject({ ok: true })
  })

  it('looks only at the top of the package, and past tests and configuration', () => {
    const inference = infer(
      files({ 'lib/index.mjs': '', 'vitest.config.js': '', 'one.mjs': 'export function handler() {}' }),
      {},
    )
    expect(inference).toMatchObject({ value: { handler: 'one.handler' } })
  })

  it('keeps what was given and infers the rest for that runtime', () => {
    const both = files({ 'index.mjs': 'export const handler = 1', 'lambda_function.py': python })
    expect(infer(both, { runtime: 'python3.11' })).toEqual({
      ok: true,
      value: { runtime: 'python3.11', handler: 'lambda_function.lambda_handler' },
    })
    expect(infer([], { runtime: 'java21', handler: 'a.B::c' })).toEqual({
      ok: true,
      value: { runtime: 'java21', handler: 'a.B::c' },
    })
  })

  it('says what to give when it is not obvious', () => {
    const both = files({ 'index.mjs': 'export const handler = 1', 'lambda_function.py': python })
    expect(infer(both, {})).toEqual({
      ok: false,
      reason: 'The files fit nodejs22.x and python3.13: choose one with --runtime.',
    })
    expect(infer(files({ 'a.js': '', 'b.js': '' }), {})).toMatchObject({
      reason: expect.stringContaining('Give --runtime and --handler'),
    })
    expect(infer([], { runtime: 'nodejs20.x' })).toMatchObject({ reason: expect.stringContaining('Give --handler') })
    expect(infer([], { handler: 'a.b' })).toMatchObject({ reason: expect.stringContaining('Give --runtime') })
  })
})
