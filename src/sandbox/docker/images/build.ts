/** Builds every kind of image, each after what it depends on, each once: a matching recipe label means that there is nothing to do. */
import { join } from 'node:path'
import { SandboxError } from '../../driver.ts'
import { debianImage } from './base.ts'
import {
  type ImageKind,
  LABELS,
  NODE_PACKAGES,
  RECIPES,
  type Recipe,
  type Suite,
  TAGS,
  TOOLS_SUITE,
} from './catalogue.ts'
import { BuildContext } from './context.ts'
import { buildImage, inspectImage } from './engine.ts'
import { type RecipeFile, recipeFiles } from './identity.ts'
import {
  keepInSdk,
  nodeAddons,
  nodePackage,
  nodeSdk,
  providedBootstrap,
  pythonPackages,
  supervisorFile,
  under,
  type Workplace,
} from './products.ts'
import { Once, type Progress, step } from './progress.ts'
import { failedStep } from './tool-failure.ts'

export class ImageBuilder {
  readonly #at: Workplace
  readonly #progress: Progress
  readonly #once = new Once<void>()
  readonly #products = new Once<string>()

  constructor(at: Omit<Workplace, 'toolchain'>, progress: Progress) {
    this.#at = { ...at, toolchain: () => this.#onBase(TAGS.toolchain, 'toolchain', at.identities.toolchain()) }
    this.#progress = progress
  }

  runtime(runtime: string): Promise<void> {
    return this.#current(TAGS.runtime(runtime), this.#runtimeHash(runtime), async (tag, recipe) => {
      const row = RECIPES[runtime] as Recipe
      const [context] = await Promise.all([this.#runtimeContext(row), this.base(row.suite)])
      const args: Record<string, string> = { BASE: TAGS.base(row.suite) }
      if (row.family === 'python') args.PYTHON = row.python
      await this.#build(tag, 'runtime', recipe, context, args)
    })
  }

  base(suite: Suite): Promise<void> {
    return this.#current(TAGS.base(suite), this.#at.identities.base(suite), async (tag, recipe) => {
      const making = debianImage(this.#at.docker, this.#at.cache, suite, this.#progress)
      const plain = await this.#explained(`debian ${suite}`, making)
      const context = new BuildContext().files('', this.#files('base'))
      await this.#build(tag, 'base', recipe, context, { BASE: plain })
    })
  }

  /** iptables, for a host process without root. */
  tools(): Promise<void> {
    return this.#onBase(TAGS.tools, 'tools', this.#at.identities.tools())
  }

  /** The supervisor as an image of one file, so that it travels in an archive together with the runtimes. */
  supervisor(): Promise<void> {
    return this.#current(
      TAGS.supervisor,
      this.#at.identities.supervisor(this.#at.architecture),
      async (tag, recipe) => {
        const file = await this.supervisorFile()
        const context = new BuildContext()
          .folder(join(file, '..'), '', (name) => name === 'supervisor')
          .file('Dockerfile', 'FROM scratch\nCOPY supervisor /supervisor\n')
        await this.#build(tag, 'supervisor', recipe, context, {})
      },
    )
  }

  /** Path of the static supervisor on this machine. */
  supervisorFile(): Promise<string> {
    return this.#product('supervisor', () => supervisorFile(this.#at))
  }

  /** Whether the engine has the image that this installation's recipe makes. */
  async isCurrent(tag: string, recipe: string | undefined): Promise<boolean> {
    if (recipe === undefined) return false
    return (await inspectImage(this.#at.docker, tag))?.labels[LABELS.recipe] === recipe
  }

  #runtimeHash(runtime: string): string {
    const hash = this.#at.identities.runtime(runtime, this.#at.architecture)
    if (hash !== undefined) return hash
    const known = Object.keys(RECIPES).join(', ')
    throw new SandboxError(
      'image-missing',
      runtime,
      `There is no recipe for ${runtime}; there is one for ${known}.`,
      'Map the runtime to an image (HEARTH_RUNTIME_IMAGE_MAP).',
    )
  }

  #current(tag: string, recipe: string, build: (tag: string, recipe: string) => Promise<void>): Promise<void> {
    return this.#once.run(tag, async () => {
      if (await this.isCurrent(tag, recipe)) {
        // Asked again next time: the image may be removed while the host runs.
        this.#once.forget(tag)
        return
      }
      await build(tag, recipe)
      this.#once.forget(tag)
    })
  }

  #onBase(tag: string, kind: 'tools' | 'toolchain', hash: string): Promise<void> {
    return this.#current(tag, hash, async (_, recipe) => {
      await this.base(TOOLS_SUITE)
      const context = new BuildContext().files('', this.#files(kind))
      await this.#build(tag, kind, recipe, context, { BASE: TAGS.base(TOOLS_SUITE) })
    })
  }

  #product(name: string, make: () => Promise<string>): Promise<string> {
    return this.#products.run(name, () => this.#step(name, make))
  }

  #build(
    tag: string,
    kind: ImageKind,
    recipe: string,
    context: BuildContext,
    args: Record<string, string>,
  ): Promise<void> {
    return this.#step(`image ${tag}`, () => buildImage(this.#at.docker, { tag, kind, recipe, context, args }, () => {}))
  }

  #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#explained(name, step(this.#progress, name, run))
  }

  async #explained<T>(name: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw await failedStep(name, this.#at.cache.failures, error)
    }
  }

  #files(folder: string): RecipeFile[] {
    return recipeFiles(join(this.#at.root, folder))
  }

  async #runtimeContext(recipe: Recipe): Promise<BuildContext> {
    const files = this.#files(recipe.family)
    const context = new BuildContext().files(
      '',
      files.filter((file) => file.name === 'Dockerfile'),
    )
    const entrypoint = this.#files('base').filter((file) => file.name === 'lambda-entrypoint.sh')
    const take = (prefix: string, ...names: string[]): void => {
      context.files(
        prefix,
        files.filter((file) => names.includes(file.name)),
      )
    }
    if (recipe.family === 'provided') {
      const bootstrap = await this.#product('entry point of OS-only runtimes', () => providedBootstrap(this.#at))
      return context.tarball(bootstrap, (name) => name)
    }
    context.files('', entrypoint)
    if (recipe.family === 'python') {
      const packages = await this.#product(`Python ${recipe.python} packages`, () =>
        pythonPackages(this.#at, recipe.python),
      )
      take('runtime/', 'bootstrap', 'bootstrap.py')
      return context.tarball(packages, (name) => name.replace(/^packages\//, 'runtime/'))
    }

    const { cache, architecture } = this.#at
    const [node, client, sdk, addons] = await Promise.all([
      this.#step(`Node.js ${recipe.node}`, () => cache.npmPackage(nodePackage(recipe.node, architecture))),
      this.#explained('Node.js client', cache.npmPackage(NODE_PACKAGES[recipe.client])),
      this.#product('AWS SDK for JavaScript', () => nodeSdk(this.#at)),
      this.#product('native part of the Node.js clients', () => nodeAddons(this.#at)),
    ])
    const entry = recipe.client === 'client-3' ? 'package/dist/index.mjs' : 'package/index.mjs'
    const licences = under('runtime/')
    take('runtime/', 'bootstrap', ...(recipe.client === 'client-3' ? ['bootstrap.mjs'] : []))
    return context
      .tarball(client, (name) => {
        if (name === entry) return 'runtime/index.mjs'
        return /^package\/(LICENSE|NOTICE|THIRD-PARTY-LICENSES)$/.test(name) ? licences(name) : undefined
      })
      .tarball(addons, (name) =>
        name === `out/${recipe.client}/rapid-client.node` ? 'runtime/rapid-client.node' : undefined,
      )
      .tarball(node, (name) => (/^package\/(bin\/node|LICENSE)$/.test(name) ? under('lang/')(name) : undefined))
      .folder(join(sdk, 'node_modules'), 'sdk/node_modules/', keepInSdk)
  }
}
