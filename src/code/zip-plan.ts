/**
 * What a zip would make on disk, decided before a byte is written. Of two entries for one path the later one counts, as `unzip -o` does; a path
 * that would be a file and a folder at once, or lies below a link, is refused. Pure.
 */
import { LIMITS } from '../lambda/limits.ts'
import type { PlannedEntry } from './zip-entry.ts'
import { tooManyEntries } from './zip-errors.ts'

interface Node {
  /** Absent for a folder that no entry names. */
  planned: PlannedEntry | undefined
  children: Map<string, Node> | undefined
}

/** How often one path may pass through links before it is taken for a loop, as in Linux. */
const MAX_LINKS = 40

/** Segments of all links followed, together: links that expand into links multiply. A large pnpm package has some 50,000. */
const MAX_STEPS = 1_000_000

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
  *directories(): Generator<readonly string[]> {
    for (const [path, node] of walk(this.#root)) if (node.children !== undefined) yield path
  }

  files(): PlannedEntry[] {
    return this.#ofKind('file')
  }

  links(): PlannedEntry[] {
    return this.#ofKind('link')
  }

  /**
   * Throws unless every link leads to a place inside the package, through whatever other links. Comparing texts would not do: with `a/b -> ..` the
   * link `c -> a/b/..` is outside. A link to nothing, or one that runs in a circle, leads nowhere and may stay.
   */
  checkLinks(targets: ReadonlyMap<PlannedEntry, string>): void {
    const budget = { steps: MAX_STEPS }
    for (const [link, target] of targets) {
      const base = nodesTo(this.#root, link.path.slice(0, -1))
      if (leadsOut(base, target, targets, budget)) {
        throw new Error(`the link ${link.path.join('/')} leads out of the package`)
      }
      if (budget.steps <= 0) throw new Error('the links of the package lead through too many others')
    }
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

/** The nodes from below the root to the path. */
function nodesTo(root: Node, path: readonly string[]): (Node | undefined)[] {
  let node: Node | undefined = root
  const nodes: (Node | undefined)[] = [root]
  for (const segment of path) {
    node = node?.children?.get(segment)
    nodes.push(node)
  }
  return nodes
}

/** Walks the target as the kernel would. `here` starts with the root and ends with the folder that the link lies in. */
function leadsOut(
  here: (Node | undefined)[],
  target: string,
  targets: ReadonlyMap<PlannedEntry, string>,
  budget: { steps: number },
): boolean {
  if (target.startsWith('/')) return true
  let followed = 0
  const ahead = reversed(target)
  for (let segment = ahead.pop(); segment !== undefined && --budget.steps > 0; segment = ahead.pop()) {
    if (segment === '..') {
      here.pop()
      if (here.length === 0) return true
      continue
    }
    const node = here.at(-1)?.children?.get(segment)
    const further = node?.planned === undefined ? undefined : targets.get(node.planned)
    if (further === undefined) {
      here.push(node)
    } else if (further.startsWith('/')) {
      return true
    } else if (++followed > MAX_LINKS) {
      return false
    } else {
      ahead.push(...reversed(further))
    }
  }
  return false
}

/** Segments, the first one last. */
function reversed(target: string): string[] {
  return target
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .reverse()
}
