import { expect, test } from 'vitest'
import { Slots } from '../../../../../src/sandbox/docker/engine/slots.ts'

test('no more than the given number run at once, the rest in order, and a failure frees its slot', async () => {
  const slots = new Slots(2)
  const order: number[] = []
  let running = 0
  let most = 0
  const work = (number: number) =>
    slots.run(async () => {
      running++
      most = Math.max(most, running)
      order.push(number)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      if (number === 1) throw new Error('failed')
      return number
    })
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map(work))
  expect(most).toBe(2)
  expect(order).toEqual([0, 1, 2, 3, 4])
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ])
  await expect(slots.run(async () => 'free again')).resolves.toBe('free again')
})
