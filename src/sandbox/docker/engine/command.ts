/** Programs of the machine that Hearth calls: bounded in time, without a shell unless the shell is what is called. */
import { execFile } from 'node:child_process'

const LIMIT_MS = 30_000
const OUTPUT_BYTES = 1024 * 1024

/** Resolves with stdout. Rejects with `code` (errno when the program is missing) and a message with the command and its stderr. */
export function run(file: string, ...args: string[]): Promise<string> {
  // Administration programs are often not on the path of a service.
  const env = {
    ...process.env,
    PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    LC_ALL: 'C',
  }
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { env, timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES },
      (error, stdout) => {
        if (error) reject(error)
        else resolve(stdout)
      },
    ).stdin?.end()
  })
}
