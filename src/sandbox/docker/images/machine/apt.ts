/** Debian packages on this machine. apt knows one user at a time: whoever else installs something is waited for. */
import { setTimeout as delay } from 'node:timers/promises'
import { Once, type Progress, step } from '../progress.ts'
import { ToolFailure } from '../tool-failure.ts'
import { runCommand } from './command.ts'

export interface AptOptions {
  readonly progress: Progress
  /** What to do when the package cannot be installed. */
  readonly remedy: string
  /** How long another apt is waited for, in milliseconds. */
  readonly waitMs?: number
  /** Between two attempts, in milliseconds. */
  readonly pauseMs?: number
}

/** As scripts/debian.mjs waits. */
const WAIT_MS = 300_000
const PAUSE_MS = 2000

/** What apt says, untranslated, when another one holds a lock. `DPkg::Lock::Timeout` makes it wait for dpkg's lock only, not for the lists'. */
const LOCKED = /Could not get lock|Unable to lock|Unable to acquire the dpkg/

/** One for the process: every image builder shares the machine's apt. */
const installing = new Once<void>()

/** Installs a package once, however many ask for it at the same time. @throws SandboxError */
export async function installPackage(name: string, options: AptOptions): Promise<void> {
  try {
    await installing.run(name, () =>
      step(options.progress, `installing the Debian package ${name} on this machine`, async () => {
        await apt(['update'], options)
        await apt(['install', '-y', '--no-install-recommends', name], options)
      }),
    )
  } finally {
    installing.forget(name)
  }
}

async function apt(args: readonly string[], options: AptOptions): Promise<void> {
  const { progress, remedy, waitMs = WAIT_MS, pauseMs = PAUSE_MS } = options
  const limit = performance.now() + waitMs
  const lockSeconds = Math.ceil(waitMs / 1000)
  const environment = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  for (let told = false; ; told = true) {
    try {
      await runCommand('apt-get', ['-o', `DPkg::Lock::Timeout=${lockSeconds}`, ...args], { environment, remedy })
      return
    } catch (error) {
      if (!(error instanceof ToolFailure) || !LOCKED.test(error.output) || performance.now() > limit) throw error
      if (!told) progress(`another apt runs on this machine: Hearth waits for it, at most ${lockSeconds} s`)
      await delay(pauseMs)
    }
  }
}
