import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { compatibilityDocument } from '../../../src/api/compatibility-document.ts'
import { OPERATIONS } from '../../../src/api/operations/table.ts'
import { SIBLING_OPERATIONS } from '../../../src/api/siblings.ts'
import { REFUSED_SETTINGS } from '../../../src/control/functions/unsupported.ts'

it('docs/compatibility.md says what the tables say', () => {
  const document = readFileSync(resolve(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8')
  expect(document).toBe(compatibilityDocument())
})

const section = (title: string) =>
  compatibilityDocument()
    .split('\n## ')
    .find((one) => one.startsWith(`${title}\n`))
    ?.split('\n') ?? []

it('names every operation, with its path or with the reason why it is refused', () => {
  const lines = section('Operations')
  for (const { name, path, refused, none } of OPERATIONS) {
    const line = lines.filter((one) => one.split(/[|,]/).some((cell) => cell.trim() === name))
    expect(line, name).toHaveLength(1)
    expect(line[0]).toContain(refused ?? none ?? path)
  }
})

it('names every operation of the services that share the endpoint', () => {
  const lines = section("Services that share Lambda's endpoint")
  for (const { service, name, refused } of SIBLING_OPERATIONS) {
    const line = lines.filter((one) => one.startsWith(`| ${service} |`) && one.includes(refused))
    expect(line, service).toHaveLength(1)
    expect(line[0]?.split(/[|,]/).map((cell) => cell.trim())).toContain(name)
  }
})

it('names every setting that is refused, with the reason of those that are not planned', () => {
  const text = section('Settings that are refused').join('\n')
  for (const { setting, because } of REFUSED_SETTINGS) expect(text).toContain(`| ${setting} | ${because ?? 'Not yet.'}`)
})
