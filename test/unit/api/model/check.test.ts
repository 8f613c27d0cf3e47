import { describe, expect, it } from 'vitest'
// @ts-expect-error a script without types
import { compact } from '../../../../scripts/service-model.mjs'
import { hasBlobBody, inputViolations } from '../../../../src/api/model/check.ts'
import { INPUT_MODEL, type InputModel } from '../../../../src/api/model/shapes.ts'
import { OPERATIONS } from '../../../../src/api/operations/table.ts'
import model from '../../../fixtures/small-model.json' with { type: 'json' }

const SMALL = compact(model, 'input') as InputModel

interface Given {
  body?: unknown
  path?: Record<string, string>
  query?: Record<string, string[]>
  header?: Record<string, string>
}

function violations(
  operation: string,
  { body = {}, path = {}, query = {}, header = {} }: Given,
  from = SMALL,
): string[] {
  return inputViolations(
    operation,
    { body, path: (label) => path[label], query: (name) => query[name], header: (name) => header[name] },
    from,
  )
}

/** Of PutThing with everything that it needs and these members. */
const put = (body: object, rest: Given = {}) =>
  violations('PutThing', { path: { ThingName: 'thing' }, ...rest, body: { Size: 1, ...body } })
const fault = (member: string, shown: string, rule: string) =>
  `Value ${shown} at '${member}' failed to satisfy constraint: ${rule}`

describe('a request that keeps to the model', () => {
  it('has no violations, wherever its members are', () => {
    const rest = {
      query: { DryRun: ['true'], MaxItems: ['10'], keys: ['a', 'b'], Since: ['2026-01-01'] },
      header: { 'X-Mode': 'red' },
    }
    const body = {
      Share: 0.5,
      Colours: ['red'],
      Labels: { a: 'blue' },
      Parts: [{ Id: 'a' }],
      Image: 'AAAA',
      Hidden: true,
      Unknown: 1,
      Lists: { red: ['a'] },
    }
    expect(put(body, rest)).toEqual([])
    expect(put({ Share: null })).toEqual([])
  })
})

describe('violations', () => {
  it('name each member with a small letter and its rule', () => {
    expect(put({ Colour: 'green' })).toEqual([
      fault('colour', "'green'", 'Member must satisfy enum value set: [red, blue]'),
    ])
    expect(put({ KMSKeyArn: 'A' })).toEqual([
      fault('kMSKeyArn', "'A'", 'Member must satisfy regular expression pattern: [a-z]+'),
    ])
    expect(put({ Size: 11 })).toEqual([fault('size', "'11'", 'Member must have value less than or equal to 10')])
    expect(put({ Share: 2 })[0]).toContain("Value '2.0' at 'share'")
    expect(put({ Image: 'AAAAAAAA' })).toEqual([
      fault('image', "'6 bytes'", 'Member must have length less than or equal to 4'),
    ])
  })

  it('put values first, then what is missing, then the name of the resource', () => {
    expect(violations('PutThing', { path: { ThingName: 'Thing' }, body: { Colour: 'green' } })).toEqual([
      expect.stringContaining("Value 'green' at 'colour'"),
      fault('size', 'null', 'Member must not be null'),
      expect.stringContaining("Value 'Thing' at 'thingName'"),
    ])
  })

  it('reach into structures within lists by their number', () => {
    expect(put({ Parts: [{ Id: 'a' }, { Size: 0 }] })).toEqual([
      fault('parts.2.member.id', 'null', 'Member must not be null'),
      fault('parts.2.member.size', "'0'", 'Member must have value greater than or equal to 1'),
    ])
    expect(put({ Parts: [] })[0]).toBe(fault('parts', "'[]'", 'Member must have length greater than or equal to 1'))
  })

  it('list all rules of the members of lists and maps', () => {
    const rules =
      'Member must have length less than or equal to 8, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [a-z]+'
    expect(put({}, { query: { keys: ['a', 'B'] } })).toEqual([
      fault('keys', "'[a, B]'", `Member must satisfy constraint: [${rules}]`),
    ])
    expect(put({ Labels: { A: 'green' } })).toEqual([
      fault('labels', "'{A=green}'", `Map keys must satisfy constraint: [${rules}]`),
      fault(
        'labels',
        "'{A=green}'",
        'Map value must satisfy constraint: [Member must satisfy enum value set: [red, blue]]',
      ),
    ])
    expect(put({ Shares: { a: -1 } })).toEqual([
      fault(
        'shares',
        "'{a=-1.0}'",
        'Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]',
      ),
    ])
    expect(put({ Lists: { red: ['A'] } })).toHaveLength(1)
    expect(put({ Labels: { a: 'red', b: 'red', c: 'red' } })[0]).toContain('length less than or equal to 2')
  })

  it('come from headers and query members too', () => {
    expect(put({}, { header: { 'X-Mode': 'x' }, query: { MaxItems: ['many'] } })).toEqual([
      fault('maxItems', "'many'", 'Member must be an integer'),
      fault('mode', "'x'", 'Member must satisfy enum value set: [red, blue]'),
    ])
    expect(violations('DropThing', {})).toEqual([fault('keys', 'null', 'Member must not be null')])
  })

  it('take no blob for JSON, and a body that is one member for that member', () => {
    expect(hasBlobBody('SendBytes', SMALL)).toBe(true)
    expect(hasBlobBody('ReportFailure', SMALL)).toBe(false)
    expect(violations('SendBytes', {})).toEqual([])
    expect(violations('ReportFailure', { body: { ErrorType: 'A' } })[0]).toContain("at 'error.errorType'")
  })
})

describe('JSON of another type than the model', () => {
  const wrong: [object, string][] = [
    [{ Size: '3' }, 'size must be an integer'],
    [{ Size: 1.5 }, 'size must be an integer'],
    [{ Share: '1' }, 'share must be a number'],
    [{ Colour: 1 }, 'colour must be a string'],
    [{ Colours: 'red' }, 'colours must be a list'],
    [{ Colours: [1] }, 'colours[0] must be a string'],
    [{ Labels: [] }, 'labels must be an object'],
    [{ Labels: { a: 1 } }, 'labels.a must be a string'],
    [{ Lists: { red: 'a' } }, 'lists.red must be a list'],
    [{ Parts: ['a'] }, 'parts.1.member must be an object'],
    [{ Hidden: 'true' }, 'hidden must be a boolean'],
    [{ Image: 1 }, 'image must be a base64 string'],
  ]
  for (const [json, message] of wrong) {
    it(`is refused: ${message}`, () => {
      expect(() => put(json)).toThrow(
        expect.objectContaining({
          name: 'InvalidRequestContentException',
          message: `Could not parse request body into json: ${message}`,
        }),
      )
    })
  }
})

describe('the table of the service model', () => {
  it('has the input of every operation that has one, and all shapes that they name', () => {
    for (const { name } of OPERATIONS) expect(INPUT_MODEL.operations[name], name).toBeDefined()
    const named = Object.values(INPUT_MODEL.shapes).flatMap((shape) =>
      shape.is === 'structure'
        ? Object.values(shape.members).map((place) => (typeof place === 'string' ? place : place[0]))
        : shape.is === 'list'
          ? [shape.of]
          : shape.is === 'map'
            ? [shape.keys, shape.of]
            : [],
    )
    for (const name of named) expect(INPUT_MODEL.shapes[name], name).toBeDefined()
  })

  it('has patterns that JavaScript reads and that come back from long values', () => {
    for (const shape of Object.values(INPUT_MODEL.shapes)) {
      if (shape.is !== 'string' || shape.pattern === undefined) continue
      const regex = new RegExp(`^(?:${shape.pattern})$`, shape.pattern.includes('\\p{') ? 'u' : '')
      // One that backtracks without a bound would not end.
      for (const piece of ['a', 'a-', 'arn:aws:', '1', '/']) {
        expect(regex.test(`${piece.repeat(2000)}\n\n`)).toBeTypeOf('boolean')
      }
    }
  })
})

describe('the generator', () => {
  it('keeps constraints and places, and leaves out documentation and shapes that only answers use', () => {
    expect(SMALL.shapes.PutThingRequest).toMatchObject({
      is: 'structure',
      required: ['ThingName', 'Size'],
      members: { ThingName: ['Name', 'path', 'ThingName'], Size: 'Size', Mode: ['Colour', 'header', 'X-Mode'] },
    })
    expect(SMALL.shapes.Name).toEqual({ is: 'string', min: 1, max: 8, pattern: '[a-z]+' })
    expect(SMALL.shapes.OnlyAnswered).toBeUndefined()
    expect(SMALL.operations.ReportFailure).toEqual({ shape: 'ReportFailureRequest', payload: 'Error' })
    expect(compact(model, 'output').operations).toEqual({ PutThing: { shape: 'Thing' } })
  })
})
