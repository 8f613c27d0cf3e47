/** No value that the service model calls sensitive leaves the host again: not in an answer, its log or an event. */
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { INPUT_MODEL, type MemberPlace } from '../../../src/api/model/shapes.ts'
import { OPERATIONS } from '../../../src/api/operations/table.ts'
import { type ControlPlaneHost, startControlPlaneHost } from '../../conformance/control-plane-host.ts'

const SECRET = 'hunter2-secret'

/** Values that hold the secret, of every JSON type and beyond every length. */
const HOSTILE: readonly unknown[] = [
  SECRET,
  `${SECRET}\0`,
  SECRET + 'x'.repeat(6000),
  [SECRET],
  { [SECRET]: SECRET },
  { A_KEY: SECRET, [SECRET]: 1 },
  { A_KEY: SECRET, B_KEY: [SECRET] },
]

const shapeOf = (place: MemberPlace) => (typeof place === 'string' ? place : place[0])

/** Every place of the shape where something sensitive can stand, as a function that puts a value there. */
function sensitivePlaces(name: string, above: readonly string[] = []): ((value: unknown) => unknown)[] {
  const shape = INPUT_MODEL.shapes[name]!
  if (above.includes(name)) return []
  const seen = [...above, name]
  const here = shape.sensitive ? [(value: unknown) => value] : []
  if (shape.is === 'structure') {
    const within = Object.entries(shape.members).flatMap(([member, place]) =>
      sensitivePlaces(shapeOf(place), seen).map((put) => (value: unknown) => ({ [member]: put(value) })),
    )
    return [...here, ...within]
  }
  if (shape.is === 'list') {
    return [...here, ...sensitivePlaces(shape.of, seen).map((put) => (value: unknown) => [put(value)])]
  }
  if (shape.is === 'map') {
    const keys = INPUT_MODEL.shapes[shape.keys]!.sensitive ? [(value: unknown) => ({ [String(value)]: SECRET })] : []
    const values = sensitivePlaces(shape.of, seen).map((put) => (value: unknown) => ({
      A_KEY: put(value),
      'a-b': put(value),
    }))
    return [...here, ...keys, ...values]
  }
  return here
}

const VALID: Readonly<Record<string, object>> = {
  CreateFunction: {
    FunctionName: 'f',
    Role: 'arn:aws:iam::111111111111:role/r',
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Code: { ZipFile: Buffer.from('PK').toString('base64') },
  },
}

const sensitive = OPERATIONS.flatMap((operation) => {
  const input = INPUT_MODEL.operations[operation.name]
  const places = input && !operation.invoke ? sensitivePlaces(input.shape) : []
  return places.length > 0 ? [{ ...operation, payload: input?.payload, places }] : []
})

let host: ControlPlaneHost
beforeAll(async () => {
  host = await startControlPlaneHost()
})
afterAll(() => host.close())

async function answerTo(method: string, path: string, body: string): Promise<string> {
  const url = host.url + path.replace(/\{\w+\}/g, 'f')
  const answer = await fetch(url, { method, ...(method === 'GET' ? {} : { body }) })
  return `${answer.status} ${inspect([...answer.headers])} ${await answer.text()}`
}

function expectNoSecret(answer: string, sent: string): void {
  expect(answer, sent.slice(0, 200)).not.toContain(SECRET)
  expect(inspect([host.logged, host.logDetails, host.events], { depth: 10 }), sent.slice(0, 200)).not.toContain(SECRET)
}

describe('what the model calls sensitive', () => {
  it('is looked for in the requests that have it', () => {
    const names = sensitive.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['CreateFunction', 'UpdateFunctionConfiguration']))
  })

  it.each(sensitive)('is never repeated by $name', async ({ name, method, path, payload, places }) => {
    for (const put of places) {
      for (const value of HOSTILE) {
        const members = { ...VALID[name], ...(put(value) as Record<string, unknown>) }
        const body = JSON.stringify(payload === undefined ? members : (members as Record<string, unknown>)[payload])
        const answer = await answerTo(method, path, body)
        // Variables that are valid are the answer's own: they belong to the caller, who made the function.
        if (!/^20\d /.test(answer)) expectNoSecret(answer, body)
        else await fetch(`${host.url}/2015-03-31/functions/f`, { method: 'DELETE' })
      }
    }
  })

  it('is not quoted from a body that is no JSON', async () => {
    for (const body of [`"${SECRET}`, `{"A": ${SECRET}}`, `${SECRET}`, `{"A": "${SECRET}"`, `"${SECRET}"`]) {
      expectNoSecret(await answerTo('POST', '/2015-03-31/functions', body), body)
      expectNoSecret(await answerTo('PUT', '/2015-03-31/functions/{FunctionName}/configuration', body), body)
    }
  })

  it('stays unsaid when a variable has a bad name, and the name does, too', async () => {
    const Environment = { Variables: { DB_PASSWORD: SECRET, 'log-level': 'debug' } }
    const body = JSON.stringify({ ...VALID.CreateFunction, Environment })
    const answer = await answerTo('POST', '/2015-03-31/functions', body)
    expect(answer).toMatch(/^400 /)
    expect(answer).toContain(
      "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [",
    )
    for (const secret of [SECRET, 'DB_PASSWORD', 'log-level']) expect(answer).not.toContain(secret)
  })
})
