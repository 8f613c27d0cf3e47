/** What this host can build by itself, as data. The folders of `runtimes/` say how; versions are here and nowhere else. */

export type Suite = 'bookworm' | 'trixie' | 'sid'

/** Which generation of AWS's Node.js client: 3 takes callback handlers, 4 refuses them, as nodejs24.x does. */
export type NodeClient = 'client-3' | 'client-4'

export type Recipe =
  | { readonly family: 'provided'; readonly suite: Suite }
  | { readonly family: 'nodejs'; readonly suite: Suite; readonly node: string; readonly client: NodeClient }
  | { readonly family: 'python'; readonly suite: Suite; readonly python: string }

/**
 * Debian has Python 3.11 in bookworm only, 3.13 in trixie and 3.14 in sid; 3.10 and 3.12 are in none of them. Node.js brings everything
 * it needs, so all of its versions share one base.
 */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  'nodejs20.x': { family: 'nodejs', suite: 'bookworm', node: '20.20.2', client: 'client-3' },
  'nodejs22.x': { family: 'nodejs', suite: 'bookworm', node: '22.23.3', client: 'client-3' },
  'nodejs24.x': { family: 'nodejs', suite: 'bookworm', node: '24.21.0', client: 'client-4' },
  'python3.11': { family: 'python', suite: 'bookworm', python: '3.11' },
  'python3.13': { family: 'python', suite: 'trixie', python: '3.13' },
  'python3.14': { family: 'python', suite: 'sid', python: '3.14' },
  'provided.al2023': { family: 'provided', suite: 'bookworm' },
  'provided.al2': { family: 'provided', suite: 'bookworm' },
}

/** npm packages behind the Node.js images. */
export const NODE_PACKAGES = {
  'client-3': 'aws-lambda-ric@3.3.0',
  'client-4': 'aws-lambda-ric@4.0.2',
  /** C++ face of Node-API, needed to compile the clients' native part. */
  addonApi: 'node-addon-api@8.9.2',
  /** The release whose headers the native part is compiled with; the result runs in every release. */
  headers: '24.21.0',
} as const

/** Suite of the images that are not runtimes: compilers and network tools. */
export const TOOLS_SUITE: Suite = 'bookworm'

export const TAGS = {
  runtime: (runtime: string): string => `hearth-runtime:${runtime}`,
  base: (suite: Suite): string => `hearth-base:${suite}`,
  toolchain: 'hearth-toolchain:latest',
  tools: 'hearth-tools:latest',
  supervisor: 'hearth-supervisor:latest',
} as const

export type ImageKind = 'runtime' | 'base' | 'toolchain' | 'tools' | 'supervisor'

/** Labels on every image of ours. */
export const LABELS = { kind: 'hearth.image', recipe: 'hearth.recipe' } as const
