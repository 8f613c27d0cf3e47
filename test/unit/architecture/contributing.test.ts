import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')

it('CONTRIBUTING.md names files that are there', () => {
  const text = readFileSync(resolve(root, 'CONTRIBUTING.md'), 'utf8')
  const named = [...text.matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+)`/g)].map(([, path]) => path ?? '')
  const called = [...text.matchAll(/`node (?:--import tsx )?(scripts\/\S+\.mjs)/g)].map(([, path]) => path ?? '')
  expect(named.length).toBeGreaterThan(20)
  expect(called.length).toBeGreaterThan(1)
  expect([...named, ...called].filter((path) => !existsSync(resolve(root, path)))).toEqual([])
})
