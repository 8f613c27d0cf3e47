import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ChangeConsumer, ChangeReader } from '../../../src/invoke/change-reader.ts'
import type { FunctionKey } from '../../../src/lambda/function.ts'
import { RecentChanges } from '../../../src/store/catalogue/recent-changes.ts'
import { until } from '../../support/until.ts'

const key = (name: string): FunctionKey => ({ account: '111111111111', region: 'us-east-1', name })

/** Keeps three changes only. */
let feed: RecentChanges
let reader: ChangeReader
let told: string[]
let failures: unknown[]
/** What the consumer waits for. */
let work: () => Promise<void>

beforeEach(() => {
  feed = new RecentChanges(3)
  told = []
  failures = []
  work = () => Promise.resolve()
  const consumer: ChangeConsumer = {
    changed: (keys) => {
      told.push(keys.map(({ name }) => name).join())
      return work()
    },
    refresh: () => {
      told.push('everything')
      return work()
    },
  }
  reader = new ChangeReader({ feed, consumer, failed: (error) => failures.push(error), backoffBaseMs: 1 })
})
afterEach(() => reader.close())

const settled = async () => {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}

it('a consumer begins with a change before who made it goes on', () => {
  feed.announce(key('a'))
  expect(told).toEqual(['a'])
})

it('a consumer that is slow gets what changed meanwhile together, each function once', async () => {
  let release = () => {}
  work = () => new Promise((resolve) => (release = resolve))
  feed.announce(key('a'))
  feed.announce(key('b'))
  feed.announce(key('c'))
  feed.announce(key('b'))
  await settled()
  expect(told).toEqual(['a'])
  work = () => Promise.resolve()
  release()
  await until(() => told.length === 2)
  expect(told).toEqual(['a', 'b,c'])
})

it('a consumer that is too slow for the feed looks at everything again', async () => {
  let release = () => {}
  work = () => new Promise((resolve) => (release = resolve))
  feed.announce(key('a'))
  for (const name of ['b', 'c', 'd', 'e']) feed.announce(key(name))
  work = () => Promise.resolve()
  release()
  await until(() => told.length === 2)
  expect(told).toEqual(['a', 'everything'])
  feed.announce(key('f'))
  await until(() => told.length === 3)
  expect(told[2]).toBe('f')
})

it('a consumer that fails gets the change again, with those that came since, and its failures are told once', async () => {
  let fail = 3
  work = () => (fail-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve())
  feed.announce(key('a'))
  feed.announce(key('b'))
  await until(() => told.length === 4)
  expect(told).toEqual(['a', 'a,b', 'a,b', 'a,b'])
  expect(failures).toHaveLength(1)
  await settled()
  feed.announce(key('c'))
  await until(() => told.length === 5)
  expect(told[4]).toBe('c')
})

it('a reader that is closed tells nothing more and waits for what it had begun', async () => {
  let release = () => {}
  work = () => new Promise((resolve) => (release = resolve))
  feed.announce(key('a'))
  let closed = false
  const closing = reader.close().then(() => (closed = true))
  feed.announce(key('b'))
  await settled()
  expect(closed).toBe(false)
  release()
  await closing
  feed.announce(key('c'))
  expect(told).toEqual(['a'])
})

it('the feed keeps a bounded number of changes and says where it has a gap', () => {
  for (let i = 1; i <= 10; i++) feed.announce(key(`f${i}`))
  expect(feed.position).toBe(10)
  expect(feed.read(7)).toEqual({ position: 10, keys: [key('f8'), key('f9'), key('f10')] })
  expect(feed.read(6)).toEqual({ position: 10, keys: 'gap' })
  expect(feed.read(10)).toEqual({ position: 10, keys: [] })
})
