/** Runtime and handler from the files of a package, where they are obvious. Pure: the texts are handed in. */

/** Newest runtime of each family that the host can build. */
export const DEFAULT_RUNTIMES = { nodejs: 'nodejs22.x', python: 'python3.13', provided: 'provided.al2023' } as const

export interface PackageFile {
  /** Relative, with `/`. */
  readonly path: string
  readonly executable: boolean
  /** Read only for candidates. */
  readonly text: () => string
}

/** Files at the top whose text says something about the function. */
export const CANDIDATE = /^[^/]+\.([mc]?js|py)$|^(requirements\.txt|package\.json)$/
/** Bytes of one file that is read to find its handler. */
export const CANDIDATE_BYTES = 1024 * 1024

/** What the person said; only the rest is inferred. */
export interface Given {
  readonly runtime?: string
  readonly handler?: string
}

export interface Inferred {
  readonly runtime: string
  readonly handler: string
}

export type Inference =
  | { readonly ok: true; readonly value: Inferred }
  /** What is missing, as a sentence that says what to give. */
  | { readonly ok: false; readonly reason: string }

/** Usual names of a Node.js function's file, without their ending. */
export const NODE_STEMS = ['index', 'app', 'handler', 'main', 'lambda'] as const
const NODE_FILES = NODE_STEMS.flatMap((stem) => ['mjs', 'js', 'cjs'].map((end) => `${stem}.${end}`))
/** Usual names of the exported function. */
export const NODE_HANDLERS = ['handler', 'lambdaHandler', 'main'] as const
const PYTHON_FILES = ['lambda_function', 'app', 'handler', 'main', 'index'].map((stem) => `${stem}.py`)
const PYTHON_HANDLERS = ['lambda_handler', 'handler', 'main']

export function infer(files: readonly PackageFile[], given: Given): Inference {
  const { runtime, handler } = given
  if (runtime !== undefined && handler !== undefined) return { ok: true, value: { runtime, handler } }
  const top = files.filter((file) => !file.path.includes('/'))
  const family = runtime === undefined ? undefined : familyOf(runtime)
  const found: Inferred[] = []
  if (family === undefined || family === 'provided') {
    const bootstrap = top.find((file) => file.path === 'bootstrap')
    if (bootstrap?.executable === false) {
      return {
        ok: false,
        reason: 'The file bootstrap is not executable, so Lambda cannot start it. Run chmod +x bootstrap.',
      }
    }
    if (bootstrap !== undefined) found.push({ runtime: DEFAULT_RUNTIMES.provided, handler: 'bootstrap' })
  }
  if (family === undefined || family === 'nodejs') {
    const file = pick(top, NODE_FILES, /\.[mc]?js$/)
    const exported = file === undefined || handler !== undefined ? 'handler' : nodeExport(file.text())
    if (file !== undefined && exported === undefined) return { ok: false, reason: noHandler(file.path) }
    if (file !== undefined) {
      found.push({ runtime: DEFAULT_RUNTIMES.nodejs, handler: `${stem(file.path)}.${exported}` })
    }
  }
  if (family === undefined || family === 'python') {
    const file = pick(top, PYTHON_FILES, /\.py$/)
    const name = file === undefined ? undefined : pythonFunction(file.text())
    if (file !== undefined && name !== undefined) {
      found.push({ runtime: DEFAULT_RUNTIMES.python, handler: `${stem(file.path)}.${name}` })
    }
  }
  const [first, second] = found
  if (first === undefined) {
    if (handler !== undefined && runtime === undefined)
      return {
        ok: false,
        reason: 'The files do not show the runtime. Give --runtime, for example --runtime nodejs22.x.',
      }
    if (runtime !== undefined)
      return {
        ok: false,
        reason: `The files do not show the handler for ${runtime}. Give --handler FILE.FUNCTION.`,
      }
    return {
      ok: false,
      reason:
        'The files do not show the runtime and the handler (there is no index.mjs, lambda_function.py or bootstrap at the top). Give --runtime and --handler.',
    }
  }
  if (second !== undefined) {
    return {
      ok: false,
      reason: `The files fit ${found.map((one) => one.runtime).join(' and ')}: choose one with --runtime.`,
    }
  }
  return { ok: true, value: { runtime: runtime ?? first.runtime, handler: handler ?? first.handler } }
}

export function familyOf(runtime: string): string {
  return /^[a-z]+/.exec(runtime)?.[0] ?? runtime
}

/** The first of the usual names; else the only file of its kind. */
function pick(top: readonly PackageFile[], usual: readonly string[], kind: RegExp): PackageFile | undefined {
  for (const name of usual) {
    const file = top.find((one) => one.path === name)
    if (file !== undefined) return file
  }
  const all = top.filter(
    (file) =>
      kind.test(file.path) && !/(\.config|\.test|\.spec)\.[mc]?js$|^(setup|conftest|test_.*)\.py$/.test(file.path),
  )
  return all.length === 1 ? all[0] : undefined
}

function stem(path: string): string {
  return path.slice(0, path.lastIndexOf('.'))
}

/**
 * Name of the function that a Node.js file exports: one of the usual ones, `default` for an ES module that has only that, and `handler` where the text
 * does not tell. `undefined`: it plainly exports nothing that Lambda can call by a name.
 */
function nodeExport(text: string): string | undefined {
  const exported = (name: string) =>
    new RegExp(
      `export\\s+(?:async\\s+)?(?:const|let|var|function\\*?)\\s+${name}\\b|exports\\.${name}\\s*=|export\\s*\\{[^}]*\\b${name}\\b`,
    ).test(text)
  const usual = NODE_HANDLERS.find(exported)
  if (usual !== undefined) return usual
  if (/\bexport\s*(\*|\{)/.test(text)) return 'handler'
  if (/\bexport\s+default\b/.test(text)) return /\bexport\s+default\s*\{/.test(text) ? undefined : 'default'
  if (/\bmodule\.exports\s*=\s*(async\b|function\b|\([^)]*\)\s*=>|\w+\s*=>)/.test(text)) return undefined
  return /\bexports?\b/.test(text) ? 'handler' : undefined
}

function noHandler(path: string): string {
  const example = path.endsWith('.mjs') ? 'export const handler = …' : 'exports.handler = …'
  return (
    `${path} does not export a function with a name that Lambda can call, such as handler: write ${example}, ` +
    `or name another exported function with --handler ${stem(path)}.NAME.`
  )
}

function pythonFunction(text: string): string | undefined {
  return PYTHON_HANDLERS.find((name) =>
    new RegExp(`^(?:async\\s+)?def\\s+${name}\\s*\\(|^${name}\\s*=`, 'm').test(text),
  )
}
