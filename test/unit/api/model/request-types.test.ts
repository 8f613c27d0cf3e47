import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { propertyName, readingOperations, requestTypes } from '../../../../src/api/model/request-types.ts'
import { OPERATIONS } from '../../../../src/api/operations/table.ts'

it('src/control/requests.ts has the types of every request that an operation reads', () => {
  const file = readFileSync(resolve(import.meta.dirname, '../../../../src/control/requests.ts'), 'utf8')
  expect(file).toBe(requestTypes(readingOperations(OPERATIONS)))
})

it.each([
  ['KMSKeyArn', 'kmsKeyArn'],
  ['SourceKMSKeyArn', 'sourceKmsKeyArn'],
  ['S3ObjectVersion', 's3ObjectVersion'],
  ['PrincipalOrgID', 'principalOrgID'],
  ['destination', 'destination'],
])('calls the member %s %s', (member, property) => {
  expect(propertyName(member)).toBe(property)
})

it('names structures, keeps what is optional apart, and leaves out what is not in the body', () => {
  const model = {
    operations: { Put: { shape: 'PutRequest' }, Get: { shape: 'GetRequest' } },
    shapes: {
      PutRequest: {
        is: 'structure',
        members: { Name: ['Text', 'path', 'Name'], Kind: 'Kind', Parts: 'Parts' },
        required: ['Name', 'Kind'],
      },
      GetRequest: { is: 'structure', members: { Name: ['Text', 'path', 'Name'] } },
      Text: { is: 'string' },
      Kind: { is: 'string', values: ['a', 'b'] },
      Parts: { is: 'list', of: 'Part' },
      Part: { is: 'structure', members: { Data: 'Data', Kinds: 'Kinds' } },
      Data: { is: 'blob' },
      Kinds: { is: 'list', of: 'Kind' },
    },
  } as const
  const types = requestTypes(['Put', 'Get'], model)
  expect(types).toContain(`export interface PutRequest {
  readonly kind: 'a' | 'b'
  readonly parts?: readonly Part[]
}

export interface Part {
  readonly data?: Uint8Array
  readonly kinds?: readonly ('a' | 'b')[]
}`)
  expect(types).toContain('export interface Requests {\n  readonly Put: PutRequest\n}')
})
