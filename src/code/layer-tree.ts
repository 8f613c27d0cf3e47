/**
 * Several unpacked layers as one tree: later layers win. A file of a later layer replaces a whole folder of an earlier one and the other way
 * round; a folder never continues through an earlier layer's link. Folders are read with `lstat`'s eyes only, so no link is followed.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../lambda/limits.ts'
import { refused } from '../lambda/refusals.ts'

interface Folder {
  readonly kind: 'folder'
  readonly children: Map<string, Folder | Leaf>
  /** Where it lies in the last layer that has it. */
  source: string
}

interface Leaf {
  readonly kind: 'file' | 'link'
  /** Where it lies in its layer's own folder. */
  readonly source: string
}

export interface TreeEntry {
  /** Relative to the root. */
  readonly path: string
  readonly node: Folder | Leaf
}

export class LayerTree {
  readonly #root: Folder = { kind: 'folder', children: new Map(), source: '' }
  readonly #maxEntries: number
  #read = 0

  constructor(maxEntries: number = LIMITS.zipEntries) {
    this.#maxEntries = maxEntries
  }

  /** Puts a layer over what is there. @throws LambdaException InvalidParameterValueException when there are too many files */
  async add(layer: string): Promise<void> {
    const waiting: [path: string, into: Folder][] = [['', this.#root]]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [path, into] = next
      for (const entry of await readdir(join(layer, path), { withFileTypes: true })) {
        if (++this.#read > this.#maxEntries) {
          throw refused(`The layers of a function must have at most ${this.#maxEntries} files and folders together`)
        }
        const below = join(path, entry.name)
        if (entry.isDirectory()) {
          const known = into.children.get(entry.name)
          const source = join(layer, below)
          const folder: Folder = known?.kind === 'folder' ? known : { kind: 'folder', children: new Map(), source }
          folder.source = source
          into.children.set(entry.name, folder)
          waiting.push([below, folder])
        } else if (entry.isFile() || entry.isSymbolicLink()) {
          const kind = entry.isFile() ? 'file' : 'link'
          into.children.set(entry.name, { kind, source: join(layer, below) })
        }
      }
    }
  }

  /** Everything below the root, folders before what is in them. */
  *entries(): Generator<TreeEntry> {
    const waiting: TreeEntry[] = [{ path: '', node: this.#root }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next.path !== '') yield next
      if (next.node.kind !== 'folder') continue
      for (const [name, node] of next.node.children) waiting.push({ path: join(next.path, name), node })
    }
  }
}
