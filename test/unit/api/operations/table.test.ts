import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../../../src/api/operations/table.ts'
import model from '../../../fixtures/operations.json' with { type: 'json' }

/** Statuses that AWS sends although its model says otherwise. */
const STATUS: Readonly<Record<string, number>> = { DeleteFunction: 204 }

describe('the table of operations', () => {
  it('has every operation of the model with its method, path and status', () => {
    const table = OPERATIONS.map(({ name, method, path, query, status }) => ({
      name,
      method,
      requestUri: query ? `${path}?${query.join('=')}` : path,
      responseCode: status,
    }))
    expect(table).toEqual(model.map((row) => ({ ...row, responseCode: STATUS[row.name] ?? row.responseCode })))
    expect(table).toHaveLength(91)
  })

  it('either answers an operation or says why not', () => {
    for (const { name, handle, invoke, refused } of OPERATIONS) {
      expect(
        [handle, invoke, refused].filter((one) => one !== undefined),
        name,
      ).toHaveLength(1)
    }
  })

  it('can tell operations of the same route apart by their query', () => {
    const route = ({ method, path }: (typeof OPERATIONS)[number]) => `${method} ${path}`
    for (const one of OPERATIONS) {
      const same = OPERATIONS.filter((other) => route(other) === route(one))
      expect(same.filter(({ query }) => query === undefined).length, route(one)).toBe(1)
    }
  })
})
