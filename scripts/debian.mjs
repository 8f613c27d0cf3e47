// Installing Debian packages, where that is possible.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { failed, must, Refusal, run, say } from './steps.mjs'

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

/** How long another apt is waited for, and between two attempts, in milliseconds. */
const WAIT_MS = 300_000
const PAUSE_MS = 2000

/** What apt says, untranslated, when another one holds a lock. `DPkg::Lock::Timeout` makes it wait for dpkg's lock only, not for the lists'. */
const LOCKED = /Could not get lock|Unable to lock|Unable to acquire the dpkg/

/** Runs apt-get, which must succeed. Another apt at work on this machine is waited for. */
export async function apt(args, { waitMs = WAIT_MS, pauseMs = PAUSE_MS, ...options } = {}) {
  const lockSeconds = Math.ceil(waitMs / 1000)
  const waiting = ['-q', '-o', `DPkg::Lock::Timeout=${lockSeconds}`, '-o', 'Acquire::Retries=3', ...args]
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  const limit = performance.now() + waitMs
  for (let told = false; ; told = true) {
    const { status, output } = await run('apt-get', waiting, { ...options, quiet: true, env })
    if (status === 0) return
    if (!LOCKED.test(output) || performance.now() > limit) throw failed('apt-get', args, status, output)
    if (!told) say(`another apt runs on this machine: Hearth waits for it, at most ${lockSeconds} s`)
    await delay(pauseMs)
  }
}

let updating

function update() {
  updating ??= apt(['update'])
  return updating
}

/** Installs packages with what they need and nothing more. */
export async function install(packages) {
  if (!canInstall()) throw new Refusal(`As root on Debian or Ubuntu: apt-get install ${packages.join(' ')}`)
  say(`apt-get install ${packages.join(' ')}`)
  await update()
  await apt(['install', '-y', '--no-install-recommends', ...packages])
}

/** The files of a package below a folder, without what installing it does, such as starting a service. */
export async function unpack(name, folder) {
  await update()
  mkdirSync(folder, { recursive: true })
  await apt(['download', name], { cwd: folder })
  const archive = readdirSync(folder).find((file) => file.endsWith('.deb'))
  await must('dpkg-deb', ['-x', archive, '.'], { cwd: folder })
  rmSync(join(folder, archive))
}
