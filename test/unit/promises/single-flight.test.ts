import { expect, test } from 'vitest'
import { SingleFlight } from '../../../src/promises/single-flight.ts'

test('calls that come while the work runs share its result, and the next call begins anew', async () => {
  const flights = new SingleFlight<number>()
  const { promise, resolve } = withResolver<void>()
  let runs = 0
  const work = async () => {
    runs++
    await promise
    return runs
  }
  const both = Promise.all([flights.run('key', work), flights.run('key', work)])
  resolve()
  expect(await both).toEqual([1, 1])
  expect(await flights.run('key', work)).toBe(2)
})

test('another key is other work', async () => {
  const flights = new SingleFlight<object, object>()
  const [one, other] = [{}, {}]
  const found = await Promise.all([one, other].map((key) => flights.run(key, async () => key)))
  expect(found[0]).toBe(one)
  expect(found[1]).toBe(other)
})

test('a failure reaches all who wait for it, and is forgotten', async () => {
  const flights = new SingleFlight<string>()
  const failing = () => Promise.reject(new Error('first'))
  const results = await Promise.allSettled([flights.run('key', failing), flights.run('key', async () => 'second')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await flights.run('key', async () => 'third')).toBe('third')
})

function withResolver<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
