import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const markdownIn = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))

/** Without docs/reference, which has a test of its own. */
const DOCUMENTS = [
  ...markdownIn('.'),
  ...markdownIn('docs'),
  ...markdownIn('docs/adr'),
  'bench/README.md',
  'runtimes/README.md',
  'test/conformance/README.md',
]
/** An ADR and the changelog tell of their time: the paths that they name may be gone. */
const CURRENT = DOCUMENTS.filter((path) => !path.startsWith('docs/adr/') && path !== 'CHANGELOG.md')

/** Paths as documents write them, e.g. `src/api/doors.ts` or `test/unit/keys/`. */
function pathsOf(text: string): string[] {
  const quoted = [...text.matchAll(/`((?:src|test|bench|scripts|docs|runtimes|examples|bin)\/[\w./-]+)`/g)]
  const called = [...text.matchAll(/\bnode (?:--import tsx )?((?:scripts|bin)\/\S+\.mjs)/g)]
  return [...quoted, ...called].map(([, path]) => path!)
}

/** Targets of links within the repository, e.g. `docs/concurrency.md`, `#recursion`, `asynchronous.md#rules`. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!).filter((to) => !to.includes('://'))
}

/** The names of its sections in links, as GitHub makes them. */
function sectionsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function leadsNowhere(from: string, to: string): boolean {
  const [path = '', section] = to.split('#')
  const target = path === '' ? from : join(dirname(from), path)
  if (!existsSync(join(ROOT, target))) return true
  return section !== undefined && !sectionsOf(read(target)).includes(section)
}

function missing(documents: readonly string[], named: (text: string, path: string) => string[]): string[] {
  return documents.flatMap((path) => named(read(path), path).map((name) => `${path}: ${name}`))
}

describe('the documents', () => {
  it('name files that exist', () => {
    expect(missing(CURRENT, (text) => pathsOf(text).filter((path) => !existsSync(join(ROOT, path))))).toEqual([])
    expect(pathsOf(read('CONTRIBUTING.md')).length).toBeGreaterThan(20)
    expect(pathsOf(read('SPECIFICATION.md')).length).toBeGreaterThan(40)
  })

  it('link to files and sections that exist', () => {
    const broken = missing(DOCUMENTS, (text, path) => linksOf(text).filter((to) => leadsNowhere(path, to)))
    expect(broken).toEqual([])
    expect(linksOf(read('README.md')).length).toBeGreaterThan(10)
  })

  it('name scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
    const named = (text: string) => [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name!)
    expect(missing(CURRENT, (text) => named(text).filter((name) => scripts[name] === undefined))).toEqual([])
    expect(named(read('SPECIFICATION.md')).length).toBeGreaterThan(4)
  })

  it('name for each promise what holds it, or call it pending', () => {
    const rows = read('SPECIFICATION.md')
      .split('\n')
      .filter((line) => /^\| (?!Promise|---)/.test(line))
    expect(rows.filter((row) => !/`(?:test\/|npm run bench:)|by hand: |\*pending\*/.test(row))).toEqual([])
    expect(rows.length).toBeGreaterThan(50)
  })

  it('lead an Invoke through files that exist', () => {
    const [, way = ''] = /## One Invoke, in order[\s\S]*?```\n([\s\S]*?)```/.exec(read('ARCHITECTURE.md')) ?? []
    const named = [...way.matchAll(/^[\d ]{2} ([a-z-]+\/\S+\.ts)/gm)].map(([, path]) => path!)
    expect(named.length).toBeGreaterThan(12)
    expect(named.filter((path) => !existsSync(join(ROOT, 'src', path)))).toEqual([])
  })
})
