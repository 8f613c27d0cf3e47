/** Requests of any shape, for every operation: they have violations or are refused with an error of the API, and nothing else happens. */
import { describe, expect, it } from 'vitest'
import { inputViolations } from '../../src/api/model/check.ts'
import { INPUT_MODEL, type StructureShape } from '../../src/api/model/shapes.ts'
import { LambdaException } from '../../src/lambda/errors.ts'

/** Values of every JSON type, hostile ones among them, and some that nest. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'a',
  '\u0000\ud800',
  'x'.repeat(5000),
  [],
  [null],
  ['a', 1],
  [[['a']]],
  {},
  { a: 1 },
  { a: null },
  { a: { b: ['c'] } },
  JSON.parse('{"__proto__": "x", "constructor": {"prototype": 1}}'),
]
const TEXTS = ['', 'a', '-1', '1e5', '99999999999999999999', 'true', 'arn:aws:', '%00', 'x'.repeat(5000)]

function attempt(operation: string, body: unknown, text: string | undefined): void {
  const list = text === undefined ? undefined : [text, text]
  try {
    const found = inputViolations(operation, { body, path: () => text, query: () => list, header: () => text })
    for (const one of found)
      expect(one).toMatch(/^Value (null |'.*' )?at '[^']+' failed to satisfy constraint: (Member|Map) /s)
  } catch (error) {
    if (!(error instanceof LambdaException)) throw error
    expect(error.name).toBe('InvalidRequestContentException')
  }
}

describe.each(Object.entries(INPUT_MODEL.operations))('%s', (operation, { shape }) => {
  it('takes any value at any place', () => {
    const { members } = INPUT_MODEL.shapes[shape] as StructureShape
    for (const text of [undefined, ...TEXTS]) attempt(operation, {}, text)
    for (const body of VALUES) attempt(operation, body, 'a')
    for (const [name, place] of Object.entries(members)) {
      for (const value of VALUES) {
        attempt(operation, { [name]: value }, 'a')
        const inner = typeof place === 'string' ? INPUT_MODEL.shapes[place] : undefined
        const deeper = inner?.is === 'structure' ? Object.keys(inner.members) : []
        for (const member of deeper) attempt(operation, { [name]: { [member]: value } }, 'a')
      }
    }
  })
})
