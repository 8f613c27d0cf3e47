// Installing Debian packages, where that is possible.
import { existsSync, readFileSync } from 'node:fs'
import { must, Refusal, say } from './steps.mjs'

export function isRoot() {
  return process.getuid?.() === 0
}

/** Debian, Ubuntu, or a system derived from them. */
export function isDebian() {
  if (!existsSync('/usr/bin/apt-get')) return false
  try {
    const release = readFileSync('/etc/os-release', 'utf8')
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)
  } catch {
    return false
  }
}

/** Whether this process may install packages. */
export function canInstall() {
  return isRoot() && isDebian()
}

let updated = false

/** Installs packages with what they need and nothing more. */
export async function install(packages) {
  if (!canInstall()) throw new Refusal(`As root on Debian or Ubuntu: apt-get install ${packages.join(' ')}`)
  say(`apt-get install ${packages.join(' ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  if (!updated) {
    await must('apt-get', ['update', '-q', ...wait], { env })
    updated = true
  }
  await must('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...wait, ...packages], { env })
}
