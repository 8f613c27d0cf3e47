/** One TypeScript file with all that it imports as one JavaScript file, by esbuild. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildFailure, BuildOptions, Plugin } from 'esbuild'
import { CliError } from '../failure.ts'
import { NODE_HANDLERS } from './infer.ts'

export interface Bundled {
  readonly code: Buffer
  readonly exports: readonly string[]
  readonly ending: '.mjs' | '.cjs'
}

/** Errors that are shown. */
const SHOWN = 3

/** What an ES module lacks and the CommonJS packages in it may use. Written so that no declaration of the function's own collides with it. */
const MODULE_BANNER = `import { createRequire as hearthRequire } from 'node:module'
import { dirname as hearthDirname } from 'node:path'
import { fileURLToPath as hearthPath } from 'node:url'
globalThis.require ??= hearthRequire(import.meta.url)
const hearth_filename = hearthPath(import.meta.url)
const hearth_dirname = hearthDirname(hearth_filename)`
const DEFINE = { __filename: 'hearth_filename', __dirname: 'hearth_dirname' }

/** The runtime's own SDK serves what is not installed here. */
const sdkOfTheRuntime: Plugin = {
  name: 'sdk-of-the-runtime',
  setup(build) {
    build.onResolve({ filter: /^@(aws-sdk|smithy)\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'asked') return undefined
      const found = await build.resolve(path, { ...from, pluginData: 'asked' })
      return found.errors.length > 0 ? { path, external: true } : found
    })
  },
}

/**
 * CommonJS unless the folder says that it is of ES modules, as most bundlers for Lambda choose, or the code can only be one.
 * @throws CliError
 */
export async function bundle(folder: string, entry: string, runtime: string): Promise<Bundled> {
  const esbuild = await import('esbuild')
  const options = {
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile: 'bundle.js',
    bundle: true,
    platform: 'node',
    target: `node${/\d+/.exec(runtime)?.[0] ?? '20'}`,
    keepNames: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
    plugins: [sdkOfTheRuntime],
  } as const satisfies BuildOptions
  try {
    // Tells, too, what the entry exports and which kind of module it is itself.
    const module = await esbuild.build({ ...options, format: 'esm', banner: { js: MODULE_BANNER }, define: DEFINE })
    const isCommon = module.metafile.inputs[entry]?.format === 'cjs'
    const exports = isCommon ? NODE_HANDLERS : (Object.values(module.metafile.outputs)[0]?.exports ?? [])
    const asModule = { code: bytes(module), exports, ending: '.mjs' } as const
    if (!isCommon && (entry.endsWith('.mts') || (await isOfModules(folder)))) return asModule
    const common = await esbuild.build({ ...options, format: 'cjs' }).catch((error: BuildFailure) => {
      if (error.errors?.some(({ text }) => text.startsWith('Top-level await'))) return undefined
      throw error
    })
    return common === undefined ? asModule : { code: bytes(common), exports, ending: '.cjs' }
  } catch (error) {
    throw notBundled(entry, error)
  } finally {
    await esbuild.stop()
  }
}

function bytes(result: { readonly outputFiles: readonly { readonly contents: Uint8Array }[] }): Buffer {
  return Buffer.from(result.outputFiles[0]?.contents ?? [])
}

async function isOfModules(folder: string): Promise<boolean> {
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}')
  try {
    return (JSON.parse(manifest) as { type?: unknown } | null)?.type === 'module'
  } catch {
    return false
  }
}

function notBundled(entry: string, error: unknown): Error {
  const errors = (error as Partial<BuildFailure>).errors
  if (errors === undefined || errors.length === 0) return error as Error
  const shown = errors.slice(0, SHOWN).map(({ text, location }) => {
    return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`
  })
  const more = errors.length > SHOWN ? [`and ${errors.length - SHOWN} more errors`] : []
  const hint = errors.some(({ text }) => text.startsWith('Could not resolve'))
    ? 'Install what it imports first: npm install in its folder.'
    : undefined
  return new CliError(`The TypeScript ${entry} cannot be bundled:\n  ${[...shown, ...more].join('\n  ')}`, hint)
}
