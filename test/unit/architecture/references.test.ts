import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGES = join(ROOT, 'docs/reference')

interface Citation {
  readonly file: string
  readonly page: string
  /** e.g. `9.2`; empty where the whole page is meant. */
  readonly sections: readonly string[]
}

/** `reference: invoke.md 9.2, 9.3`, also where a comment breaks the line in between. */
function citationsOf(file: string, text: string): Citation[] {
  const flat = text.replace(/\n\s*(?:\*|\/\/)\s*/g, ' ')
  return [...flat.matchAll(/reference: ([a-z0-9-]+\.md)((?:,? (?:and )?§?\d+(?:\.\d+)*)*)/g)].map((match) => ({
    file,
    page: match[1]!,
    sections: [...(match[2] ?? '').matchAll(/\d+(?:\.\d+)*/g)].map(([section]) => section),
  }))
}

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
)
const citations = sources.flatMap((path) => citationsOf(`src/${path}`, readFileSync(join(ROOT, 'src', path), 'utf8')))

describe('the facts that comments cite', () => {
  it('are in the repository: the page and its section', () => {
    const missing = citations.flatMap(({ file, page, sections }) => {
      if (!existsSync(join(PAGES, page))) return [`${file}: docs/reference/${page}`]
      const headings = new Set(
        [...readFileSync(join(PAGES, page), 'utf8').matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map((match) => match[1]),
      )
      return sections
        .filter((section) => !headings.has(section))
        .map((section) => `${file}: docs/reference/${page} ${section}`)
    })
    expect(missing).toEqual([])
    expect(citations.length).toBeGreaterThan(10)
  })

  it('stand on pages that the index names', () => {
    const index = readFileSync(join(PAGES, 'README.md'), 'utf8')
    const pages = readdirSync(PAGES).filter((name) => name !== 'README.md')
    expect(pages.filter((page) => !index.includes(`(${page})`))).toEqual([])
  })
})
