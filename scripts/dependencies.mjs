// node_modules as package-lock.json wants it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, ROOT, run, step } from './steps.mjs'

/** Why the dependencies must be installed, or undefined when they are there. */
export function outdated(root = ROOT) {
  const lock = join(root, 'package-lock.json')
  const hidden = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(hidden)) return 'missing'
  if (!existsSync(lock)) return undefined
  const wanted = JSON.parse(readFileSync(lock, 'utf8')).packages ?? {}
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages ?? {}
  for (const [path, one] of Object.entries(wanted)) {
    if (path === '') continue
    const found = present[path]
    if (found === undefined) {
      // npm leaves out what is for other platforms, and optional packages that could not be built here (see sqlite.mjs).
      if (one.optional || one.devOptional || one.peer) continue
      return `${path.replace('node_modules/', '')} is missing`
    }
    if (found.version !== one.version)
      return `${path.replace('node_modules/', '')} is ${found.version}, not ${one.version}`
  }
  return undefined
}

export async function ensureDependencies() {
  const reason = outdated()
  if (reason === undefined) return
  await step(`Installing dependencies (${reason})`, () => npmInstall())
}

/** Installs exactly what the lock says. Development tools come along even under NODE_ENV=production: the host is built with one. */
export async function npmInstall(env = {}) {
  const verb = existsSync(join(ROOT, 'package-lock.json')) ? 'ci' : 'install'
  const { status } = await run(
    'npm',
    [verb, '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
    { env },
  )
  if (status !== 0) {
    throw new Refusal(
      `\`npm ${verb}\` failed with status ${status}; its reason is above. Hearth needs its dependencies: check that npm reaches its registry (npm ping), then run the same command again.`,
    )
  }
}
