import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { compatibilityDocument } from '../../../src/api/compatibility-document.ts'
import { OPERATIONS } from '../../../src/api/operations/table.ts'

it('docs/compatibility.md says what the tables say', () => {
  const document = readFileSync(resolve(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8')
  expect(document).toBe(compatibilityDocument())
})

it('names every operation, with its path or with the reason why it is refused', () => {
  const lines = compatibilityDocument().split('## Operations')[1]?.split('\n') ?? []
  for (const { name, path, refused } of OPERATIONS) {
    const line = lines.filter((one) => one.split(/[|,]/).some((cell) => cell.trim() === name))
    expect(line, name).toHaveLength(1)
    expect(line[0]).toContain(refused ?? path)
  }
})
