// An SQLite for the host's database: better-sqlite3, or Node's own where it has one.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { canInstall, install } from './debian.mjs'
import { npmInstall } from './dependencies.mjs'
import { must, Refusal, ROOT, run, say, step, works } from './steps.mjs'

const PROBE = `new (require('better-sqlite3'))(':memory:').close()`

export async function ensureSqlite() {
  if (hasNodeSqlite() || loads()) return
  await step('SQLite: better-sqlite3 has no binary for this Node.js; building it', build)
}

/** node:sqlite is usable without a flag since Node 22.13. */
export function hasNodeSqlite(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

/** Whether the host could load better-sqlite3. */
export function loads() {
  // Node remembers that a package was not there: asking for it now would hide it from the host, which is started in this process.
  if (!existsSync(join(ROOT, 'node_modules/better-sqlite3/package.json'))) return false
  try {
    const Database = createRequire(join(ROOT, 'package.json'))('better-sqlite3')
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}

async function build() {
  if (!((await works('g++')) && (await works('make')) && (await works('python3')))) {
    if (!canInstall()) throw new Refusal(advice())
    await install(['g++', 'make', 'python3'])
  }
  say('compiling better-sqlite3: about a minute')
  const env = { npm_config_nodedir: await headers() }
  await npmInstall(env)
  // npm keeps the folder of a package whose build it has seen succeed before: build it again if it still does not load.
  if ((await run('node', ['-e', PROBE], { quiet: true })).status !== 0) {
    await run('npm', ['rebuild', 'better-sqlite3', '--foreground-scripts', '--loglevel=error'], { env })
  }
  if ((await run('node', ['-e', PROBE], { quiet: true })).status !== 0) throw new Refusal(advice())
}

/** Node's C++ headers. They come from npm, like everything else, because not every site reaches nodejs.org. */
async function headers() {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
  const folder = join(ROOT, '.hearth/node-headers')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const name = `node-linux-${arch}@${process.versions.node}`
  const printed = await must('npm', ['pack', name, '--silent', '--pack-destination', folder])
  const archive = join(folder, printed.trim().split('\n').pop())
  await must('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', 'package/include'])
  rmSync(archive)
  return folder
}

function advice() {
  return (
    `Hearth's database needs SQLite, and better-sqlite3 could not be built for Node.js ${process.versions.node}: ` +
    'install a C++ compiler, make and python3 (Debian/Ubuntu: apt-get install g++ make python3) and run the same command again, or use Node.js 22.13 or later, which has SQLite built in.'
  )
}
