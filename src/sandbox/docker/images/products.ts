/** What is compiled or fetched once and then copied into images: the clients' native part, Python packages, the SDK, the supervisor. */
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type Dockerode from 'dockerode'
import type { Architecture } from '../../../lambda/function.ts'
import { type Cache, named } from './cache.ts'
import { LABELS, NODE_PACKAGES, TAGS } from './catalogue.ts'
import { BuildContext, extractFile } from './context.ts'
import { inspectImage } from './engine.ts'
import { type Identities, recipeFiles } from './identity.ts'
import { runNpm } from './machine/command.ts'
import { pipConfiguration } from './machine/pip-configuration.ts'
import { copyOut, runJob } from './workshop.ts'

export interface Workplace {
  readonly docker: Dockerode
  readonly cache: Cache
  readonly identities: Identities
  /** The folder `runtimes/`. */
  readonly root: string
  readonly architecture: Architecture
  /** Makes sure that the toolchain image is there. Asked only when something has to be made. */
  toolchain(): Promise<void>
}

/** npm package with the Node.js release for this architecture. */
export function nodePackage(version: string, architecture: Architecture): string {
  return `node-linux-${architecture === 'arm64' ? 'arm64' : 'x64'}@${version}`
}

/** Renames entries of an npm package (`package/…`) to `prefix…`. */
export function under(prefix: string): (name: string) => string | undefined {
  return (name) => (name.startsWith('package/') ? prefix + name.slice('package/'.length) : undefined)
}

/** A tar with `out/client-3/rapid-client.node` and `out/client-4/rapid-client.node`. */
export async function nodeAddons(at: Workplace): Promise<string> {
  const folder = await at.cache.folder(named('node-addons', at.identities.addon(at.architecture)), async (partial) => {
    const script = recipeFiles(join(at.root, 'nodejs')).find((file) => file.name === 'build-addon.sh')
    if (!script) throw new Error('runtimes/nodejs/build-addon.sh is missing')
    const [node, client3, client4, addonApi] = await Promise.all([
      at.cache.npmPackage(nodePackage(NODE_PACKAGES.headers, at.architecture)),
      at.cache.npmPackage(NODE_PACKAGES['client-3']),
      at.cache.npmPackage(NODE_PACKAGES['client-4']),
      at.cache.npmPackage(NODE_PACKAGES.addonApi),
      at.toolchain(),
    ])
    const include = 'package/include/node/'
    const files = new BuildContext()
      .file('work/build-addon.sh', script.data, 0o755)
      .tarball(client3, under('work/client-3/'))
      .tarball(client4, under('work/client-4/'))
      .tarball(addonApi, under('work/napi/'))
      .tarball(node, (name) => (name.startsWith(include) ? `work/node/${name.slice(include.length)}` : undefined))
    await runJob(at.docker, {
      image: TAGS.toolchain,
      files,
      command: './build-addon.sh',
      result: '/work/out',
      output: join(partial, 'addons.tar'),
      remedy: 'The recipe runtimes/nodejs does not build on this engine. Please report this with the lines above.',
    })
  })
  return join(folder, 'addons.tar')
}

/** A tar with `packages/…`, the content of /var/runtime for one Python version. */
export async function pythonPackages(at: Workplace, python: string): Promise<string> {
  const hash = at.identities.pythonPackages(python, at.architecture)
  const folder = await at.cache.folder(named(`python-packages-${python}`, hash), async (partial) => {
    const requirements = recipeFiles(join(at.root, 'python')).find((file) => file.name === 'requirements.txt')
    if (!requirements) throw new Error('runtimes/python/requirements.txt is missing')
    await at.toolchain()
    const configuration = await pipConfiguration()
    const files = new BuildContext().file('work/requirements.txt', requirements.data)
    for (const { name, data } of configuration.files) files.file(name, data, 0o600)
    const machine = at.architecture === 'arm64' ? 'aarch64' : 'x86_64'
    // One pip serves every Python version: it only has to choose wheels for another one.
    const platforms = ['manylinux2014', 'manylinux_2_17', 'manylinux_2_28'].map(
      (name) => `--platform ${name}_${machine}`,
    )
    const abi = `cp${python.replace('.', '')}`
    await runJob(at.docker, {
      image: TAGS.toolchain,
      files,
      command:
        `python3 -m pip install --no-cache-dir --no-compile --no-deps --only-binary=:all: --target /work/packages ` +
        `--implementation cp --python-version ${python} --abi ${abi} --abi abi3 --abi none ${platforms.join(' ')} ` +
        `-r requirements.txt && rm -rf packages/bin`,
      environment: configuration.environment,
      result: '/work/packages',
      output: join(partial, 'packages.tar'),
      remedy:
        'Check that pip works on this machine (pip download boto3). Hearth uses its configuration and certificates.',
    })
  })
  return join(folder, 'packages.tar')
}

/** A folder with `node_modules`, the AWS SDK for the Node.js images. */
export async function nodeSdk(at: Workplace): Promise<string> {
  return at.cache.folder(named('node-sdk', at.identities.sdk()), async (partial) => {
    for (const file of ['package.json', 'package-lock.json']) {
      await copyFile(join(at.root, 'nodejs', 'sdk', file), join(partial, file))
    }
    await runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-bin-links'], partial)
  })
}

/** Types, source maps and the builds that only bundlers read: half of the SDK's size and most of its files. */
export function keepInSdk(name: string): boolean {
  if (/(^|\/)(dist-types|dist-es|\.bin)(\/|$)/.test(name) || name === '.package-lock.json') return false
  return !/(\.d\.[cm]?ts|\.map|\.md)$/.test(name)
}

/** Path of the static supervisor in a folder of the cache, mode 0755: out of the image where one came by archive, else compiled. */
export async function supervisorFile(at: Workplace): Promise<string> {
  const hash = at.identities.supervisor(at.architecture)
  const folder = await at.cache.folder(named('supervisor', hash), async (partial) => {
    const archive = join(partial, 'supervisor.tar')
    const imported = (await inspectImage(at.docker, TAGS.supervisor))?.labels[LABELS.recipe] === hash
    if (imported) await copyOut(at.docker, TAGS.supervisor, '/supervisor', archive)
    else await compileStatic(at, 'supervisor', 'supervisor', archive)
    await extractFile(archive, 'supervisor', join(partial, 'supervisor'))
    await rm(archive)
  })
  return join(folder, 'supervisor')
}

/** A tar with `bootstrap`, the entry point of OS-only runtimes. */
export async function providedBootstrap(at: Workplace): Promise<string> {
  const name = named('provided-bootstrap', at.identities.providedBootstrap(at.architecture))
  const folder = await at.cache.folder(name, (partial) =>
    compileStatic(at, 'provided', 'bootstrap', join(partial, 'bootstrap.tar')),
  )
  return join(folder, 'bootstrap.tar')
}

/** Compiles `runtimes/<folder>/<name>.c` to a static program, in a tar. */
async function compileStatic(at: Workplace, folder: string, name: string, output: string): Promise<void> {
  await at.toolchain()
  await runJob(at.docker, {
    image: TAGS.toolchain,
    files: new BuildContext().files('work/', recipeFiles(join(at.root, folder))),
    command: `gcc -O2 -static -Wall -Wextra -s -o /tmp/${name} ${name}.c`,
    result: `/tmp/${name}`,
    output,
    remedy: `Report this with the lines above: runtimes/${folder}/${name}.c does not compile.`,
  })
}
