/**
 * Every error that the service model gives Invoke: the test that provokes it, or the reason why nothing can cause it yet. The names are
 * those of the model 2015-03-31, operation Invoke.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CAUSES } from '../../../src/lambda/error-causes.ts'
import { EXCEPTIONS, type ExceptionName } from '../../../src/lambda/errors.ts'

interface Row {
  readonly name: ExceptionName
  /** File of the test, from the root. */
  readonly provokedIn?: string
  /** Its title, or the first word of its row in a table of cases. */
  readonly by?: string
  /** Why nothing can cause it. */
  readonly impossible?: string
}

const ROOT = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8')
const rows = JSON.parse(read('test/fixtures/invoke-errors.json')) as Row[]

/** Number of errors in the model's list for Invoke. */
const INVOKE_ERRORS = 43

describe('the errors of Invoke', () => {
  it('are all in the table, once each', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(INVOKE_ERRORS)
    expect(rows).toHaveLength(INVOKE_ERRORS)
    expect(rows.filter(({ name }) => !(name in EXCEPTIONS))).toEqual([])
  })

  it.each(rows.filter(({ impossible }) => impossible === undefined))(
    '$name are provoked by a test, and explained for caller and operator',
    ({ name, provokedIn, by }) => {
      const test = read(provokedIn!)
      expect(test).toContain(by!)
      expect(test).toContain(name)
      expect(ERROR_CAUSES[name]).toBeDefined()
      expect(read('docs/errors.md')).toContain(`| ${name} |`)
    },
  )

  it.each(rows.filter(({ impossible }) => impossible !== undefined))(
    '$name that nothing can cause have a reason, and no explanation that promises them',
    ({ name, impossible, provokedIn }) => {
      expect(impossible!.length).toBeGreaterThan(20)
      expect(provokedIn).toBeUndefined()
      expect(ERROR_CAUSES[name]).toBeUndefined()
    },
  )
})
