/** Packages that a function asks for and that its package does not hold: it could not import them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '../project.ts'
import { familyOf, type Given, infer, type PackageFile } from './infer.ts'

/** Names that a remark shows. */
const SHOWN = 5

export function missingRequirements(files: readonly PackageFile[], given: Given): string[] {
  const text = (path: string) => files.find((file) => file.path === path)?.text()
  const requirements = text('requirements.txt')
  const manifest = text('package.json')
  if (requirements === undefined && manifest === undefined) return []
  const inferred = infer(files, given)
  const family = familyOf(given.runtime ?? (inferred.ok ? inferred.value.runtime : ''))
  if (family === 'python' && requirements !== undefined) return python(requirements, files)
  if (family === 'nodejs' && manifest !== undefined) return node(manifest, files)
  return []
}

function python(requirements: string, files: readonly PackageFile[]): string[] {
  const there = new Set(namesIn(readFileSync(join(projectFolder(), 'runtimes/python/requirements.txt'), 'utf8')))
  for (const { path } of files) {
    const [top = ''] = path.split('/')
    there.add(normal(top.replace(/-[^-]*\.(dist|egg)-info$|\.(py|so)$|\.(cpython|abi3)-[^/]*\.so$/, '')))
  }
  const missing = namesIn(requirements).filter((name) => !there.has(name))
  if (missing.length === 0) return []
  return [
    `requirements.txt names ${listed(missing)}, which the package does not contain: the function can only import what is in the package or in a ` +
      'layer. Install it into the folder and deploy again: pip install -r requirements.txt --target FOLDER',
  ]
}

/** Of lines that ask for a package everywhere: those with a marker may not mean the sandbox, and options name no package. */
function namesIn(requirements: string): string[] {
  const names = requirements.split('\n').flatMap((line) => {
    const plain = line.replace(/(^|\s)#.*/, '').trim()
    const name = plain.includes(';') ? undefined : /^[A-Za-z0-9][\w.-]*/.exec(plain)?.[0]
    return name === undefined ? [] : [normal(name)]
  })
  return [...new Set(names)]
}

/** As PyPI compares names. */
function normal(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}

/** Only packages that a file at the top names: what a bundler has built in needs no folder. */
function node(manifest: string, files: readonly PackageFile[]): string[] {
  const code = files.filter(({ path }) => /^[^/]+\.[mc]?js$/.test(path)).map((file) => file.text())
  const missing = dependenciesOf(manifest).filter((name) => {
    if (/^@(aws-sdk|smithy)\//.test(name)) return false
    if (files.some(({ path }) => path === 'node_modules' || path.startsWith(`node_modules/${name}/`))) return false
    return code.some((text) => text.includes(`'${name}'`) || text.includes(`"${name}"`))
  })
  if (missing.length === 0) return []
  return [
    `package.json names ${listed(missing)}, which the package does not contain: the function can only import what is in the package or in a ` +
      'layer. Run npm install in the folder and deploy again.',
  ]
}

function dependenciesOf(manifest: string): string[] {
  try {
    const { dependencies } = JSON.parse(manifest) as { dependencies?: unknown }
    return typeof dependencies === 'object' && dependencies !== null ? Object.keys(dependencies) : []
  } catch {
    return []
  }
}

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return `${names.slice(0, SHOWN).join(', ')}${more}`
}
