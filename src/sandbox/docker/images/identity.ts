/** Identity of images: a hash over everything that decides what is in them, so that an unchanged recipe is never built twice. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Architecture } from '../../../lambda/function.ts'
import { NODE_PACKAGES, RECIPES, type Suite, TOOLS_SUITE } from './catalogue.ts'

export interface RecipeFile {
  /** Relative to the folder, with `/`. */
  readonly name: string
  readonly data: Buffer
  readonly executable: boolean
}

/** The folder `runtimes/` of this installation: beside the sources, or beside the bundle made from them. */
export function runtimesFolder(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'runtimes')
    if (statSync(join(candidate, 'base', 'Dockerfile'), { throwIfNoEntry: false })?.isFile()) return candidate
    if (dirname(folder) === folder)
      throw new Error(`No folder "runtimes" above ${from}: the installation is incomplete.`)
  }
}

/** Files of one folder of `runtimes/`, in a fixed order. The README is not part of the recipe. */
export function recipeFiles(folder: string): RecipeFile[] {
  const files: RecipeFile[] = []
  const walk = (directory: string, prefix: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name)
      if (entry.isDirectory() && entry.name !== 'node_modules') walk(path, `${prefix}${entry.name}/`)
      else if (entry.isFile() && entry.name !== 'README.md') {
        const data = readFileSync(path)
        // The mode bits do not survive every way of installing (zip, Windows): a script is recognised by its first two bytes.
        files.push({ name: prefix + entry.name, data, executable: data[0] === 0x23 && data[1] === 0x21 })
      }
    }
  }
  walk(folder, '')
  return files
}

export function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('hex')
}

function folderHash(folder: string): string {
  return sha256(...recipeFiles(folder).flatMap((file) => [file.name, file.data]))
}

/** Recipe hashes of one installation. Reads the folder once per kind of image. */
export class Identities {
  readonly #root: string
  readonly #folders = new Map<string, string>()

  constructor(root: string) {
    this.#root = root
  }

  #folder(name: string): string {
    let hash = this.#folders.get(name)
    if (hash === undefined) {
      hash = folderHash(join(this.#root, name))
      this.#folders.set(name, hash)
    }
    return hash
  }

  base(suite: Suite): string {
    return sha256('base', suite, this.#folder('base'))
  }

  toolchain(): string {
    return sha256('toolchain', this.base(TOOLS_SUITE), this.#folder('toolchain'))
  }

  tools(): string {
    return sha256('tools', this.base(TOOLS_SUITE), this.#folder('tools'))
  }

  addon(architecture: Architecture): string {
    return sha256('addon', architecture, JSON.stringify(NODE_PACKAGES), this.#file('nodejs', 'build-addon.sh'))
  }

  sdk(): string {
    return sha256('sdk', this.#file('nodejs', 'sdk/package-lock.json'))
  }

  pythonPackages(python: string, architecture: Architecture): string {
    return sha256('python-packages', python, architecture, this.#file('python', 'requirements.txt'))
  }

  supervisor(architecture: Architecture): string {
    return sha256('supervisor', architecture, this.#folder('supervisor'))
  }

  providedBootstrap(architecture: Architecture): string {
    return sha256('provided-bootstrap', architecture, this.#file('provided', 'bootstrap.c'))
  }

  /** `undefined`: this host has no recipe for it. */
  runtime(runtime: string, architecture: Architecture): string | undefined {
    const recipe = RECIPES[runtime]
    if (!recipe) return undefined
    const versions = recipe.family === 'nodejs' ? JSON.stringify(NODE_PACKAGES) : ''
    const folder = this.#folder(recipe.family)
    return sha256('runtime', this.base(recipe.suite), folder, JSON.stringify(recipe), versions, architecture)
  }

  #file(folder: string, name: string): Buffer {
    return readFileSync(join(this.#root, folder, name))
  }
}
