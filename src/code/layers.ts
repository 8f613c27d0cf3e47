/**
 * What becomes /opt: the layers of a function merged in their order, made once for each ordered list of layers. In `merged/<id>` below the
 * directory (whole-folders.ts) are hard links to the files of the unpacked layers, or copies where the file system has none. It can always be
 * made again from the layers' packages. A function with one layer uses that layer's own folder.
 */
import { createHash } from 'node:crypto'
import { chmod, copyFile, link, lstat, mkdir, readlink, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { KeyedLock } from '../promises/keyed-lock.ts'
import { SingleFlight } from '../promises/single-flight.ts'
import { codeOf, explainDiskError } from './disk-errors.ts'
import { externalExtensions } from './extensions.ts'
import { inParallel } from './in-parallel.ts'
import { LayerTree, type TreeEntry } from './layer-tree.ts'
import { DEFAULT_GRACE_MS, WholeFolders } from './whole-folders.ts'
import type { PackagePermissions, Unpacked } from './zip.ts'

export interface LayerFoldersOptions {
  readonly directory: string
  /** The folder of one unpacked layer, by its CodeSha256; `ArtifactStore.folder` fits. */
  readonly unpacked: (sha256Base64: string) => Promise<string>
  readonly log: Pick<Logger, 'error' | 'warn'>
  /** Folders made less than this many milliseconds ago are never collected: the function that they are for may not be written yet. */
  readonly graceMs?: number
  readonly permissions?: PackagePermissions
}

/** Identity of an ordered list of layers, each given by its CodeSha256. */
export function mergedId(layers: readonly string[]): string {
  return createHash('sha256').update(layers.join('\n')).digest('hex')
}

export class LayerFolders {
  readonly #options: LayerFoldersOptions
  readonly #merged: WholeFolders
  readonly #locks = new KeyedLock()
  /** Look-ups under way, shared by all cold starts. */
  readonly #making = new SingleFlight<string>()

  constructor(options: LayerFoldersOptions) {
    this.#options = options
    this.#merged = new WholeFolders(options.directory, 'merged', options.permissions)
  }

  /**
   * The folder to mount at /opt, made if it is not there. `undefined`: there are no layers.
   * @throws LambdaException InvalidZipFileException when a layer's package is damaged, InvalidParameterValueException when all layers
   * together have too many files, ServiceException when the disk refuses
   */
  async folder(layers: readonly string[]): Promise<string | undefined> {
    const [first] = layers
    if (first === undefined) return undefined
    if (layers.length === 1) return this.#options.unpacked(first)
    const id = mergedId(layers)
    return this.#making.run(id, () => this.#locks.hold(id, () => this.#folder(id, layers)))
  }

  /** As `folder`, for a function that is about to be written: the folder's grace time begins anew. */
  async prepare(layers: readonly string[]): Promise<void> {
    if (layers.length < 2) return this.#warnOfExtensions(await this.folder(layers))
    const id = mergedId(layers)
    await this.#locks.hold(id, async () => {
      const folder = await this.#folder(id, layers)
      await this.#merged.renew(id)
      await this.#warnOfExtensions(folder)
    })
  }

  /** A function that is deployed with them runs without them: whoever deploys it must know. */
  async #warnOfExtensions(folder: string | undefined): Promise<void> {
    const extensions = folder === undefined ? [] : await externalExtensions(folder)
    if (extensions.length === 0) return
    this.#options.log.warn(
      { extensions },
      'The layers of a function contain external extensions. Hearth does not start them: this version does not support external extensions.',
    )
  }

  /** Removes the folders whose ids are not in `keep` and that are older than the grace time; returns how many. */
  async collect(keep: ReadonlySet<string>): Promise<number> {
    await this.#merged.prepare()
    let removed = 0
    for (const id of await this.#merged.ids()) {
      if (!keep.has(id)) removed += await this.#locks.hold(id, () => this.#remove(id))
    }
    return removed
  }

  async #remove(id: string): Promise<number> {
    if (await this.#isRecent(id)) return 0
    await this.#merged.remove(id)
    return 1
  }

  async #folder(id: string, layers: readonly string[]): Promise<string> {
    const folder = this.#merged.path(id)
    if ((await this.#merged.find(id)) !== undefined) return folder
    try {
      await this.#merged.prepare()
      const tree = new LayerTree()
      for (const layer of layers) await tree.add(await this.#options.unpacked(layer))
      await this.#merged.make(id, (made) => fill(tree, made))
      return folder
    } catch (error) {
      throw explainDiskError(error, this.#options.log, this.#options.directory)
    }
  }

  async #isRecent(id: string): Promise<boolean> {
    const madeAt = await this.#merged.madeAt(id)
    return madeAt !== undefined && Date.now() - madeAt < (this.#options.graceMs ?? DEFAULT_GRACE_MS)
  }
}

/** Makes the tree in an empty folder. */
async function fill(tree: LayerTree, folder: string): Promise<Unpacked> {
  let entries = 0
  const leaves: TreeEntry[] = []
  for (const entry of tree.entries()) {
    entries++
    if (entry.node.kind === 'folder') await makeFolder(join(folder, entry.path), entry.node.source)
    else leaves.push(entry)
  }
  let bytes = 0
  await inParallel(leaves, async ({ path, node }) => {
    if (node.kind === 'link') return symlink(await readlink(node.source, 'buffer'), join(folder, path))
    if (node.kind !== 'file') return
    const size = await makeFile(node.source, join(folder, path))
    bytes += size
  })
  return { entries, bytes }
}

/** With the permissions that it has in its layer, whatever the host's umask is. */
async function makeFolder(path: string, source: string): Promise<void> {
  await mkdir(path)
  await chmod(path, (await lstat(source)).mode & 0o777)
}

/** Returns its size. */
async function makeFile(source: string, target: string): Promise<number> {
  try {
    await link(source, target)
  } catch (error) {
    if (!['EMLINK', 'EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error
    const { mode, atime, mtime } = await lstat(source)
    await copyFile(source, target)
    await chmod(target, mode & 0o777)
    // Kept because Python trusts a compiled file only if its source has the time it was compiled with.
    await utimes(target, atime, mtime)
  }
  return (await lstat(target)).size
}
