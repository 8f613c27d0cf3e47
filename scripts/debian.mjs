// Installing Debian packages, where that is possible.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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

const WAIT = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
let updated = false

async function update() {
  if (updated) return
  await must('apt-get', ['update', '-q', ...WAIT])
  updated = true
}

/** Installs packages with what they need and nothing more. */
export async function install(packages) {
  if (!canInstall()) throw new Refusal(`As root on Debian or Ubuntu: apt-get install ${packages.join(' ')}`)
  say(`apt-get install ${packages.join(' ')}`)
  await update()
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await must('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...WAIT, ...packages], { env })
}

/** The files of a package below a folder, without what installing it does, such as starting a service. */
export async function unpack(name, folder) {
  await update()
  mkdirSync(folder, { recursive: true })
  await must('apt-get', ['download', '-q', ...WAIT, name], { cwd: folder })
  const archive = readdirSync(folder).find((file) => file.endsWith('.deb'))
  await must('dpkg-deb', ['-x', archive, '.'], { cwd: folder })
  rmSync(join(folder, archive))
}
