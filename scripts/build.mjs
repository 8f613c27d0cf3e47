// Bundles the host and its command line into dist/: a start then loads a few files instead of hundreds, and needs no compiler.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { command, Refusal, ROOT, step } from './steps.mjs'

const STAMP = join(ROOT, 'dist/build.json')

/** Builds only when the sources have changed since the last build. */
export async function ensureBuild() {
  if (!isStale()) return
  await step('Building the host', build)
}

export function isStale() {
  if (!existsSync(STAMP)) return true
  return JSON.parse(readFileSync(STAMP, 'utf8')).sources !== fingerprint()
}

export async function build() {
  const sources = fingerprint()
  const esbuild = await import('esbuild')
  const bundle = esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Kept outside: what has native parts, starts threads from its own files, is large and rarely used, or may not be installed.
    external: ['better-sqlite3', 'esbuild', 'pino', '@aws-sdk/*'],
    plugins: [onFirstUse],
    // Packages in the older module format call require().
    banner: {
      js: "import { createRequire as requireOfTheBundle } from 'node:module'; const require = requireOfTheBundle(import.meta.url);",
    },
    sourcemap: true,
    sourcesContent: false,
    write: false,
    logLevel: 'warning',
  })
  const result = await bundle
    .catch(() => {
      throw new Refusal('The sources do not build; the messages above say where. dist/ is as it was.')
    })
    // Its service would stay beside the host, which is this very process, for as long as that runs.
    .finally(() => esbuild.stop())
  // Chunks first, the entry that names them last, each in one move: a second build at the same time does no harm.
  const order = (file) => (file.path.endsWith('main.js') ? 1 : 0)
  const written = new Set()
  for (const file of result.outputFiles.sort((a, b) => order(a) - order(b))) {
    replace(file.path, file.contents)
    written.add(file.path)
  }
  for (const name of readdirSync(join(ROOT, 'dist'))) {
    const path = join(ROOT, 'dist', name)
    if (/\.js(\.map)?$/.test(name) && !written.has(path)) rmSync(path, { force: true })
  }
  replace(STAMP, JSON.stringify({ sources }))
}

/**
 * The engine's client loads gRPC (for BuildKit sessions) and SSH whether they are used or not, which took a third of the time of a start;
 * Hearth uses neither. They stay outside the bundle and are loaded when something calls them.
 */
const onFirstUse = {
  name: 'on-first-use',
  setup(build) {
    const files = { './session': 'dockerode/lib/session.js', './ssh': 'docker-modem/lib/ssh.js' }
    build.onResolve({ filter: /^\.\/(session|ssh)$/ }, (args) => {
      const path = files[args.path]
      return args.importer.includes(`node_modules/${path.split('/')[0]}/`)
        ? { path, namespace: 'on-first-use' }
        : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'on-first-use' }, ({ path }) => ({
      contents: `module.exports = (...args) => require(${JSON.stringify(path)})(...args)`,
    }))
    build.onResolve({ filter: /.*/, namespace: 'on-first-use' }, ({ path }) => ({ path, external: true }))
  },
}

function replace(path, contents) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}

/** Names, sizes and times of everything that goes into the bundle. */
function fingerprint() {
  const hash = createHash('sha256')
  const add = (path) => {
    const { size, mtimeMs } = statSync(path)
    hash.update(`${relative(ROOT, path)}\0${size}\0${mtimeMs}\n`)
  }
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else add(path)
    }
  }
  walk(join(ROOT, 'src'))
  for (const name of ['package.json', 'package-lock.json', 'scripts/build.mjs']) {
    if (existsSync(join(ROOT, name))) add(join(ROOT, name))
  }
  return hash.digest('hex')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await command(async () => {
    await step('Building the host', build)
    return 0
  })
}
