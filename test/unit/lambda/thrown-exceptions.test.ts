/** Every exception that src/ makes is explained in docs/errors.md, and nothing else is: read from the syntax tree. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAst } from 'vitest/node'
import { ERROR_CAUSES } from '../../../src/lambda/error-causes.ts'
import { EXCEPTIONS } from '../../../src/lambda/errors.ts'

interface Node {
  readonly type: string
  readonly [member: string]: unknown
}

interface Found {
  /** Exceptions that some expression names. */
  readonly named: Set<string>
  /** First arguments of LambdaException that hide the name: made of pieces, or cast. */
  readonly hidden: string[]
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value

const COMPARISONS = new Set(['===', '!==', '==', '!='])

/**
 * Whoever makes a LambdaException names it by a value of the type ExceptionName. Such a value begins as a string in the code, wherever a
 * table or a function carries it, unless it is put together or cast. Strings that are only compared, keys, and types name no exception
 * that is made.
 */
function visit(node: Node, found: Found, file: string): void {
  if (node.type.startsWith('TS') && node.type !== 'TSAsExpression' && node.type !== 'TSSatisfiesExpression') {
    if (node.type !== 'TSNonNullExpression' && node.type !== 'TSParameterProperty') return
  }
  if (node.type === 'BinaryExpression' && COMPARISONS.has(String(node.operator))) return
  if (node.type === 'ImportDeclaration') return
  if (node.type === 'Literal' && typeof node.value === 'string' && node.value in EXCEPTIONS) found.named.add(node.value)
  if (isException(node)) {
    const [name] = node.arguments as Node[]
    if (!isPlain(name)) found.hidden.push(`${file}: ${name?.type}`)
  }
  for (const [member, child] of Object.entries(node)) {
    if (member === 'key' && node.type === 'Property') continue
    if (member === 'test' && node.type === 'SwitchCase') continue
    for (const one of Array.isArray(child) ? (child as unknown[]) : [child]) if (isNode(one)) visit(one, found, file)
  }
}

function isException({ type, callee }: Node): boolean {
  return type === 'NewExpression' && isNode(callee) && callee.name === 'LambdaException'
}

/** A string, a name for one, or a choice of these. */
function isPlain(node: Node | undefined): boolean {
  if (node?.type === 'ConditionalExpression') return isPlain(node.consequent as Node) && isPlain(node.alternate as Node)
  return ['Literal', 'Identifier', 'MemberExpression'].includes(node?.type ?? '')
}

function exceptionsOf(text: string, file = 'example.ts'): Found {
  const found: Found = { named: new Set(), hidden: [] }
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node, found, file)
  return found
}

const SRC = resolve(import.meta.dirname, '../../../src')
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

describe('the exceptions of the code', () => {
  const all = files.map((file) => exceptionsOf(readFileSync(join(SRC, file), 'utf8'), file))
  const made = [...new Set(all.flatMap(({ named }) => [...named]))].sort()

  it('are those that docs/errors.md explains', () => {
    expect(made).toEqual(Object.keys(ERROR_CAUSES).sort())
  })

  it('are made by their names, which are neither put together nor cast', () => {
    expect(all.flatMap(({ hidden }) => hidden)).toEqual([])
    const casts = files.filter((file) =>
      /\bas (unknown as )?ExceptionName\b/.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(casts).toEqual(['lambda/errors-document.ts'])
  })
})

describe('the search', () => {
  const named = (text: string) => [...exceptionsOf(text).named]

  it.each([
    ["throw new LambdaException('ServiceException', 'x')"],
    ["const KINDS = { gone: ['ServiceException', 'x'] } as const; throw new LambdaException(KINDS.gone[0], 'x')"],
    ["const refuse = (name: ExceptionName) => new LambdaException(name, 'x'); refuse('ServiceException')"],
    ["new LambdaException(late ? 'ServiceException' : name, 'x')"],
  ])('finds what is made: %s', (text) => {
    expect(named(text)).toEqual(['ServiceException'])
  })

  it.each([
    ["if (error.name === 'ServiceException') retry()"],
    ["type Name = 'ServiceException'"],
    ['const TABLE = { ServiceException: 1 }'],
    ["switch (name) { case 'ServiceException': retry() }"],
    ["// throw new LambdaException('ServiceException')"],
  ])('passes over what is not: %s', (text) => {
    expect(named(text)).toEqual([])
  })

  it('finds names that it could not read', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    expect(exceptionsOf("new LambdaException(`${kind}Exception`, 'x')").hidden).toEqual(['example.ts: TemplateLiteral'])
    expect(exceptionsOf("new LambdaException(kind + 'Exception', 'x')").hidden).toHaveLength(1)
  })
})
