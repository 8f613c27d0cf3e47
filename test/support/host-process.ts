/** The host as a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface HostProcess {
  readonly url: string
  readonly process: ChildProcess
  /** Sends a signal and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

const CHECKOUT = resolve(import.meta.dirname, '../..')

/**
 * Starts `hearth start` on a free port and waits until it answers. @throws with its output when it ends instead.
 * @param checkout whose host; this one's unless given
 */
export async function startHostProcess(
  data: string,
  env: Record<string, string> = {},
  checkout = CHECKOUT,
): Promise<HostProcess> {
  const hearth = join(checkout, 'bin/hearth.mjs')
  const child = spawn(process.execPath, [hearth, 'start', '--port', '0', '--data', data, '--json'], {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-20_000)
  })
  return answering(child, () => `the host ended before it answered:\n${errors}`)
}

/**
 * Waits until a process has printed JSON with its `endpoint`.
 * @param ended what to say when it ends instead
 */
export async function answering(
  child: ChildProcess & { readonly stdout: Readable },
  ended: () => string,
): Promise<HostProcess> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    createInterface({ input: child.stdout }).on('line', (line) => {
      text += line
      const endpoint = /"endpoint":\s*"([^"]+)"/.exec(text)?.[1]
      if (endpoint !== undefined) resolve(endpoint)
    })
    void exited.then(() => reject(new Error(ended())))
  })
  return {
    url,
    process: child,
    async end(signal) {
      child.kill(signal)
      await exited
    },
  }
}
