/** External extensions that layers bring: programs in /opt/extensions, which AWS starts beside the runtime and Hearth does not. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Names in a message; a layer may have any number. */
const MOST = 10

/** @param opt folder that becomes /opt. A link in the place of the folder is not followed: it may lead anywhere on this machine. */
export async function externalExtensions(opt: string): Promise<readonly string[]> {
  const folder = join(opt, 'extensions')
  const found = await lstat(folder).catch(() => undefined)
  if (!found?.isDirectory()) return []
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()
    .slice(0, MOST)
}
