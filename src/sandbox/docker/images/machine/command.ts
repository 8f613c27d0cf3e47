/** Programs of this machine that preparing images uses: npm, mmdebstrap, apt-get. */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { KEPT_CHARACTERS, ToolFailure } from '../tool-failure.ts'

/** Characters of the command line that a failure shows. */
const SHOWN = 200

export interface CommandOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  /** File that takes the standard output. */
  readonly output?: string
  /** What to do when it fails, for the error. */
  readonly remedy: string
}

/** Runs a program to its end; the error of a failed one is a ToolFailure. */
export async function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<void> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-KEPT_CHARACTERS)
  }
  child.stderr.on('data', hear)
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? '' : `exit ${signal ?? code}`))
  })
  if (options.output === undefined) child.stdout.on('data', hear)
  else
    await pipeline(child.stdout, createWriteStream(options.output)).catch((error: Error) =>
      hear(Buffer.from(error.message)),
    )
  const failure = await ended
  if (failure !== '') {
    const shown = [program, ...args].join(' ').slice(0, SHOWN)
    throw new ToolFailure(`"${shown}" failed (${failure})`, failure, said, options.remedy)
  }
}

/** npm with the user's own configuration: mirror, token and certificates come with it. */
export function runNpm(args: readonly string[], cwd: string): Promise<void> {
  const remedy = 'Check that npm works on this machine (npm ping), then prepare the runtime again.'
  const script = process.env.npm_execpath
  if (script?.endsWith('.js')) return runCommand(process.execPath, [script, ...args], { cwd, remedy })
  return runCommand(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd, remedy })
}

export async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return true
  }
  return false
}
