import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../../../src', import.meta.url))

/** What each unit of src/ may import besides itself. A unit is a directory, or a file at the top with its directory of the same name. */
const LAYERS: Readonly<Record<string, { readonly layer: number; readonly mayImport: readonly string[] }>> = {
  lambda: { layer: 0, mayImport: [] },
  http: { layer: 1, mayImport: [] },
  disk: { layer: 1, mayImport: [] },
  promises: { layer: 1, mayImport: [] },
  ports: { layer: 1, mayImport: ['lambda'] },
  telemetry: { layer: 1, mayImport: ['lambda'] },
  config: { layer: 1, mayImport: ['lambda'] },
  store: { layer: 2, mayImport: ['lambda', 'telemetry', 'disk'] },
  code: { layer: 2, mayImport: ['lambda', 'ports', 'telemetry', 'http', 'disk', 'promises'] },
  keys: { layer: 2, mayImport: ['lambda', 'disk'] },
  sandbox: { layer: 2, mayImport: ['lambda', 'ports', 'telemetry', 'disk', 'promises'] },
  'runtime-api': { layer: 2, mayImport: ['lambda', 'telemetry', 'http'] },
  execution: { layer: 3, mayImport: ['lambda', 'telemetry', 'code', 'sandbox', 'runtime-api'] },
  invoke: {
    layer: 4,
    mayImport: ['lambda', 'telemetry', 'disk', 'code', 'sandbox', 'runtime-api', 'store', 'execution'],
  },
  control: { layer: 4, mayImport: ['lambda', 'ports', 'telemetry', 'store'] },
  triggers: { layer: 5, mayImport: ['lambda', 'telemetry', 'store', 'invoke'] },
  api: { layer: 6, mayImport: ['lambda', 'ports', 'telemetry', 'http', 'invoke', 'control', 'triggers'] },
  cli: { layer: 7, mayImport: ['lambda', 'config'] },
  host: {
    layer: 8,
    mayImport: [
      'lambda',
      'ports',
      'telemetry',
      'http',
      'disk',
      'promises',
      'config',
      'store',
      'code',
      'keys',
      'sandbox',
      'runtime-api',
      'execution',
      'invoke',
      'control',
      'triggers',
      'api',
    ],
  },
  main: { layer: 8, mayImport: ['config', 'host'] },
}

/** Single files that reach further than their directory, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, { readonly mayImport: readonly string[]; readonly because: string }>> = {
  'invoke/buffered-answer.ts': {
    mayImport: ['http'],
    because: 'an answer is kept as every body is kept while it comes',
  },
  'cli/commands/start.ts': { mayImport: ['main'], because: 'it is the command that runs the host' },
  'cli/keyring.ts': { mayImport: ['keys'], because: 'keys are administered with the rights of the data folder' },
  'cli/commands/keys.ts': { mayImport: ['keys'], because: 'it shows what the keyring describes' },
  'cli/commands/sign.ts': { mayImport: ['code'], because: 'it reads the certificates that a signature is made with' },
  'cli/package/signed-package.ts': { mayImport: ['code'], because: 'a signature is made by the code that verifies it' },
  'cli/runtime-images.ts': {
    mayImport: ['sandbox'],
    because: 'images are built, exported and imported while no host runs',
  },
}

/** Only these files know these packages (design: each dependency is imported by one file or directory). */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  hono: ['api'],
  '@hono/node-server': ['api'],
  dockerode: ['sandbox'],
  'p-limit': ['sandbox'],
  'tar-stream': ['sandbox', 'code'],
  kysely: ['store'],
  'better-sqlite3': ['store'],
  commander: ['cli'],
  esbuild: ['cli'],
  picocolors: ['cli'],
  yazl: ['cli'],
  yauzl: ['code', 'cli'],
  pkijs: ['code'],
  asn1js: ['code'],
  zod: ['config'],
  'prom-client': ['telemetry'],
  '@aws-sdk/client-sqs': ['invoke'],
  '@aws-sdk/client-sns': ['invoke'],
  '@aws-sdk/client-eventbridge': ['invoke'],
  '@aws-sdk/client-s3': ['invoke', 'code'],
}

interface Import {
  readonly file: string
  readonly specifier: string
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8')
  const found = text.matchAll(
    /^\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )
  return [...found].map((match) => ({ file, specifier: match[1] ?? match[2] ?? '' }))
})

function unitOf(path: string): string {
  const [first = ''] = path.split('/')
  return first.replace(/\.ts$/, '')
}

describe('the layers of src/', () => {
  it('are named in the table, every directory and every file at the top', () => {
    const units = new Set(
      readdirSync(SRC, { withFileTypes: true })
        .filter((entry) => entry.isFile() || hasFiles(entry.name))
        .map((entry) => unitOf(entry.name)),
    )
    for (const unit of units) expect(Object.keys(LAYERS), `src/${unit} is not in the table of layers`).toContain(unit)
  })

  it('import only downwards, as the table allows', () => {
    const wrong: string[] = []
    for (const { file, specifier } of imports) {
      if (!specifier.startsWith('.')) continue
      const target = relative(SRC, join(SRC, dirname(file), specifier))
      const from = unitOf(file)
      const to = unitOf(target)
      const allowed = [from, ...(LAYERS[from]?.mayImport ?? []), ...(EXCEPTIONS[file]?.mayImport ?? [])]
      if (!allowed.includes(to)) wrong.push(`src/${file} imports ${specifier}: ${from} must not know ${to}`)
    }
    expect(wrong).toEqual([])
  })

  it('are a table without a way upwards', () => {
    const rows = Object.keys(LAYERS)
    for (const [unit, { layer, mayImport }] of Object.entries(LAYERS)) {
      for (const other of mayImport) {
        expect(rows.indexOf(other), `${unit} may import ${other}`).toBeLessThan(rows.indexOf(unit))
        expect(LAYERS[other]!.layer, `${unit} may import ${other}`).toBeLessThanOrEqual(layer)
      }
    }
    expect(Object.values(LAYERS).map(({ layer }) => layer)).toEqual(
      Object.values(LAYERS)
        .map(({ layer }) => layer)
        .sort(),
    )
  })

  it('are the table of ARCHITECTURE.md', () => {
    const text = readFileSync(join(SRC, '../ARCHITECTURE.md'), 'utf8')
    const named = (cell: string) => [...cell.matchAll(/`([a-z-]+)(?:\.ts)?`/g)].map(([, name]) => name!)
    const shown = [...text.matchAll(/^\| (\d) \| (.*?) \| (.*?)\|/gm)].map(
      ([, layer, directory = '', mayImport = '']) => {
        const [unit = ''] = named(directory)
        const names = named(mayImport)
        const everythingBut = Object.keys(LAYERS).filter((other) => ![unit, 'main', ...names].includes(other))
        return [unit, Number(layer), mayImport.startsWith('everything') ? everythingBut.sort() : names.sort()]
      },
    )
    const held = Object.entries(LAYERS).map(([unit, { layer, mayImport }]) => [unit, layer, [...mayImport].sort()])
    expect(shown).toEqual(held)
  })

  it('keep each package to the directories that need it', () => {
    const wrong = imports
      .filter(({ file, specifier }) => {
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const owners = PACKAGES[name]
        return owners !== undefined && !owners.includes(unitOf(file))
      })
      .map(({ file, specifier }) => `src/${file} imports ${specifier}`)
    expect(wrong).toEqual([])
  })

  it('know the store by its interfaces: what implements them is imported within src/store, and there by open.ts alone', () => {
    const rooms = /^store\/(?:catalogue|queue|sqlite|migrations)\//
    const wrong = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ file, specifier }) => ({ file, target: relative(SRC, join(SRC, dirname(file), specifier)) }))
      .filter(({ file, target }) => rooms.test(target) && !rooms.test(file) && file !== 'store/open.ts')
      .map(({ file, target }) => `src/${file} imports src/${target}`)
    expect(wrong).toEqual([])
  })

  it('have exceptions only for files that exist', () => {
    expect(Object.keys(EXCEPTIONS).filter((file) => !files.includes(file))).toEqual([])
  })

  it('leave the domain without clock and without I/O', () => {
    const wrong = files
      .filter((file) => file.startsWith('lambda/'))
      .filter((file) =>
        /\bDate\.now\(|new Date\(\)|\bperformance\.now\(|process\.(env|cwd)/.test(
          readFileSync(join(SRC, file), 'utf8'),
        ),
      )
    const io = imports.filter(
      ({ file, specifier }) =>
        file.startsWith('lambda/') && /^node:(fs|net|http|https|child_process|dns|os)\b/.test(specifier),
    )
    expect([...wrong, ...io.map(({ file, specifier }) => `${file} imports ${specifier}`)]).toEqual([])
  })
})

describe('the files of src/', () => {
  it('have at most 400 lines each', () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join(SRC, file), 'utf8').split('\n').length - 1 }))
      .filter(({ lines }) => lines > 400)
    expect(long).toEqual([])
  })

  it('have the whole host on one screen: main.ts has less than 60 lines', () => {
    expect(readFileSync(join(SRC, 'main.ts'), 'utf8').split('\n').length - 1).toBeLessThan(60)
  })

  it('do not import each other in circles, types neither', () => {
    const waiting = new Map<string, string[]>(files.map((file) => [file, []]))
    for (const { file, specifier } of imports) {
      if (specifier.endsWith('.ts')) waiting.get(file)?.push(relative(SRC, join(SRC, dirname(file), specifier)))
    }
    // Who needs nobody that is left, or is needed by nobody that is left, is in no circle.
    for (let before = 0; before !== waiting.size; ) {
      before = waiting.size
      const needed = new Set([...waiting.values()].flat())
      for (const [file, needs] of waiting) {
        if (!needed.has(file) || !needs.some((need) => waiting.has(need))) waiting.delete(file)
      }
    }
    expect([...waiting.keys()]).toEqual([])
  })

  it('follow no promise: hooks of promises cost each of them, on every warm invoke', () => {
    expect(imports.filter(({ specifier }) => specifier === 'node:async_hooks').map(({ file }) => file)).toEqual([])
  })

  it('have no default exports', () => {
    expect(files.filter((file) => /^export default\b/m.test(readFileSync(join(SRC, file), 'utf8')))).toEqual([])
  })
})

function hasFiles(directory: string): boolean {
  return files.some((file) => file.startsWith(`${directory}/`))
}
