import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPackage } from '../../../src/cli/package/package.ts'
import { unpackZip } from '../../../src/code/zip.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-typescript-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'fn', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
}

const read = (given = {}) => readPackage(join(folder, 'fn'), given)

/** Loads the package's module as a runtime would and calls what it exports. */
async function run(zip: Buffer, file: string, exported = 'handler'): Promise<unknown> {
  const out = mkdtempSync(join(folder, 'out-'))
  await unpackZip(zip, out)
  const program = `const m = await import(${JSON.stringify(join(out, file))}); console.log(JSON.stringify(await m.${exported}({ n: 2 })))`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}

describe('a TypeScript function', () => {
  it('is bundled with what it imports, beside its other files', async () => {
    write({
      'index.ts':
        "import { twice } from './lib/twice'\nimport three from 'three'\nimport { readFileSync } from 'node:fs'\n" +
        "export const handler = async (event: { n: number }) => [twice(event.n), three, readFileSync(__dirname + '/data.txt', 'utf8')]",
      'lib/twice.ts': 'export const twice = (n: number): number => 2 * n',
      'node_modules/three/index.js': 'module.exports = 3',
      'data.txt': 'data',
      'tsconfig.json': '{}',
      'package.json': '{"dependencies": {"three": "1"}}',
    })
    const source = await read()
    expect(source.files.map(({ path }) => path)).toEqual(['data.txt', 'index.cjs', 'package.json'])
    expect(source.function).toEqual({ runtime: 'nodejs22.x', handler: 'index.handler' })
    expect(source.notes).toEqual([
      expect.stringMatching(
        /^The TypeScript index\.ts is bundled into index\.cjs \(\d+ kB\); types are not checked\.$/,
      ),
    ])
    expect(await run(source.zip, 'index.cjs')).toEqual([4, 3, 'data'])
    expect((await read()).zip.equals(source.zip)).toBe(true)
  })

  it('stays an ES module where the folder says so, and CommonJS packages in it work', async () => {
    write({
      'package.json': '{"type": "module"}',
      'src/app.ts':
        "import common from 'common'\nconst __dirname = import.meta.dirname ?? ''\n" +
        'export const lambdaHandler = async () => [await common, typeof __dirname]',
      'node_modules/common/package.json': '{}',
      'node_modules/common/index.js': "module.exports = [require('os').EOL, typeof __dirname]",
    })
    const source = await read()
    expect(source.function).toEqual({ runtime: 'nodejs22.x', handler: 'src/app.lambdaHandler' })
    expect(await run(source.zip, 'src/app.mjs', 'lambdaHandler')).toEqual([['\n', 'string'], 'string'])
  })

  it('becomes an ES module when only one can wait at its top, and CommonJS when it is written so', async () => {
    write({ 'index.ts': 'const two = await Promise.resolve(2)\nexport default async () => two' })
    const waiting = await read()
    expect(waiting.function?.handler).toBe('index.default')
    expect(await run(waiting.zip, 'index.mjs', 'default')).toBe(2)
    write({ 'index.ts': "const os = require('os')\nexports.handler = async () => os.EOL" })
    const common = await read({ runtime: 'nodejs20.x' })
    expect(common.function).toEqual({ runtime: 'nodejs20.x', handler: 'index.handler' })
    expect(await run(common.zip, 'index.cjs')).toBe('\n')
  })

  it('leaves to the runtime what of the SDK is not installed', async () => {
    write({ 'index.ts': "import { S3 } from '@aws-sdk/client-s3'\nexport const handler = async () => new S3({})" })
    const bundle = (await read()).files.find(({ path }) => path === 'index.cjs')
    expect(bundle?.text()).toContain('require("@aws-sdk/client-s3")')
  })

  it('is the one that --handler names, and nothing where JavaScript takes its place', async () => {
    write({ 'a.ts': 'export const go = () => 1', 'b.ts': 'export const go = () => 2', 'b.js': 'exports.go = () => 3' })
    const source = await read({ handler: 'a.go' })
    expect(source.function).toEqual({ runtime: 'nodejs22.x', handler: 'a.go' })
    expect(await run(source.zip, 'a.cjs', 'go')).toBe(1)
    expect((await read({ handler: 'b.go' })).function).toBeUndefined()
    expect((await read({ handler: 'a.go', runtime: 'python3.13' })).function).toBeUndefined()
    write({ 'index.ts': 'export const handler = 1', 'index.js': 'exports.handler = 2' })
    expect((await read()).function).toBeUndefined()
  })

  it('says what does not build, and what is not exported', async () => {
    write({ 'index.ts': "import x from 'not-there'\nexport const handler = x" })
    await expect(read()).rejects.toMatchObject({
      message: 'The TypeScript index.ts cannot be bundled:\n  index.ts:1:15: Could not resolve "not-there"',
      hint: 'Install what it imports first: npm install in its folder.',
    })
    write({ 'index.ts': 'export const other = 1' })
    await expect(read()).rejects.toMatchObject({
      message: 'index.ts exports other, and no function named handler, lambdaHandler or main.',
      hint: 'Write `export const handler = …`, or name another exported function with --handler index.NAME.',
    })
  })
})
