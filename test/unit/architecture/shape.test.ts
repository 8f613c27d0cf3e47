/** How large the parts of src/ may become, and that nothing stands in package.json that nobody uses. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseAst } from 'vitest/node'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Lines of a function; what is longer does more than one thing. */
const FUNCTION_LINES = 65
/** Files side by side; in a larger room nobody finds their own. */
const FILES = 20

const sources = (folder: string, ending: RegExp) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path))
    .map((path) => join(folder, path))
const files = sources('src', /\.ts$/)

interface Node {
  readonly type?: string
  readonly start: number
  readonly end: number
  readonly body?: unknown
}

/** `name:line lines` of each function that is too long. */
function longFunctions(name: string, text: string): string[] {
  const found: string[] = []
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const node = value as Node
    if (/^(Function|ArrowFunction)/.test(node.type ?? '') && node.body) {
      const lines = lineOf(node.end) - lineOf(node.start) + 1
      if (lines > FUNCTION_LINES) found.push(`${name}:${lineOf(node.start)} ${lines} lines`)
    }
    for (const child of Object.values(value)) visit(child)
  }
  visit(parseAst(text, { lang: 'ts' }))
  return found
}

describe('the functions of src/', () => {
  it(`have at most ${FUNCTION_LINES} lines each`, () => {
    expect(files.flatMap((file) => longFunctions(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([])
  })

  it('are seen wherever they stand', () => {
    const body = 'a()\n'.repeat(FUNCTION_LINES)
    for (const long of [`function f() {\n${body}}`, `const f = () => {\n${body}}`, `class A { #m() {\n${body}} }`]) {
      expect(longFunctions('example', long)).toHaveLength(1)
    }
  })
})

describe('the folders of src/', () => {
  it(`have at most ${FILES} files side by side`, () => {
    const counts = new Map<string, number>()
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
    expect([...counts].filter(([, count]) => count > FILES)).toEqual([])
  })
})

describe('the dependencies', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Readonly<Record<string, string>>>
  /** Programs that scripts run, and types that only the compiler reads. */
  const TOOLS = ['@biomejs/biome', 'typescript', 'tsx', 'vitest']
  const texts = (paths: readonly string[]) => paths.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n')
  const imported = (text: string, name: string) =>
    ["'", '"'].some((quote) => text.includes(`${quote}${name}${quote}`) || text.includes(`${quote}${name}/`))

  it('of the host are each imported by it', () => {
    const text = texts([...files, ...sources('scripts', /\.mjs$/)])
    const names = Object.keys({ ...dependencies, ...optionalDependencies })
    expect(names.filter((name) => !imported(text, name))).toEqual([])
  })

  it('of the tests and benchmarks are each imported by one', () => {
    const text = texts([...sources('test', /\.ts$/), ...sources('bench', /\.ts$/), ...sources('scripts', /\.mjs$/)])
    const names = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/') && !TOOLS.includes(name))
    expect(names.filter((name) => !imported(text, name))).toEqual([])
  })

  it('have types only of packages that are there', () => {
    const packages = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
    const untyped = packages
      .filter((name) => name.startsWith('@types/') && name !== '@types/node')
      .filter((name) => !packages.includes(name.slice('@types/'.length)))
    expect(untyped).toEqual([])
  })
})
