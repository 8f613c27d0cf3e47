import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { lifecycleDocument } from '../../../src/execution/lifecycle-document.ts'
import { EXCEPTIONS, type ExceptionRow, LambdaException } from '../../../src/lambda/errors.ts'
import { errorsDocument } from '../../../src/lambda/errors-document.ts'
import model from '../../fixtures/exceptions.json' with { type: 'json' }

const document = (name: string) => readFileSync(resolve(import.meta.dirname, '../../../docs', name), 'utf8')

it('docs/errors.md says what the tables say', () => {
  expect(document('errors.md')).toBe(errorsDocument())
})

it('docs/lifecycle.md says what the state table says', () => {
  expect(document('lifecycle.md')).toBe(lifecycleDocument())
})

it.each(model)('$name is in the table, as in the service model', ({ name, status, keys }) => {
  const row = (EXCEPTIONS as Readonly<Record<string, ExceptionRow>>)[name]
  expect(row?.status).toBe(status)
  expect(keys).toContain(row?.key)
})

it.each(Object.keys(EXCEPTIONS) as (keyof typeof EXCEPTIONS)[])('%s puts its text where SDKs read it', (name) => {
  const body = new LambdaException(name, 'text').body()
  expect(body[EXCEPTIONS[name].key]).toBe('text')
})

it('puts extra members before Type and the text after it, as AWS orders them', () => {
  const exception = new LambdaException('TooManyRequestsException', 'Rate Exceeded.', { members: { Reason: 'R' } })
  expect(JSON.stringify(exception.body())).toBe('{"Reason":"R","Type":"User","message":"Rate Exceeded."}')
})
