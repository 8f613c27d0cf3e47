/** Every operation that Hearth has, called with success on a real host: the answer has the model's status and its members, and no others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS, type Operation } from '../../src/api/operations/table.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { answerFaults } from '../support/model.ts'
import { SAMPLES, type Sample, SampleHost } from './samples.ts'

let host: TestHost
let samples: SampleHost
beforeAll(async () => {
  host = await startTestHost()
  samples = new SampleHost(host.client)
})
afterAll(() => host?.stop())

function urlOf({ path, query }: Operation, sample: Sample): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, label: string) => {
    const value = sample.path?.[label]
    if (value === undefined) throw new Error(`the sample has no ${label}`)
    return encodeURIComponent(value)
  })
  const parameters = new URLSearchParams(sample.query)
  if (query) parameters.set(...query)
  return `${host.url}${filled}?${parameters}`
}

describe('answers of operations that Hearth has', () => {
  const implemented = OPERATIONS.filter(({ refused, none }) => refused === undefined && none === undefined)
  for (const operation of implemented) {
    it(`are the model's: ${operation.name}`, async () => {
      const prepare = SAMPLES[operation.name]
      if (prepare === undefined) throw new Error(`test/conformance/samples.ts has no call of ${operation.name}`)
      const sample = await prepare(samples)
      const answer = await fetch(urlOf(operation, sample), {
        method: operation.method,
        headers: { 'Content-Type': 'application/json', ...sample.headers },
        ...(sample.body === undefined ? {} : { body: JSON.stringify(sample.body) }),
      })
      const body = await answer.text()
      expect({ status: answer.status, body: answer.ok ? '' : body }).toEqual({ status: operation.status, body: '' })
      expect(answerFaults(operation.name, body)).toEqual([])
      expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
      expect(answer.headers.get('x-amzn-errortype')).toBeNull()
    })
  }

  it('have no sample left of an operation that is refused', () => {
    const names = implemented.map(({ name }) => name)
    expect(Object.keys(SAMPLES).filter((name) => !names.includes(name))).toEqual([])
  })
})
