import { expect, test } from 'vitest'
import { KeyedLock } from '../../../src/promises/keyed-lock.ts'

test('work on one key runs one after the other in the order of the calls, also after a failure', async () => {
  const lock = new KeyedLock()
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`${name} ends`)
    if (name === 'one') throw new Error('failed')
    return name
  }
  const results = await Promise.allSettled([lock.hold('key', work('one')), lock.hold('key', work('two'))])
  expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})

test('work on another key does not wait', async () => {
  const lock = new KeyedLock()
  let release = () => {}
  const held = lock.hold('one', () => new Promise<void>((resolve) => (release = resolve)))
  await expect(lock.hold('other', async () => 'done')).resolves.toBe('done')
  release()
  await held
})
