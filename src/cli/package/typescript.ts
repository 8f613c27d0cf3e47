/** TypeScript functions: bundled with esbuild, because Node.js functions load JavaScript only. */
import { posix } from 'node:path'
import { CliError } from '../failure.ts'
import { bundle } from './bundler.ts'
import type { Content } from './content.ts'
import {
  DEFAULT_RUNTIMES,
  familyOf,
  type Given,
  type Inferred,
  infer,
  NODE_HANDLERS,
  NODE_STEMS,
  type PackageFile,
} from './infer.ts'

export interface Bundle {
  /** What takes the place of the folder's files. */
  readonly contents: readonly Content[]
  readonly function: Inferred
  readonly notes: readonly string[]
}

const TS_ENDINGS = ['.ts', '.mts', '.cts', '.tsx']
const JS_ENDINGS = ['.mjs', '.js', '.cjs']
const SOURCE = /\.[mc]?tsx?$/
const NO_ENTRY = /\.d\.[mc]?ts$|\.(config|test|spec)\.[mc]?tsx?$/
/** What only building needs. */
const LEFT_OUT = /^node_modules\/|\.[mc]?tsx?$|(^|\/)(tsconfig[^/]*|package-lock)\.json$/
type Named = Pick<PackageFile, 'path'>

/** Path of the TypeScript that the function begins with, unless there is JavaScript in its place. */
function entryOf(files: readonly Named[], { runtime, handler }: Given): string | undefined {
  if (runtime !== undefined && familyOf(runtime) !== 'nodejs') return undefined
  const there = new Set(files.map(({ path }) => path))
  const asTypeScript = (module: string) =>
    JS_ENDINGS.some((ending) => there.has(module + ending))
      ? undefined
      : TS_ENDINGS.map((ending) => module + ending).find((path) => there.has(path))
  if (handler !== undefined) return asTypeScript(splitHandler(handler).module)
  if (NODE_STEMS.some((stem) => JS_ENDINGS.some((ending) => there.has(stem + ending)))) return undefined
  for (const folder of ['', 'src/']) {
    for (const stem of NODE_STEMS) {
      const found = asTypeScript(folder + stem)
      if (found !== undefined) return found
    }
    const all = [...there].filter(
      (path) => SOURCE.test(path) && !NO_ENTRY.test(path) && `${posix.dirname(path)}/` === (folder || './'),
    )
    if (all.length === 1) return all[0]
  }
  return undefined
}

/** `src/app.handler`: the file without its ending, and what it exports. The file's name ends at its first dot. */
function splitHandler(handler: string): { module: string; exported: string } {
  const folder = posix.dirname(handler)
  const [, file = '', exported = ''] = /^([^.]*)\.?(.*)$/.exec(posix.basename(handler)) ?? []
  return { module: folder === '.' ? file : `${folder}/${file}`, exported }
}

/** The TypeScript that a package needs compiled. `undefined`: it needs none. */
export function onlyTypeScript(files: readonly PackageFile[], given: Given): string | undefined {
  const entry = entryOf(files, given)
  return entry === undefined || (given.handler === undefined && infer(files, given).ok) ? undefined : entry
}

/** `undefined`: the folder's function is not TypeScript. @throws CliError that says what does not build or is not exported */
export async function bundled(folder: string, files: readonly Content[], given: Given): Promise<Bundle | undefined> {
  const entry = entryOf(files, given)
  if (entry === undefined || isOther(files, given)) return undefined
  const runtime = given.runtime ?? DEFAULT_RUNTIMES.nodejs
  const { code, exports, ending } = await bundle(folder, entry, runtime)
  const module = entry.replace(SOURCE, '')
  const content: Content = { path: module + ending, executable: false, size: code.length, from: { bytes: code } }
  const rest = files.filter(({ path }) => !LEFT_OUT.test(path) && path !== content.path)
  return {
    contents: [...rest, content].sort((a, b) => (a.path < b.path ? -1 : 1)),
    function: { runtime, handler: given.handler ?? `${module}.${handlerOf(entry, exports)}` },
    notes: [
      `The TypeScript ${entry} is bundled into ${content.path} (${Math.ceil(code.length / 1024)} kB); types are not checked.`,
    ],
  }
}

/** Whether the folder plainly holds a function of another family, and nobody said Node.js. */
function isOther(files: readonly Named[], { runtime, handler }: Given): boolean {
  if (runtime !== undefined || handler !== undefined) return false
  return files.some(({ path }) => path === 'bootstrap' || path === 'lambda_function.py')
}

function handlerOf(entry: string, exports: readonly string[]): string {
  const found = [...NODE_HANDLERS, 'default'].find((name) => exports.includes(name))
  if (found !== undefined) return found
  const others = exports.length === 0 ? 'nothing' : exports.slice(0, 10).join(', ')
  throw new CliError(
    `${entry} exports ${others}, and no function named handler, lambdaHandler or main.`,
    `Write \`export const handler = …\`, or name another exported function with --handler ${entry.replace(SOURCE, '')}.NAME.`,
  )
}
