/**
 * What a zip would make on disk, decided before a byte is written. Of two entries for one path the later one counts, as `unzip -o` does; a path
 * that would be a file and a folder at once, or lies below a link, is refused. Pure.
 */
import { LIMITS } from '../lambda/limits.ts'
import { isUnreadable, type PlannedEntry } from './zip-entry.ts'
import { tooManyEntries } from './zip-errors.ts'

interface Node {
  /** Absent for a folder that no entry names. */
  planned: PlannedEntry | undefined
  children: Map<string, Node> | undefined
}

export class ZipPlan {
  readonly #root: Node = { planned: undefined, children: new Map() }
  #size = 0

  /** Files, folders and links that will be on disk. */
  get size(): number {
    return this.#size
  }

  add(planned: PlannedEntry): void {
    let node = this.#root
    for (const segment of planned.path) {
      if (node.planned !== undefined && node.planned.kind !== 'directory') {
        throw new Error(`${planned.path.join('/')} lies below ${node.planned.path.join('/')}, which is no folder`)
      }
      node.children ??= new Map()
      node = node.children.get(segment) ?? this.#newChild(node.children, segment)
    }
    if (planned.kind !== 'directory' && (node.children !== undefined || node.planned?.kind === 'directory')) {
      throw new Error(`${planned.path.join('/')} is a folder and a file`)
    }
    if (planned.kind === 'directory' && node.planned !== undefined && node.planned.kind !== 'directory') {
      throw new Error(`${planned.path.join('/')} is a file and a folder`)
    }
    node.planned = planned
    if (planned.kind === 'directory') node.children ??= new Map()
  }

  /** Every folder, parents before children, without the root. */
  *directories(): Generator<[path: readonly string[], planned: PlannedEntry | undefined]> {
    for (const [path, node] of walk(this.#root)) if (node.children !== undefined) yield [path, node.planned]
  }

  /** The first ones that functions could not read where permissions are exact. */
  unreadable(most: number): string[] {
    const found: string[] = []
    for (const [path, { planned }] of walk(this.#root)) {
      if (found.length === most) break
      if (planned !== undefined && isUnreadable(planned)) found.push(path.join('/'))
    }
    return found
  }

  files(): PlannedEntry[] {
    return this.#ofKind('file')
  }

  links(): PlannedEntry[] {
    return this.#ofKind('link')
  }

  /** Folders that no entry names count too: a single path can name a hundred of them. */
  #newChild(children: Map<string, Node>, segment: string): Node {
    if (++this.#size > LIMITS.zipEntries) throw tooManyEntries()
    const child = { planned: undefined, children: undefined }
    children.set(segment, child)
    return child
  }

  #ofKind(kind: PlannedEntry['kind']): PlannedEntry[] {
    return [...walk(this.#root)].flatMap(([, node]) => (node.planned?.kind === kind ? [node.planned] : []))
  }
}

/** Everything below the root, parents before children. */
function* walk(root: Node): Generator<[path: readonly string[], node: Node]> {
  const waiting: [readonly string[], Node][] = [[[], root]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, node] = next
    if (node !== root) yield next
    for (const [name, child] of node.children ?? []) waiting.push([[...path, name], child])
  }
}
