/** A Go compiler that is new enough for AWS's SDK: the machine's own, or one that it fetches. */
import { execFile } from 'node:child_process'
import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What the SDK needs, and what is fetched where the machine's Go is older. */
export const GO = { needed: [1, 24], toolchain: 'v0.0.1-go1.24.9' } as const

/**
 * Since Go 1.21 the command fetches newer ones as modules by itself; Debian 12 has 1.19, which can fetch the module as well.
 * @param cwd a folder outside of modules
 * @returns the path of the newer command
 */
export async function fetchGo(cwd: string): Promise<string> {
  const go = async (...args: string[]) => (await promisify(execFile)('go', args, { cwd })).stdout
  const [os = '', arch = ''] = (await go('env', 'GOOS', 'GOARCH')).split('\n')
  const module = `golang.org/toolchain@${GO.toolchain}.${os}-${arch}`
  const { Dir } = JSON.parse(await go('mod', 'download', '-json', module)) as { Dir: string }
  // Files of modules are not executable.
  for (const folder of ['bin', `pkg/tool/${os}_${arch}`]) {
    for (const file of await readdir(join(Dir, folder))) await chmod(join(Dir, folder, file), 0o755)
  }
  return join(Dir, 'bin/go')
}
